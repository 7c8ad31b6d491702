"""The runs of a list that count as evidence: none that are damaged, and none twice."""

from collections.abc import Sequence

from rnnlab.analysis.groups import AnalysisError, comparable, config_of, is_ignored
from rnnlab.analysis.metrics import outcome
from rnnlab.analysis.reading import resumed_run
from rnnlab.store.record import RunRecord


def usable_records(records: Sequence[RunRecord]) -> tuple[list[RunRecord], list[str]]:
    """The records to count, and a note for each reason to leave some out.

    Left out are damaged records (their config cannot be trusted) and completed runs that a later one repeats. Raises
    AnalysisError if none are given or all are damaged.
    """
    if not records:
        raise AnalysisError("no runs match: there is nothing to compare or to draw")
    notes = []
    damaged = [record.run_id for record in records if record.status == "DAMAGED"]
    usable = [record for record in records if record.status != "DAMAGED"]
    if damaged:
        notes.append(f"damaged runs left out: {listed(damaged)}")
    if not usable:
        raise AnalysisError(f"all matching runs are damaged: {listed(damaged)}")
    repeated = _repeated([record for record in usable if outcome(record) == "completed"])
    if repeated:
        notes.append(f"runs left out that a later one repeats with the same config and seed: {listed(repeated)}")
        usable = [record for record in usable if record.run_id not in repeated]
    ended_early = [record.run_id for record in usable if outcome(record) in ("lost", "interrupted")]
    # Only then is it worth reading every run's info.
    resumed = {resumed_run(record) for record in usable} if ended_early else set()
    if superseded := [run_id for run_id in ended_early if run_id in resumed]:
        notes.append(f"runs that a later one resumed still count as lost or interrupted: {listed(superseded)}")
    return usable, notes


def listed(run_ids: Sequence[str]) -> str:
    """At most ten run ids, and how many more."""
    return ", ".join(run_ids[:10]) + (f" and {len(run_ids) - 10} more" if len(run_ids) > 10 else "")


def _repeated(records: Sequence[RunRecord]) -> list[str]:
    """The ids of runs that a later one in the list repeats: same experiment and config, seeds included.

    The same run made again is no further evidence.
    """
    latest: dict[frozenset, str] = {}
    repeated = []
    for record in records:
        items = config_of(record).items()
        identity = frozenset((key, comparable(value)) for key, value in items if not is_ignored(key))
        if identity in latest:
            repeated.append(latest[identity])
        latest[identity] = record.run_id
    return repeated
