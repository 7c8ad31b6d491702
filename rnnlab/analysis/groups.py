"""Which config keys vary over a list of runs, and the groups of runs that agree in some of them."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnlab.analysis.reading import sources_of
from rnnlab.errors import RnnlabError
from rnnlab.store.record import RunRecord
from rnnlab.terminal import visible

# Runs that differ in these alone are repetitions of one another.
SEED_KEYS = ("seed", "data.seed")
# How often a run saves its state has no effect on what it learns.
IGNORED_SECTIONS = ("checkpoint.",)
EXPERIMENT = "experiment"


class AnalysisError(RnnlabError):
    """A question that the given runs cannot answer: no runs, an unknown key or metric, too little of either."""


class _Missing:
    def __repr__(self) -> str:
        return "-"


MISSING = _Missing()


@dataclass(frozen=True)
class Group:
    """Runs that agree in the config keys of `key` (dotted name -> value; `MISSING` where a config lacks the key)."""

    key: Mapping[str, Any]
    records: tuple[RunRecord, ...]

    @property
    def label(self) -> str:
        """`n_hidden=20, optimizer=adam`: the short names of the keys with their values."""
        return group_label(self.key)


def config_of(record: RunRecord) -> dict[str, Any]:
    """The record's flat config, with the name of its experiment under `experiment`."""
    return {EXPERIMENT: record.experiment, **record.flat_config}


def varying_keys(records: Sequence[RunRecord]) -> list[str]:
    """The keys (`experiment` among them) whose values differ between the records, but for seeds and checkpoints."""
    return [key for key in _differing(map(config_of, records)) if key not in SEED_KEYS and not is_ignored(key)]


def telling_keys(records: Sequence[RunRecord]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The varying keys without those that go with another one, and those: {key: the other one}.

    A key goes with another one that is kept if each value of that has one value of the key, and not only because
    nearly every run has a value of its own, as in a random search: some value must be shared by several combinations.
    Grouping by the keys that are kept gives the same groups, with names that can be read.
    """
    keys = varying_keys(records)
    configs = [config_of(record) for record in records]
    values = {key: [comparable(config.get(key, MISSING)) for config in configs] for key in keys}
    n_groups = len(set(zip(*values.values(), strict=True)))
    n_values = {key: len(set(values[key])) for key in keys}
    kept, goes_with = list(keys), {}
    for key in sorted(keys, key=lambda key: (n_values[key], -keys.index(key))):
        for other in kept:
            if other != key and len(set(zip(values[other], values[key], strict=True))) == n_values[other] < n_groups:
                kept.remove(key)
                goes_with[key] = other
                break
    while any(other in goes_with for other in goes_with.values()):
        goes_with = {key: goes_with.get(other, other) for key, other in goes_with.items()}
    return tuple(kept), {key: goes_with[key] for key in keys if key in goes_with}


def telling_notes(records: Sequence[RunRecord], by: str | Sequence[str] | None) -> list[str]:
    """A line for each key that other varying keys go with, where the keys to group by were not chosen by hand."""
    followers: dict[str, list[str]] = {}
    for key, other in (telling_keys(records)[1] if by is None else {}).items():
        followers.setdefault(other, []).append(key)
    return [
        f"with {key} also {', '.join(keys)} var{'y' if len(keys) > 1 else 'ies'}" for key, keys in followers.items()
    ]


def fixed_config(records: Sequence[RunRecord]) -> dict[str, Any]:
    """The keys with the value that all the records agree on."""
    configs = [config_of(record) for record in records]
    differing = set(_differing(configs))
    return {key: value for key, value in (configs[0] if configs else {}).items() if key not in differing}


def resolve_keys(records: Sequence[RunRecord], by: str | Sequence[str] | None) -> tuple[str, ...]:
    """The keys to group by: those given, or those of `telling_keys`. Raises AnalysisError for a key that no run has."""
    if by is None:
        return telling_keys(records)[0]
    keys = (by,) if isinstance(by, str) else tuple(dict.fromkeys(by))
    for key in keys:
        if key != EXPERIMENT and not any(key in record.flat_config for record in records):
            known = list(dict.fromkeys(key for record in records for key in config_of(record)))
            raise AnalysisError(f"unknown config key {key!r}: {nearest(key, known)}")
    return keys


def group_records(records: Sequence[RunRecord], by: str | Sequence[str] | None = None) -> list[Group]:
    """The records grouped by the keys `by` (default: all that vary), in the order of the keys' values."""
    keys = resolve_keys(records, by)
    grouped: dict[tuple, list[RunRecord]] = {}
    for record in records:
        config = config_of(record)
        grouped.setdefault(tuple(config.get(key, MISSING) for key in keys), []).append(record)
    ordered = sorted(grouped.items(), key=lambda item: tuple(map(sort_key, item[0])))
    return [Group(dict(zip(keys, values, strict=True)), tuple(members)) for values, members in ordered]


def group_label(key: Mapping[str, Any]) -> str:
    """Short names with values; the whole dotted name where two short names are the same."""
    short = short_names(list(key))
    return ", ".join(f"{visible(short[name])}={format_value(value)}" for name, value in key.items()) or "all runs"


def legend_labels(groups: Sequence[Group]) -> tuple[str, list[str]]:
    """A title and a label for each group: with one key its name and the values, with more the groups' own labels."""
    keys = list(groups[0].key) if groups else []
    if len(keys) != 1:
        return "", [group.label for group in groups]
    return visible(short_names(keys)[keys[0]]), [format_value(group.key[keys[0]]) for group in groups]


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Each dotted key with its last part, or with the whole key where the last part is not unique."""
    last = [key.rpartition(".")[2] for key in keys]
    return {key: name if last.count(name) == 1 else key for key, name in zip(keys, last, strict=True)}


def format_value(value: Any) -> str:
    """A config value as one writes it on the command line, short; what no font can draw is written out."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(format_value, value)) + "]"
    return visible(str(value))


def sort_key(value: Any) -> tuple[int, float, str]:
    """Orders values of mixed types: what is missing, None, numbers by size, all else by its text."""
    if value is MISSING:
        return (0, 0.0, "")
    if value is None:
        return (1, 0.0, "")
    if isinstance(value, int | float):
        return (2, float(value), "")
    return (3, 0.0, str(value))


def nearest(name: str, known: Iterable[str]) -> str:
    """What an error says after an unknown name: the closest known ones, or all of them when none is close."""
    known = list(known)
    close = difflib.get_close_matches(name, known, 3, cutoff=0.5)
    if not close:
        close = [other for other in known if name.rpartition(".")[2] in other][:3]
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known here: " + ", ".join(known) if known else "the runs have none"


def seed_of(record: RunRecord) -> tuple[Any, Any]:
    """(seed, data.seed): what two runs of different groups share when they are a pair."""
    seed, data_seed = (record.flat_config.get(key) for key in SEED_KEYS)
    return seed, data_seed


def data_seed_of(record: RunRecord) -> Any:
    """The seed that the run's data came from: data.seed, or seed where that is not set."""
    seed, data_seed = seed_of(record)
    return seed if data_seed is None else data_seed


def is_ignored(key: str) -> bool:
    """Whether a config key has no effect on what a run learns."""
    return key.startswith(IGNORED_SECTIONS)


def mixing_notes(groups: Sequence[Group]) -> list[str]:
    """A line for each way in which runs that are averaged or compared are not alike.

    Named are: groups with runs of more than one code version, package version or data (a `task` or `data` key, or the
    explicit `data.seed`); groups over which other config keys vary; and code versions that differ between groups.
    """
    mixed: dict[str, dict[str, list[Group]]] = {"code versions": {}, "package versions": {}, "data": {}, "other": {}}
    for group in groups:
        if versions := _code_versions(group.records):
            mixed["code versions"].setdefault(versions, []).append(group)
        for package in _differing(record.packages for record in group.records):
            mixed["package versions"].setdefault(package, []).append(group)
        for key in _differing(map(config_of, group.records)):
            if key != "seed" and not is_ignored(key):
                kind = "data" if key.startswith(("task.", "data.")) or key == EXPERIMENT else "other"
                mixed[kind].setdefault(key, []).append(group)
    notes = [f"{_which(g, groups)} runs of different code: {text}" for text, g in mixed["code versions"].items()]
    for package, members in mixed["package versions"].items():
        values = _values_in([record.packages for group in members for record in group.records], package)
        notes.append(f"{_which(members, groups)} runs with different versions of {values}")
    for kind, words in (("data", "runs on different data:"), ("other", "runs of different")):
        for key, members in mixed[kind].items():
            values = _values_in([config_of(record) for group in members for record in group.records], key)
            notes.append(f"{_which(members, groups)} {words} {values}")
    if len(groups) > 1 and not mixed["code versions"]:
        by_experiment: dict[str, list[RunRecord]] = {}
        for record in (record for group in groups for record in group.records):
            by_experiment.setdefault(record.experiment, []).append(record)
        for experiment, runs in by_experiment.items():
            if versions := _code_versions(runs):
                notes.append(f"the groups of {experiment} differ in their code too: {versions}")
    return notes


def _which(members: Sequence[Group], groups: Sequence[Group]) -> str:
    if len(members) == len(groups) > 1:
        return "every group averages"
    if len(members) > 2:
        return f"{len(members)} of {len(groups)} groups average"
    if not members[0].key:
        return "the mean is over"
    return " and ".join(group.label for group in members) + (" average" if len(members) > 1 else " averages")


def _differing(dicts: Iterable[Mapping[str, Any]]) -> list[str]:
    """The keys whose values are not the same in all of them, missing ones included."""
    dicts = list(dicts)
    first: dict[str, Any] = {}
    differing: set[str] = set()
    for entries in dicts:
        for key, value in entries.items():
            known = first.setdefault(key, value)
            # Nearly all values are the same ones: they cost no call.
            if known is value or (type(known) is type(value) and known == value):
                continue
            if comparable(known) != comparable(value):
                differing.add(key)
    partial = [entries for entries in dicts if len(entries) < len(first)]
    return [key for key in first if key in differing or any(key not in entries for entries in partial)]


def comparable(value: Any) -> Any:
    """A value that is equal to another one's only if a reader of configs would call the two the same."""
    # NaN is not equal to itself, and True equals 1.
    if isinstance(value, bool) or (isinstance(value, float) and value != value):
        return repr(value)
    return value


def _code_versions(records: Sequence[RunRecord]) -> str:
    """What differs between the records' code, or "" if nothing does. Sources decide; commits where there are none."""
    sources = [sources_of(record) for record in records]
    if all(sources):
        files = _differing({id(each): each for each in sources}.values())  # most runs share one dict of them
        return _enumerate(files, f"{len(files)} source file{'s' * (len(files) > 1)}: ") if files else ""
    commits = sorted({str(repository.get("commit"))[:10] for record in records for repository in record.repositories})
    return _enumerate(commits, f"{len(commits)} commits: ") if len(commits) > 1 else ""


def _values_in(dicts: Sequence[Mapping[str, Any]], key: str) -> str:
    values = sorted({comparable(entries.get(key, MISSING)) for entries in dicts}, key=sort_key)
    return f"{key} ({_enumerate([format_value(value) for value in values])})"


def _enumerate(names: Sequence[str], before: str = "") -> str:
    return before + ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
