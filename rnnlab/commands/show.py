"""`rnnlab show`: everything about one run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnnlab.commands.selection import RunArgument, StoreOption

if TYPE_CHECKING:
    from rnnlab.store.record import RunRecord

# What the table of results says by itself.
_TOLD = (
    *("stop_reason", "best_epoch", "n_epochs", "best_update", "n_updates", "train_loss", "valid_loss", "test_loss"),
    *("test_mse", "test_mae", "test_mse_mean_predictor", "test_mse_persistence_predictor"),
    *("test_mse_ridge_predictor", "test_mse_noise_free", "noise_floor"),
)


def show(
    run: RunArgument,
    store: StoreOption = None,
    output: Annotated[
        int, typer.Option(min=0, metavar="N", help="So many of the last lines that the run printed.")
    ] = 10,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show all about a run: result, decisions, config, curves, artifacts, environment, and how to make it again.

    Config keys with a * were set by hand when the run was started.
    """
    from rnnlab.store import open_store

    opened = open_store(store)
    record = opened.get(run)
    if json_:
        _put_json(record, output)
    else:
        _put_page(record, opened.address, output)


def _put_page(record: "RunRecord", address: str, n_lines: int) -> None:
    from rnnlab.analysis.reading import info_of
    from rnnlab.analysis.reproduce import reproduce_command
    from rnnlab.commands.output import heading, put, put_wrapped

    of = f" of {record.experiment}" if record.experiment else ""
    put(f"run {record.run_id}{of} in {address}: {record.status}")
    for line in _times(record):
        put(line)
    if record.damage is not None:
        put(f"damaged: {record.damage}")
        return
    if resumed := info_of(record).get("resumed_from"):
        put(_origin(resumed))
    _put_result(record)
    _put_config(record)
    _put_curves(record)
    heading("artifacts")
    put_wrapped(", ".join(record.artifacts) or "none")
    heading("environment")
    for name, value in environment(record):
        put_wrapped(f"{name}: {value}")
    if record.status == "FAILED":
        heading("traceback")
        put("\n".join(f"  {line.rstrip()}" for line in (record.fail_trace or "none").splitlines()))
    printed = record.captured_out.strip().splitlines() if n_lines else []
    if printed:
        heading("output" if len(printed) <= n_lines else f"output, its last {n_lines} lines")
        put("\n".join(f"  {line.rstrip()}" for line in printed[-n_lines:]))
    heading("make it again")
    put(f"  {reproduce_command(record)}")


def _origin(resumed: Any) -> str:
    """From where a resumed run went on, in words; as it is, where it is not as rnnlab writes it."""
    from rnnlab.commands.output import value_text

    if not isinstance(resumed, Mapping) or not isinstance(resumed.get("update"), int):
        return f"goes on from run {value_text(resumed)}"
    return f"goes on from run {value_text(resumed.get('run_id'))} at update {resumed['update']:,}"


def _times(record: "RunRecord") -> list[str]:
    from rnnlab.commands.output import age, duration
    from rnnlab.store.listing import MISSING, run_field

    if record.start_time is None:
        return []
    words = [f"started {record.start_time:%Y-%m-%d %H:%M:%S} UTC"]
    seconds = run_field(record, "seconds")
    if seconds is not MISSING:
        words.append(f"{'took' if record.stop_time else 'last heard of after'} {duration(seconds)}")
    when = age(record.start_time)
    if " " in when:
        words.insert(1, f"{when} ago")
    return [", ".join(words)]


def _put_result(record: "RunRecord") -> None:
    from rnnlab.analysis.reading import info_of, story_of
    from rnnlab.analysis.result_table import result_table
    from rnnlab.commands.output import heading, put, put_rich, put_wrapped, value_text

    heading("result")
    result = record.result or {}
    told = [key for key in result if key in _TOLD]
    if told or not result:
        put_rich(result_table(result, info_of(record)))
    improvements = story_of(record).get("improvements")
    if isinstance(improvements, list) and improvements:
        put_wrapped(_improvements(improvements), " ")
    for key, value in result.items():
        if key not in told:
            put(f" {key}: {value_text(value)}")


def _improvements(improvements: list) -> str:
    """The validations that were better than all before, in words; the last few are named."""
    steps = [each for each in improvements if isinstance(each, dict)]
    named = [f"{_short(each.get('valid_loss'))} in epoch {each.get('epoch')}" for each in steps[-3:]]
    words = f"{len(improvements)} improvement{'s' * (len(improvements) != 1)} of the validation loss"
    return f"{words}, {'the last ones ' if len(steps) > 3 else ''}to {', '.join(named)}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def changed_keys(record: "RunRecord") -> set[str]:
    """The dotted config keys that were set by hand when the run was started."""
    from rnnlab.store.listing import flat_items

    updates = record.meta.get("config_updates")
    return {key for key, _ in flat_items(updates)} if isinstance(updates, dict) else set()


def _put_config(record: "RunRecord") -> None:
    from rnnlab.commands.output import heading, put, value_text
    from rnnlab.store.listing import flat_items

    changed = changed_keys(record)
    named = [str(name) for name in record.meta.get("named_configs") or []]
    heading("config" + (f", with {' '.join(named)}" if named else "") + (", * set by hand" if changed else ""))
    items = list(flat_items(record.config))
    items.sort(key=lambda item: item[0] not in changed)
    width = max((len(key) for key, _ in items), default=0)
    for key, value in items:
        put(f"{'*' if key in changed else ' '} {key:<{width}}  {value_text(value)}")


def _put_curves(record: "RunRecord") -> None:
    from rnnlab.analysis.reading import curves_of
    from rnnlab.commands.output import heading, put_table

    curves = {name: curve for name, curve in curves_of(record).items() if len(curve.steps)}
    if not curves:
        return
    heading("curves")
    rows = []
    for name, (steps, values) in curves.items():
        finite = values[values == values]
        ends = [f"{value:.4g}" for value in (finite.min(), finite.max(), values[-1])] if len(finite) else ["", "", ""]
        rows.append([name, str(len(steps)), str(steps[-1]), *ends])
    put_table(["metric", "points", "last step", "least", "most", "last"], rows, [False, *[True] * 5], indent="  ")


def environment(record: "RunRecord") -> list[tuple[str, str]]:
    """(what, value) for host, versions, code and whatever else the run says about where it ran."""
    from rnnlab.analysis.reading import environment_of, sources_of
    from rnnlab.commands.output import value_text

    system = record.host.get("os")
    facts = [
        ("host", record.host.get("hostname")),
        ("system", " ".join(map(str, system)) if isinstance(system, list) else system),
        ("python", record.host.get("python_version")),
        ("packages", ", ".join(f"{name} {version}" for name, version in record.packages.items())),
    ]
    facts += environment_of(record).items()
    for repository in record.repositories:
        dirty = ", with uncommitted changes" if repository.get("dirty") else ""
        facts.append(("commit", f"{repository.get('commit')}{dirty}"))
    facts.append(("sources", f"{n} files" if (n := len(sources_of(record))) else None))
    facts += [("resource", path) for path in record.resources]
    facts.append(("uid", record.meta.get("uid")))
    return list(dict.fromkeys((name, value_text(value)) for name, value in facts if value not in (None, "")))


def _put_json(record: "RunRecord", n_lines: int) -> None:
    import json

    from rnnlab.analysis.reading import curves_of, info_of, sources_of
    from rnnlab.analysis.reproduce import reproduce_command
    from rnnlab.commands.ls import listed
    from rnnlab.commands.output import put

    facts = listed(record)
    if record.damage is None:
        facts |= {
            "set_by_hand": sorted(changed_keys(record)),
            "named_configs": record.meta.get("named_configs") or [],
            "info": info_of(record),
            "curves": {name: _curve_facts(curve.steps, curve.values) for name, curve in curves_of(record).items()},
            "host": record.host,
            "packages": record.packages,
            "repositories": record.repositories,
            "sources": sources_of(record),
            "resources": record.resources,
            "fail_trace": record.fail_trace,
            "output": record.captured_out.splitlines()[-n_lines:] if n_lines else [],
            "command": reproduce_command(record),
        }
    put(json.dumps(facts, indent=2))


def _curve_facts(steps: Any, values: Any) -> dict[str, Any]:
    """A curve's points, NaN as null."""
    return {"steps": steps.tolist(), "values": [None if value != value else value for value in values.tolist()]}
