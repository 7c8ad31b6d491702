"""Temporary folders that are removed when their process ends, however it ends."""

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

# Waits for the end of its input, which is the end of the process that holds the other end of the pipe, and then for
# processes that write to the folder with their last breath.
_GUARD = """
import os, shutil, sys, time
sys.stdin.read()
for attempt in range(20):
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    if attempt and not os.path.exists(sys.argv[1]):
        break
    time.sleep(0.25)
"""


@cache
def scratch_folder() -> Path:
    """The temporary folder of this process, which lives as long as the process."""
    folder = tempfile.mkdtemp(prefix="rnnlab-sweep-")
    # A session of its own, so that a Ctrl-C at the terminal does not reach it.
    guard = subprocess.Popen(
        [sys.executable, "-IS", "-c", _GUARD, folder], stdin=subprocess.PIPE, start_new_session=True
    )
    _GUARDS.append(guard)
    return Path(folder)


# Held, so that the pipes stay open.
_GUARDS: list[subprocess.Popen] = []
