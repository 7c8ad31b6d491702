"""`rnnlab sweep`: run the variants of a specification that have no finished run yet."""

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnlab.commands.selection import StoreOption

if TYPE_CHECKING:
    from rnnlab.store_address import Address
    from rnnlab.sweep.execution import Progress
    from rnnlab.sweep.plan import Plan
    from rnnlab.sweep.pools import Pool
    from rnnlab.sweep.variant import Variant

MAX_VARIANTS = 100_000

_SPACE = "Space (with a script)"
_AGAIN = "What counts as done"


def sweep(
    target: Annotated[str, typer.Argument(metavar="SPEC|SCRIPT", help="A specification (.yaml), or a script (.py).")],
    store: StoreOption = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes on this machine; 0: run in this one.  [default: its cores]")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a running Dask cluster to use instead.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the variants, and which are done.")] = False,
    retries: Annotated[int, typer.Option(min=0, help="How often to run a variant again whose worker died.")] = 2,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run again what has failed before.", rich_help_panel=_AGAIN)
    ] = False,
    rerun_changed: Annotated[
        bool,
        typer.Option(
            "--rerun-changed", help="Run again what was made by other code or packages.", rich_help_panel=_AGAIN
        ),
    ] = False,
    with_: Annotated[
        list[str] | None, typer.Option("--with", help="A named config; several apply in order.", rich_help_panel=_SPACE)
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="What all variants set.", rich_help_panel=_SPACE),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE,...", help="Values to combine with all others.", rich_help_panel=_SPACE),
    ] = None,
    zip_: Annotated[
        list[str] | None,
        typer.Option("--zip", metavar="KEY=VALUE,...", help="Values that go together.", rich_help_panel=_SPACE),
    ] = None,
    random: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=DISTRIBUTION:...",
            help="Values to draw: uniform, loguniform or integers:LOW,HIGH; choice:VALUE,...",
            rich_help_panel=_SPACE,
        ),
    ] = None,
    random_n: Annotated[int | None, typer.Option(help="How many random points.", rich_help_panel=_SPACE)] = None,
    random_seed: Annotated[int | None, typer.Option(help="What they derive from.", rich_help_panel=_SPACE)] = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="N|SEED,...", help="How many seeds, or which.", rich_help_panel=_SPACE)
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON on stdout.")] = False,
) -> None:
    """Run the variants of a space of configs that have no finished run in the store yet.

    The same command goes on where an earlier one ended, and shares the work with others on the same store. Ctrl-C ends
    it at the next validations; a second one ends it at once.
    """
    if workers is not None and scheduler is not None:
        raise typer.BadParameter("a running cluster has its own workers: give --workers or --scheduler")
    from rnnlab.store_address import parse_address
    from rnnlab.sweep.plan import make_plan

    space = {"with_": with_, "set_": set_, "grid": grid, "zip_": zip_, "random": random}
    numbers = {"random_n": random_n, "random_seed": random_seed, "seeds": seeds}
    variants = _variants(target, {name: value or () for name, value in space.items()} | numbers)
    address = _absolute(parse_address(store))
    plan = make_plan(variants, address, retry_failed, rerun_changed)
    if dry_run:
        _show_plan(plan, address, json_)
        return
    raise typer.Exit(_run(plan, address, workers, scheduler, retries, json_))


def _variants(target: str, options: dict) -> "list[Variant]":
    from rnnlab.sweep.expansion import expand, n_combinations
    from rnnlab.sweep.located_yaml import SpecificationError
    from rnnlab.sweep.options import specification_from_options
    from rnnlab.sweep.resolve import resolve
    from rnnlab.sweep.specification import read_specification

    if target.endswith((".yaml", ".yml")):
        if any(value not in ((), None) for value in options.values()):
            raise typer.BadParameter("a specification says by itself what varies: such options go with a script")
        specification = read_specification(target)
    elif target.endswith(".py"):
        specification = specification_from_options(target, **options)
    else:
        raise SpecificationError(target, "must be a sweep specification (.yaml) or an experiment script (.py)")
    n = n_combinations(specification)
    if n > MAX_VARIANTS:
        raise SpecificationError(target, f"has {n:,} variants; a sweep has at most {MAX_VARIANTS:,}")
    return expand(specification, resolve)


def _absolute(address: "Address") -> "Address":
    """The same store for workers, wherever they run."""
    from rnnlab.store_address import Address

    return address if address.is_mongo else Address(address.shown, address.path.absolute())


def _show_plan(plan: "Plan", address: "Address", as_json: bool) -> None:
    from rnnlab.commands.output import put, put_rich, terminal_width
    from rnnlab.sweep.display import plan_as_json, variant_table

    if as_json:
        print(json.dumps(plan_as_json(plan), indent=2))
        return
    put_rich(variant_table(plan, terminal_width()))
    for line in _summary(plan, address):
        put(line)


def _summary(plan: "Plan", address: "Address") -> list[str]:
    """What the store says about the variants, in words."""
    from rnnlab.sweep.display import counted

    skipped = len(plan.failed.keys() - plan.discounted.keys())
    lines = [f"{counted(len(plan.variants), 'variant')}: {len(plan.done)} done in {address}, {len(plan.todo)} to run"]
    if skipped:
        lines.append(f"{skipped} failed before and are left out; --retry-failed runs them again")
    changed = plan.changed.keys() & plan.done.keys()
    if changed:
        what = sorted({each for key in changed for each in plan.changed[key]})
        names = ", ".join(what[:3]) + (f" and {len(what) - 3} more" if len(what) > 3 else "")
        lines.append(
            f"{len(changed)} of the done ones by other code or packages ({names}); --rerun-changed runs them again"
        )
    return lines


def _run(
    plan: "Plan", address: "Address", workers: int | None, scheduler: str | None, retries: int, as_json: bool
) -> int:
    """Execute a plan, tell how it went, and return the exit code."""
    from rnnlab.errors import RnnlabError
    from rnnlab.sweep.display import Display
    from rnnlab.sweep.execution import Progress, StopRequest, execute

    with Display(plan) as display:
        for line in _summary(plan, address):
            display.say(line)
        progress = Progress(plan)
        if plan.todo:
            stop = StopRequest()
            words = "stopping at the next validations; Ctrl-C again stops at once"
            with stop.by_signals(lambda: display.say(words)):
                try:
                    pool = _pool(plan, address, workers, scheduler)
                    progress = execute(plan, pool, address, retries, stop, display.show)
                    pool.close()
                except KeyboardInterrupt:
                    display.say("error: stopped at once; the runs that were going on will show as LOST or INTERRUPTED")
                    display.__exit__()
                    # Waits for nothing: the workers of this machine end with this process.
                    os._exit(130)
    if progress.problem:
        raise RnnlabError(progress.problem)
    return _tell(progress, as_json)


def _pool(plan: "Plan", address: "Address", workers: int | None, scheduler: str | None) -> "Pool":
    from rnnlab.sweep.claims import open_claims
    from rnnlab.sweep.pools import OwnProcess

    open_claims(address)  # an unreachable or read-only store is an error before anything is started
    if workers == 0:
        return OwnProcess()
    from rnnlab.processes import usable_cores
    from rnnlab.sweep.dask_pools import LocalPool, connect

    if scheduler is None:
        return LocalPool(min(workers or usable_cores(), len(plan.todo)))
    scripts = {variant.script for variant in plan.todo}
    if address.is_mongo:
        return connect(scheduler, address, scripts, None)
    with tempfile.NamedTemporaryFile(dir=address.path / "_claims", prefix=".marker-") as marker:
        return connect(scheduler, address, scripts, Path(marker.name))


def _tell(progress: "Progress", as_json: bool) -> int:
    from rnnlab.commands.output import note, put, put_rich
    from rnnlab.sweep.display import counted, failure_table, progress_as_json, ways_to_retry

    skipped = progress.plan.failed.keys() - progress.plan.discounted.keys()
    if as_json:
        print(json.dumps(progress_as_json(progress), indent=2))
    elif progress.failures:
        put_rich(failure_table(progress))
        for line in ways_to_retry(progress):
            put(line)
    if progress.stopping:
        interrupted, left = counted(len(progress.interrupted), "run"), counted(progress.left, "variant")
        note(f"error: stopped: {interrupted} interrupted, {left} left; the same command goes on")
        return 130
    n_failed = len(progress.failures) + len(skipped)
    if n_failed or progress.left:
        note(f"error: {counted(n_failed, 'variant')} failed, {progress.left} left")
        return 1
    return 0
