"""What tells the variants of a sweep apart, for people to read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnnlab.sweep.variant import Variant
from rnnlab.variant_key import canonical_json


def varying_settings(variants: Sequence[Variant]) -> dict[str, dict[str, Any]]:
    """{variant key: {dotted config key: value}} with the config keys in which the variants differ.

    They come in the order of the config, but `experiment` first, where there are several, and `seed` last.
    """
    flat = {variant.key: _flat(variant) for variant in variants}
    names = sorted(dict.fromkeys(name for settings in flat.values() for name in settings), key="seed".__eq__)
    varying = [name for name in names if _n_values(each.get(name) for each in flat.values()) > 1]
    return {key: {name: settings.get(name) for name in varying} for key, settings in flat.items()}


def own_settings(variants: Sequence[Variant]) -> dict[str, dict[str, Any]]:
    """{variant key: {name: value}}: what of what a variant itself sets tells it apart, in the words of who set it.

    Names are dotted config keys, and `experiment` and `with` (the named configs) where these differ. Among variants
    that set the same keys, a key counts if its values differ. Where this leaves two variants alike, all get their
    `varying_settings`.
    """
    several = {
        "experiment": len({variant.experiment for variant in variants}) > 1,
        "with": len({variant.named_configs for variant in variants}) > 1,
    }
    groups: dict[tuple, list[tuple[str, dict[str, Any]]]] = {}
    for variant in variants:
        own = _flattened(variant.updates, "")
        heading = {"experiment": variant.experiment, "with": " ".join(variant.named_configs)}
        heading = {name: value for name, value in heading.items() if several[name] and value}
        kind = (variant.experiment, variant.named_configs, frozenset(own))
        groups.setdefault(kind, []).append((variant.key, heading | own))
    settings: dict[str, dict[str, Any]] = {}
    for group in groups.values():
        names = [name for name in group[0][1] if name in several or _n_values(each[name] for _, each in group) > 1]
        settings |= {key: {name: own[name] for name in names} for key, own in group}
    if _n_values(settings.values()) < len(variants):
        return varying_settings(variants)
    return {variant.key: settings[variant.key] for variant in variants}


def _n_values(values: Iterable[Any]) -> int:
    return len({canonical_json(value) for value in values})


def in_words(settings: Mapping[str, Any]) -> str:
    """Settings as `model.n_hidden=20, seed=1`."""
    return ", ".join(f"{name}={value_in_words(value)}" for name, value in settings.items())


def briefly(settings: Mapping[str, Any]) -> str:
    """Settings as `n_hidden=20, seed=1`, with names as short as can be."""
    short = short_names(list(settings))
    return in_words({short[name]: value for name, value in settings.items()})


def value_in_words(value: Any) -> str:
    """A value as one would write it in a specification, on one line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return printable(text)


def printable(text: str) -> str:
    """A text without line breaks and characters that steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Each dotted name without its section, where that is enough to tell them apart."""
    inside = [name.partition(".")[2] or name for name in names]
    return {name: short if inside.count(short) == 1 else name for name, short in zip(names, inside, strict=True)}


def _flat(variant: Variant) -> dict[str, Any]:
    return {"experiment": variant.experiment, **_flattened(variant.config, "")}


def _flattened(section: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in section.items():
        if isinstance(value, Mapping):
            flat |= _flattened(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
