"""Programs in long-lived processes of their own, each pinned to one core."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.programs import ROOT, Program

SERVE = ROOT / "benchmarks" / "peers" / "serve.py"
ONE_THREAD = dict.fromkeys(("PJRT_NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class ProgramError(Exception):
    """A program ended before its time."""


class Process:
    """One program on one piece of work. Close it in the end."""

    def __init__(self, program: Program, work_file: Path, core: int | None, cache: Path):
        """Start it on a core, or on any; `cache` is the folder for what it keeps for other processes."""
        self.program = program
        self.megabytes: float | None = None
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed by `close`)
        caches = {name: value.replace("{cache}", str(cache)) for name, value in program.caches.items()}
        pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            [*pinned, program.python, SERVE, program.module, work_file],
            env={**os.environ, **ONE_THREAD, **caches, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def wait_for_first(self) -> float:
        """Wait until the first call has returned; the seconds from the start of the process to that."""
        self._answer("first")
        return time.perf_counter() - self._started

    def wait_for_losses(self) -> list[float] | None:
        """Wait for the losses of the updates that are checked, None if it has none; sets `version`."""
        answer = self._answer("losses")
        self.version: str = answer["version"]
        return answer["losses"]

    def seconds(self, n_epochs: int) -> float:
        """The time that this many epochs take; sets `megabytes`, the process's peak so far."""
        assert self._process.stdin is not None
        print(n_epochs, file=self._process.stdin, flush=True)
        answer = self._answer("seconds")
        self.megabytes = answer["megabytes"]
        return answer["seconds"]

    def move_to(self, core: int) -> None:
        """Pin all its threads to another core."""
        for thread in os.listdir(f"/proc/{self._process.pid}/task"):
            os.sched_setaffinity(int(thread), {core})

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _answer(self, key: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{") and key in (answer := json.loads(line)):
                return answer
        self._process.wait()
        self._errors.seek(0)
        raise ProgramError(f"{self.program.name} ended too soon: {self._errors.read()[-3000:]}")
