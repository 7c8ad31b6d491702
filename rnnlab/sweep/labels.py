"""What tells the variants of a sweep apart, for people to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from rnnlab.sweep.variant import Variant
from rnnlab.variant_key import canonical_json


def varying_settings(variants: Sequence[Variant]) -> dict[str, dict[str, Any]]:
    """{variant key: {dotted config key: value}} with the config keys in which the variants differ.

    They come in the order of the config, but `experiment` first, where there are several, and `seed` last.
    """
    flat = {variant.key: _flat(variant) for variant in variants}
    names = sorted(dict.fromkeys(name for settings in flat.values() for name in settings), key="seed".__eq__)
    varying = [name for name in names if len({canonical_json(each.get(name)) for each in flat.values()}) > 1]
    return {key: {name: settings.get(name) for name in varying} for key, settings in flat.items()}


def in_words(settings: Mapping[str, Any]) -> str:
    """Settings as `model.n_hidden=20, seed=1`."""
    return ", ".join(f"{name}={value_in_words(value)}" for name, value in settings.items())


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
    """The last part of each dotted name, where that is enough to tell them apart."""
    last = [name.rpartition(".")[2] for name in names]
    return {name: short if last.count(short) == 1 else name for name, short in zip(names, last, strict=True)}


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
