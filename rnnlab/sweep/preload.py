"""Loaded by Dask into each worker process of this machine when that starts; so it imports nothing that takes time."""

import signal
from typing import Any


def dask_setup(worker: Any) -> None:
    """Ctrl-C at the terminal goes to the workers too, but is for the sweep to deal with."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
