"""What the numbers depend on: the machine, its load, and versions."""

import datetime
import importlib.metadata
import os
import platform

PACKAGES = ("rnnlab", "pytensor", "jax", "jaxlib", "numpy", "sacred", "pymongo", "distributed")


def describe() -> dict[str, str]:
    """A table of words about this machine, now."""
    versions = [f"{package} {importlib.metadata.version(package)}" for package in PACKAGES]
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores used",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": platform.platform(),
        "load before": load(),
        "python": platform.python_version(),
        "packages": ", ".join(versions),
    }


def load() -> str:
    """The load averages of the last 1, 5 and 15 minutes."""
    return ", ".join(f"{average:.2f}" for average in os.getloadavg())


def _processor() -> str:
    with open("/proc/cpuinfo") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()
