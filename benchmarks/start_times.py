"""How long rnnlab's imports and its command take to start."""

import subprocess
import sys
import time

from benchmarks.programs import ROOT

COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "import rnnlab": ("-c", "import rnnlab"),
    "import rnnlab.run": ("-c", "import rnnlab.run"),
    "import jax, for comparison": ("-c", "import jax"),
    "rnnlab --help": ("-m", "rnnlab", "--help"),
    "rnnlab ls (an empty store)": ("-m", "rnnlab", "ls", "--store", "{folder}"),
}


def measure(folder: str, n_rounds: int) -> dict[str, list[float]]:
    """Seconds of each command, in turn; `folder` is an empty one. The first round, which fills caches, is left out."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(n_rounds + 1):
        for name, arguments in COMMANDS.items():
            command = [sys.executable, *(word.replace("{folder}", folder) for word in arguments)]
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
            times[name].append(time.perf_counter() - started)
    return {name: own[1:] for name, own in times.items()}
