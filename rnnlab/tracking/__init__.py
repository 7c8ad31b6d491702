"""The Sacred side: what makes a Sacred experiment out of a task, and what each run records."""

from rnnlab.tracking.experiment import track

__all__ = ["track"]
