"""`rnnlab diff`: in what two runs differ."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnnlab.commands.selection import StoreOption

if TYPE_CHECKING:
    from rnnlab.store.record import RunRecord

_TITLES = {"config": "config", "result": "result", "packages": "package versions", "resources": "data files"}


def diff(
    one: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or how it begins where that is enough.")],
    other: Annotated[str, typer.Argument(metavar="RUN", help="The run to compare it with.")],
    store: StoreOption = None,
    other_store: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Where the second run is.  [default: the same store]")
    ] = None,
    sources: Annotated[
        bool, typer.Option("--sources", help="Print the differing lines of the sources that the stores hold.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show in what two runs differ: config, results, package versions, data files and sources."""
    import json

    from rnnlab.commands.output import put
    from rnnlab.store import open_store

    first = open_store(store)
    second = first if other_store is None else open_store(other_store)
    records = first.get(one), second.get(other)
    for record in records:
        if record.damage is not None:
            from rnnlab.errors import StoreError

            raise StoreError(f"run {record.run_id} is damaged: {record.damage}")
    differences = run_differences(*records)
    if json_:
        if sources:
            differences["source_lines"] = source_lines(*records)
        put(json.dumps(differences, indent=2, default=lambda missing: None))
    else:
        stores = ("", "") if second is first else (f" in {first.address}", f" in {second.address}")
        _put_page(*records, stores, differences, sources)


def run_differences(one: "RunRecord", other: "RunRecord") -> dict[str, Any]:
    """What differs, by part: `{key: [value, other value]}`, `MISSING` where one has none; of sources the paths."""
    from rnnlab.store.listing import flat_items

    about = [{"experiment": each.experiment, "status": each.status} for each in (one, other)]
    mine, others = one.sources, other.sources
    return {
        "runs": [one.run_id, other.run_id],
        "about": _pairs(*about),
        "config": _pairs(*(dict(flat_items(each.config)) for each in (one, other))),
        "result": _pairs(one.result or {}, other.result or {}),
        "packages": _pairs(one.packages, other.packages),
        "resources": _pairs(one.resources, other.resources),
        "commits": _pairs(*({"commit": _commits(each)} for each in (one, other))),
        "sources": {
            "only_first": sorted(mine.keys() - others.keys()),
            "only_second": sorted(others.keys() - mine.keys()),
            "changed": sorted(path for path in mine.keys() & others.keys() if mine[path] != others[path]),
        },
    }


def source_lines(one: "RunRecord", other: "RunRecord") -> list[str]:
    """The unified diff of the sources; of a file that a store does not hold it is only said that it differs."""
    from difflib import unified_diff

    lines: list[str] = []
    for path in sorted(one.sources.keys() | other.sources.keys()):
        if one.sources.get(path) == other.sources.get(path):
            continue
        texts = []
        for record in (one, other):
            content = record.source(path) if path in record.sources else b""
            texts.append(None if content is None else content.decode("utf-8", "replace").splitlines())
        if texts[0] is None or texts[1] is None:
            lines.append(f"{path} differs; its text is not stored")
            continue
        names = [path if path in record.sources else "/dev/null" for record in (one, other)]
        lines += unified_diff(texts[0], texts[1], names[0], names[1], lineterm="")
    return lines


def _pairs(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, list]:
    from rnnlab.store.listing import MISSING
    from rnnlab.store.query import same_value

    keys = dict.fromkeys([*one, *other])
    return {
        key: [one.get(key, MISSING), other.get(key, MISSING)]
        for key in keys
        if not same_value(one.get(key, MISSING), other.get(key, MISSING))
    }


def _commits(record: "RunRecord") -> str | None:
    commits = [
        f"{repository.get('commit')}{', with uncommitted changes' if repository.get('dirty') else ''}"
        for repository in record.repositories
    ]
    return ", ".join(dict.fromkeys(commits)) or None


def _put_page(
    one: "RunRecord", other: "RunRecord", stores: tuple[str, str], differences: dict[str, Any], sources: bool
) -> None:
    from rnnlab.commands.output import heading, put, put_table, value_text

    ids = [f"run {one.run_id}", f"run {other.run_id}"]
    put("; ".join(f"{i} of {r.experiment}{s}, {r.status}" for i, r, s in zip(ids, (one, other), stores, strict=True)))
    for part in ("config", "result", "packages", "resources", "commits"):
        pairs = differences[part]
        if pairs:
            heading(_TITLES.get(part, part))
            rows = [[key, value_text(pair[0]), value_text(pair[1])] for key, pair in pairs.items()]
            put_table(["", *ids], rows, [False, False, False], indent="  ")
    changed = differences["sources"]
    if any(changed.values()):
        heading("sources")
        for words, paths in (
            ("changed", changed["changed"]),
            (f"only in {ids[0]}", changed["only_first"]),
            (f"only in {ids[1]}", changed["only_second"]),
        ):
            if paths:
                put(f"  {words}: {', '.join(paths)}")
    if sources and any(changed.values()):
        put()
        put("\n".join(source_lines(one, other)))
    parts = [differences[part] for part in ("about", "config", "result", "packages", "resources", "commits")]
    if not any([*parts, *changed.values()]):
        put("no differences")
