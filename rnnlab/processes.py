"""Processes of this machine: how many it has cores for, and who one is, so that others see whether it still lives."""

import os
import socket
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


def usable_cores() -> int:
    """The number of cores that this process may use; all of the machine's where the system does not tell (macOS)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def this_process() -> dict[str, Any]:
    """What identifies this process: `host`, `pid`, `place` (where the pid means something) and `started`.

    `place` is the boot of the machine with the namespace of process ids, so that neither a restarted machine nor
    another container with the same host name is taken for the same place. Both are empty where the system does not
    tell them.
    """
    return {"host": socket.gethostname(), "pid": os.getpid(), "place": _place(), "started": _start_time(os.getpid())}


def is_gone(process: Mapping[str, Any]) -> bool:
    """Whether a process is known to be dead; False also where this cannot be seen from here."""
    if not process.get("place") or process["place"] != _place():
        return False
    pid = process.get("pid")
    if not isinstance(pid, int) or pid <= 0:  # what a store holds may be anything
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    started = _start_time(pid)
    return started == _ZOMBIE or bool(started and process.get("started") and started != process["started"])


_ZOMBIE = "zombie"


@cache
def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _start_time(pid: int) -> str:
    """When a process started, in clock ticks since boot: pids are used again, but not with the same start."""
    try:
        # The program's name, in parentheses, may hold blanks and parentheses itself.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return _ZOMBIE if fields[0] in "ZX" else fields[19]
