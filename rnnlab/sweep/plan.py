"""What a sweep has to do: which of its variants have been run already, seen in the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from rnnlab.store import open_store
from rnnlab.store.record import RunRecord
from rnnlab.store_address import Address
from rnnlab.sweep.ledger import Ledger
from rnnlab.sweep.resolve import build_experiment, resolve
from rnnlab.sweep.variant import Variant

# Parts of rnnlab that read, write and show runs: no result depends on them.
_AROUND_A_RUN = (
    *("analysis", "commands", "store", "sweep", "tracking"),
    *("__main__.py", "atomic_file.py", "cli.py", "errors.py", "file_cache.py", "kept_functions.py"),
    *("memory.py", "processes.py", "script.py", "store_address.py", "terminal.py", "variant_key.py"),
)


@dataclass(frozen=True)
class Plan:
    """The variants of a sweep, and how far they are.

    done:       the COMPLETED run of each variant that has one, by key; made by today's code where there are several
    changed:    of these, what is different today from the code or the packages that the run recorded
    failed:     the last FAILED run of each variant without a COMPLETED one
    todo:       what is to be run, in order
    discounted: ids of finished runs that do not count, by key
    after:      all runs up to this id are over and seen
    """

    variants: Sequence[Variant]
    done: Mapping[str, RunRecord]
    changed: Mapping[str, list[str]]
    failed: Mapping[str, RunRecord]
    todo: Sequence[Variant]
    discounted: Mapping[str, frozenset[str]]
    after: int


def make_plan(
    variants: Sequence[Variant], address: Address, retry_failed: bool = False, rerun_changed: bool = False
) -> Plan:
    """Read the store and say what is to be run.

    A variant is done if the store has a COMPLETED run with its key; with `rerun_changed` only a run by today's code
    counts. A variant that has FAILED is not run again, unless with `retry_failed`. A directory that is not there yet is
    an empty store. Raises StoreError for a store that cannot be read.
    """
    runs, after = _finished_runs(variants, address)
    done, changed, failed, discounted, todo = {}, {}, {}, {}, []
    for variant in variants:
        completed = [record for record in runs.get(variant.key, []) if record.status == "COMPLETED"]
        failures = [record for record in runs.get(variant.key, []) if record.status == "FAILED"]
        differences = {record.run_id: _differences(record, variant.script) for record in completed}
        discounted_ids = {record.run_id for record in failures} if retry_failed else set()
        if completed:
            best = min(completed, key=lambda record: bool(differences[record.run_id]))
            if differences[best.run_id]:
                changed[variant.key] = differences[best.run_id]
            if not (rerun_changed and differences[best.run_id]):
                done[variant.key] = best
                continue
            # A failure of the old code says nothing either.
            discounted_ids = {record.run_id for record in runs[variant.key]}
        elif failures:
            failed[variant.key] = failures[-1]
            if not retry_failed:
                continue
        discounted[variant.key] = frozenset(discounted_ids)
        todo.append(variant)
    return Plan(variants, done, changed, failed, todo, discounted, after)


def _finished_runs(variants: Sequence[Variant], address: Address) -> tuple[dict[str, list[RunRecord]], int]:
    """The finished runs of each variant, by key, in the order of their ids; and up to which id all are over."""
    runs: dict[str, list[RunRecord]] = {variant.key: [] for variant in variants}
    if not address.is_mongo and not address.path.exists():
        return runs, 0
    defaults = {variant.experiment: variant.script for variant in variants}
    ledger = Ledger(open_store(address), {name: resolve(script, (), {})[1] for name, script in defaults.items()})
    for key, record in ledger.refresh():
        if key in runs:
            runs[key].append(record)
    return runs, ledger.settled_up_to()


def _differences(record: RunRecord, script: Path) -> list[str]:
    """The sources and packages that are other today than in the run's record."""
    sources, packages = _today(script)
    recorded = _relevant(record.sources)
    changed = [path for path in sorted(sources.keys() | recorded.keys()) if sources.get(path) != recorded.get(path)]
    changed += [
        f"{name} {record.packages[name]} -> {packages[name]}"
        for name in sorted(packages.keys() & record.packages.keys())
        if packages[name] != record.packages[name]
    ]
    return changed


@cache
def _today(script: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What a run of the script would record today: {source: md5} and {package: version}."""
    info = build_experiment(script).get_experiment_info()
    packages = dict(str(each).split("==", 1) for each in info["dependencies"])
    return _relevant(dict(info["sources"])), packages


def _relevant(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources that a result can depend on; those of rnnlab by their path in it, wherever it is installed."""
    relevant = {}
    for path, md5 in sources.items():
        parts = PurePosixPath(path).parts
        if "rnnlab" in parts:
            inside = parts[len(parts) - parts[::-1].index("rnnlab") :]
            if inside and inside[0] not in _AROUND_A_RUN:
                relevant["/".join(("rnnlab", *inside))] = md5
        else:
            relevant[path] = md5
    return relevant
