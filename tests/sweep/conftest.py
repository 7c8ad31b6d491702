"""What tests of sweeps share: a small experiment, and the command in processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
SECONDS_TO_WAIT = 120
COMMAND = (sys.executable, "-m", "rnnlab", "sweep")

SCRIPT = '''
    """The sum of a short sequence. `seconds` is what each set of sequences takes to make, on top."""

    import time
    from pathlib import Path

    import numpy as np
    from sacred import Experiment

    from rnnlab.script import run_script
    from rnnlab.tasks.sequences import Sequences
    from rnnlab.tracking import track


    def sums(rng, n_sequences, n_steps=3, seconds=0.0, broken=False):
        if n_sequences > 1:
            time.sleep(seconds)
            if broken:
                raise ValueError("the generator is broken\\nand says more")
        inputs = rng.uniform(size=(n_sequences, n_steps, 1))
        return Sequences(inputs, inputs.sum(axis=1))


    def build():
        experiment = Experiment("sums", base_dir=Path(__file__).parent, save_git_info=False)
        track(
            experiment,
            sums,
            data={"n_train": 20, "n_valid": 10, "n_test": 10},
            model={"n_hidden": 2},
            training={"max_epochs": 3, "batch_size": 10},
        )
        experiment.add_named_config("short", {"training": {"max_epochs": 1}})
        return experiment


    if __name__ == "__main__":
        run_script(build())
'''


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """An experiment whose runs take some milliseconds, once it is compiled."""
    path = tmp_path / "sums.py"
    path.write_text(textwrap.dedent(SCRIPT).lstrip())
    return path


class SweepProcess:
    """`rnnlab sweep ...` in a process group of its own, as a terminal would start it."""

    def __init__(self, folder: Path, arguments: tuple[Any, ...]):
        temporary = folder / "temporary"
        temporary.mkdir(exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary), "COLUMNS": "80"}
        self._process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self) -> tuple[int, str, str]:
        """Exit code, output and errors, once it has ended."""
        output, errors = self._process.communicate(timeout=SECONDS_TO_WAIT)
        return self._process.returncode, output, errors

    def signal(self, number: int, to_group: bool = False) -> None:
        """Send a signal to the process alone, or as a terminal does to its group."""
        (os.killpg if to_group else os.kill)(self._process.pid, number)

    def workers(self) -> list[psutil.Process]:
        """The worker processes that are its children."""
        try:
            children = psutil.Process(self._process.pid).children()
            return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        except psutil.NoSuchProcess:
            return []

    def clean_up(self) -> None:
        """Kill what is left."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


@pytest.fixture
def start_sweep(tmp_path: Path) -> Iterator[Callable[..., SweepProcess]]:
    """Starts `rnnlab sweep` with the given arguments."""
    started = []

    def start(*arguments: Any) -> SweepProcess:
        started.append(SweepProcess(tmp_path, arguments))
        return started[-1]

    yield start
    for process in started:
        process.clean_up()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], Any]], Any]:
    """Waits for a condition, and gives its first true value."""

    def wait(condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + SECONDS_TO_WAIT
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.01)
        raise TimeoutError("it never came true")

    return wait
