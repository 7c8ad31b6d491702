"""rnnlab: experiment tracking for recurrent networks on sequences and time series.

The names below are imported on first use, so that `import rnnlab` loads nothing else.
"""

import os
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnlab.analysis import compare
    from rnnlab.analysis.plots import plot_learning_curves
    from rnnlab.evaluation.prediction import load_model
    from rnnlab.store import open_store

__version__ = "0.1.0"


def _inode(folder: str) -> int | None:
    """The number by which the system knows a folder; None where the package is in none, but in an archive, say."""
    try:
        return os.stat(folder).st_ino
    except OSError:
        return None


# When and from which folder this process first imported the package; a reload changes neither.
IMPORTED_AT: float = globals().get("IMPORTED_AT") or time.time()
IMPORTED_FROM: int | None = globals().get("IMPORTED_FROM") or _inode(os.path.dirname(__file__))

__all__ = ["__version__", "compare", "load_model", "open_store", "plot_learning_curves"]

_HOMES = {
    "compare": "rnnlab.analysis",
    "load_model": "rnnlab.evaluation.prediction",
    "open_store": "rnnlab.store",
    "plot_learning_curves": "rnnlab.analysis.plots",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
