"""`rnnlab checkpoints`: what killed runs could go on from, and the removal of what nobody needs any more."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnnlab.commands.selection import StoreOption

if TYPE_CHECKING:
    from rnnlab.store.checkpoints import KeptCheckpoint


def checkpoints(
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]...", help="Only these, by how their keys begin.  [default: all]"),
    ] = None,
    store: StoreOption = None,
    directory: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Where they are.  [default: where the runs of the store have them]"),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Remove those of variants that have a completed run; KEYs in any case.")
    ] = False,
    days: Annotated[
        float | None, typer.Option(min=0.0, metavar="N", help="Let --clear also remove what is older than N days.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the checkpoints of runs that were killed or stopped, or remove those that nobody needs any more.

    A run removes its own when it is completed. What stays is of variants that nobody went on with, or that were
    completed elsewhere. A checkpoint of a variant that is running is never removed.
    """
    import json
    from pathlib import Path

    from rnnlab.commands.output import note, put
    from rnnlab.store import open_store
    from rnnlab.store.checkpoints import find_checkpoints
    from rnnlab.store_address import checkpoint_folder, parse_address

    if days is not None and not clear:
        raise typer.BadParameter("--days says what --clear removes: give both")
    address = parse_address(store)
    folder = Path(directory).expanduser() if directory else checkpoint_folder(address)
    found = _chosen(find_checkpoints(folder, open_store(address).find()), keys, folder)
    removed = [each for each in found if clear and _is_to_go(each, bool(keys), days)]
    for each in removed:
        each.remove()
    if json_:
        put(json.dumps([{**_facts(each), "removed": each in removed} for each in found], indent=2))
    elif clear:
        put(f"{_sized(removed)} removed from {folder}, {_sized([each for each in found if each not in removed])} left")
    else:
        _put_table(found, str(folder))
    for each in found:
        if clear and keys and each.running:
            note(f"{each.key} is not removed: a run of its variant is going on")


def _chosen(found: "list[KeptCheckpoint]", keys: list[str] | None, folder: Any) -> "list[KeptCheckpoint]":
    from rnnlab.errors import StoreError

    for key in keys or []:
        if not any(each.key.startswith(key) for each in found):
            raise StoreError(f"checkpoints {folder}: none has a key that begins with {key!r}")
    return [each for each in found if not keys or each.key.startswith(tuple(keys))]


def _is_to_go(each: "KeptCheckpoint", named: bool, days: float | None) -> bool:
    if each.running:
        return False
    old = days is not None and datetime.now(UTC) - each.changed >= timedelta(days=days)
    return named or old or each.completed is not None


def _state(each: "KeptCheckpoint") -> str:
    """What is known of the variant, for people."""
    if each.running:
        return "RUNNING"
    if each.completed is not None:
        return f"completed by {each.completed}"
    if each.damage:
        return "damaged"
    return "of no run here" if each.record is None else each.record.status


def _put_table(found: "list[KeptCheckpoint]", folder: str) -> None:
    from rnnlab.commands.output import age, put, put_table

    if not found:
        put(f"no checkpoints in {folder}")
        return
    rows = [
        [
            each.key,
            each.record.experiment if each.record else "",
            each.run_id or "",
            _state(each),
            "" if each.n_epochs is None else str(each.n_epochs),
            "" if each.n_updates is None else str(each.n_updates),
            age(each.changed),
            f"{each.n_bytes / 1e6:.2f}",
        ]
        for each in found
    ]
    put_table(
        ["key", "experiment", "run", "state", "epoch", "update", "age", "MB"],
        rows,
        [False, False, True, False, True, True, True, True],
    )
    put(f"\n{_sized(found)} in {folder}")


def _sized(found: "list[KeptCheckpoint]") -> str:
    return f"{len(found)} checkpoint{'s' * (len(found) != 1)} ({sum(each.n_bytes for each in found) / 1e6:.2f} MB)"


def _facts(each: "KeptCheckpoint") -> dict[str, Any]:
    """What is known of a checkpoint, for programs."""
    return {
        "key": each.key,
        "files": [str(path) for path in each.files],
        "bytes": each.n_bytes,
        "changed": each.changed.isoformat(),
        "experiment": each.record.experiment if each.record else None,
        "run": each.run_id,
        "status": each.record.status if each.record else None,
        "completed_by": each.completed,
        "running": each.running,
        "epoch": each.n_epochs,
        "update": each.n_updates,
        "damage": each.damage or None,
    }
