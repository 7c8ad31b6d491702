"""`rnnlab copy`: runs from one store to another."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from rnnlab.commands.selection import ExperimentOption, StatusOption, WhereOption

if TYPE_CHECKING:
    from rnnlab.store.copying import Copied

_WORDS = {
    "copied": "copied",
    "updated": "brought up to date",
    "present": "there already",
    "running": "still running and left out (--running copies what there is)",
    "failed": "not copied",
}


def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Directory or mongodb://host:port/database.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The same; made where it does not exist.")],
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="The runs to copy.  [default: all]")
    ] = None,
    experiment: ExperimentOption = None,
    status: StatusOption = None,
    where: WhereOption = None,
    running: Annotated[
        bool, typer.Option("--running", help="Copy runs that go on, too; copying again brings them up to date.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print what became of each run as JSON.")] = False,
) -> None:
    """Copy runs whole from one store to another, in files or MongoDB.

    A run is known by an id of its own, so that copying again copies only what is new. It keeps its number where that is
    free, and otherwise gets the next free one. Interrupted, the same command goes on.
    """
    import json
    from dataclasses import asdict

    from rnnlab.commands.output import note, put
    from rnnlab.commands.selection import select_runs
    from rnnlab.errors import StoreError
    from rnnlab.store import open_store
    from rnnlab.store.copying import copy_runs
    from rnnlab.store_address import parse_address

    addresses = parse_address(source), parse_address(target)
    if (addresses[0].url or addresses[0].path.resolve()) == (addresses[1].url or addresses[1].path.resolve()):
        raise StoreError(f"cannot copy {addresses[0]} to itself")
    records = select_runs(open_store(addresses[0]), experiment, status, where, runs)
    outcomes = list(_shown(copy_runs(*addresses, records, running), len(records)))
    if json_:
        put(json.dumps([asdict(each) for each in outcomes], indent=2))
    else:
        put("\n".join(_summary(outcomes, str(addresses[1]))))
    failed = [each for each in outcomes if each.outcome == "failed"]
    for each in failed:
        note(f"run {each.run_id} is not copied: {each.reason}")
    raise typer.Exit(1 if failed else 0)


def _shown(outcomes: "Iterable[Copied]", n_runs: int) -> "Iterable[Copied]":
    """The same, with a bar on the terminal."""
    import sys

    if not sys.stderr.isatty():
        yield from outcomes
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(outcomes, "copying", total=n_runs, console=Console(stderr=True), transient=True)


def _summary(outcomes: "list[Copied]", target: str) -> list[str]:
    """How many runs had each outcome, and which runs got another number."""
    if not outcomes:
        return ["no runs to copy"]
    lines = []
    for outcome, words in _WORDS.items():
        ids = [each.run_id for each in outcomes if each.outcome == outcome]
        if ids:
            n = f"{len(ids)} run{'s' * (len(ids) != 1)}"
            lines.append(f"{n} copied to {target}" if outcome == "copied" else f"{n} {words}")
    renumbered = [f"{e.run_id} as {e.target_id}" for e in outcomes if e.outcome == "copied" and e.target_id != e.run_id]
    if renumbered:
        more = f" and {len(renumbered) - 8} more" if len(renumbered) > 8 else ""
        lines.append(f"under other numbers, theirs being taken: {', '.join(renumbered[:8])}{more}")
    return lines
