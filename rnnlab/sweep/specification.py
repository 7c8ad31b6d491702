"""Sweep specifications: which configs of which experiments are to be run.

A specification is a YAML file, one mapping for one block or a list of them for several. A block is

    experiment: ../dot_product.py       # the script, relative to this file, or to the current directory
    with: [quick]                       # named configs, in order
    fixed: {training.max_epochs: 20}    # what all variants set
    grid:                               # every combination of these
      model.n_hidden: [10, 20, 50]
      model.activation: [tanh, sigmoid]
    zip:                                # coupled: the first values together, the second ones, ...
      training.optimizer: [sgd, adam]
      training.learning_rate: [0.1, 1e-3]
    random:                             # n points; each parameter has a random stream of its own
      n: 20
      seed: 0
      parameters:
        training.l2.W_hh: {loguniform: [1e-6, 1e-2]}
        training.input_noise_std: {uniform: [0, 0.1]}
        training.batch_size: {integers: [1, 50]}
        training.clip_norm: {choice: [null, 1.0]}
    seeds: 3                            # 0, 1, 2; or a list: [0, 7]

of which only `experiment` must be there. The grid, the rows of `zip`, the random points and the seeds are combined:
every grid point meets the same random points. Config keys are dotted or nested (`model: {n_hidden: [10, 20, 50]}`); a
key may be set in one place of a block only. Without `seeds` the experiment's own `seed` holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlab.sweep.located_yaml import Node, SpecificationError, did_you_mean, parse_yaml
from rnnlab.sweep.random_search import DISTRIBUTIONS, Distribution, RandomSearch, wrong_arguments

BLOCK_KEYS = ("experiment", "with", "fixed", "grid", "zip", "random", "seeds")
RANDOM_KEYS = ("n", "seed", "parameters")
MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class Block:
    """A part of a specification; config keys are dotted.

    places:     where each of the block's own keys is given
    key_places: where each config key is set; `seed` where `seeds` is given
    where:      the place of the block itself
    """

    script: Path
    named_configs: tuple[str, ...]
    fixed: dict[str, Any]
    grid: dict[str, list[Any]]
    zipped: dict[str, list[Any]]
    random: RandomSearch | None
    seeds: tuple[int, ...] | None
    places: dict[str, str]
    key_places: dict[str, str]
    where: str


Specification = tuple[Block, ...]


def read_specification(path: str | Path) -> Specification:
    """Read a YAML file. Raises SpecificationError, with the line, for all that is wrong in it."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SpecificationError(str(path), "this is no text in UTF-8") from None
    except OSError as error:
        raise SpecificationError(str(path), f"cannot be read: {error.strerror or error}") from None
    return parse_specification(text, str(path), (Path(path).parent, Path.cwd()))


def parse_specification(text: str, name: str, directories: Sequence[Path]) -> Specification:
    """Parse YAML text; errors call it `name`, and scripts are looked for in `directories`, in order."""
    root = parse_yaml(text, lambda line: f"{name}:{line}")
    nodes = root.value if isinstance(root.value, list) else [root]
    if root.value is None or not nodes:
        raise SpecificationError(name, 'empty: a specification has at least the key "experiment"')
    return tuple(block_from_node(node, directories) for node in nodes)


def block_from_node(node: Node, directories: Sequence[Path]) -> Block:
    """Check one block; its script is looked for in `directories`, in order. Raises SpecificationError."""
    entries = _mapping(node, "a block", BLOCK_KEYS)
    if "experiment" not in entries:
        raise SpecificationError(node.where, 'the key "experiment" is missing: the path of a script')
    fixed = _config_keys(entries, "fixed")
    grid = _config_keys(entries, "grid")
    zipped = _config_keys(entries, "zip")
    random = _mapping(entries["random"], '"random"', RANDOM_KEYS) if "random" in entries else {}
    parameters = _config_keys(random, "parameters", _is_no_distribution)
    seeds = _seeds(entries["seeds"]) if "seeds" in entries else None
    seed_keys = [] if seeds is None else [("seed", entries["seeds"])]
    return Block(
        script=_script(entries["experiment"], directories),
        named_configs=_named_configs(entries["with"]) if "with" in entries else (),
        fixed={key: _value(value, key) for key, value in fixed},
        grid={key: _values(values, key) for key, values in grid},
        zipped=_zipped(zipped),
        random=_random_search(entries["random"].where, random, parameters) if "random" in entries else None,
        seeds=seeds,
        places={key: entry.where for key, entry in entries.items()},
        key_places=_key_places([*fixed, *grid, *zipped, *parameters, *seed_keys]),
        where=node.where,
    )


def _mapping(node: Node, what: str, known: Sequence[str]) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        raise SpecificationError(node.where, f"{what} must be a mapping with some of the keys {', '.join(known)}")
    for key, entry in node.value.items():
        if key not in known:
            raise SpecificationError(entry.where, did_you_mean("key", key, known))
    return node.value


def _script(node: Node, directories: Sequence[Path]) -> Path:
    if not isinstance(node.value, str):
        raise SpecificationError(node.where, f'"experiment" is {node.plain()!r}: must be the path of a script')
    for directory in directories:
        script = directory / node.value
        if script.is_file():
            return script.resolve()
    looked = " or ".join(dict.fromkeys(str(directory.resolve()) for directory in directories))
    raise SpecificationError(node.where, f'there is no experiment script "{node.value}" in {looked}')


def _named_configs(node: Node) -> tuple[str, ...]:
    names = [] if node.value is None else node.value if isinstance(node.value, list) else [node]
    for name in names:
        if not isinstance(name.value, str):
            raise SpecificationError(name.where, f'"with" has {name.plain()!r}: must be names of named configs')
    return tuple(name.value for name in names)


def _is_section(node: Node) -> bool:
    return isinstance(node.value, dict)


def _is_no_distribution(node: Node) -> bool:
    return _is_section(node) and not any(key in DISTRIBUTIONS for key in node.value)


def _config_keys(
    entries: dict[str, Node], name: str, is_section: Callable[[Node], bool] = _is_section
) -> list[tuple[str, Node]]:
    """The config keys of a part of the block, dotted, with what they are given; a part left empty has none."""
    if name not in entries or entries[name].value is None:
        return []
    if not isinstance(entries[name].value, dict):
        raise SpecificationError(entries[name].where, f'"{name}" must be a mapping from config keys')
    return _flatten(entries[name], "", is_section)


def _flatten(node: Node, prefix: str, is_section: Callable[[Node], bool]) -> list[tuple[str, Node]]:
    flat = []
    for name, entry in node.value.items():
        key = prefix + name
        if not all(key.split(".")):
            raise SpecificationError(entry.where, f'"{key}" is no config key: names joined by dots, as model.n_hidden')
        if not is_section(entry):
            flat.append((key, entry))
        elif entry.value:
            flat.extend(_flatten(entry, f"{key}.", is_section))
        else:
            raise SpecificationError(entry.where, f"{key} is empty: give it a value or leave it out")
    return flat


def _value(node: Node, key: str) -> Any:
    """A config value: a scalar, or a list of values."""
    if isinstance(node.value, dict):
        raise SpecificationError(node.where, f"{key} has a mapping among its values; values of several keys go in zip")
    return [_value(item, key) for item in node.value] if isinstance(node.value, list) else node.value


def _values(node: Node, key: str) -> list[Any]:
    if not isinstance(node.value, list):
        raise SpecificationError(node.where, f"{key} = {node.value!r}: must be a list of values; one goes in fixed")
    if not node.value:
        raise SpecificationError(node.where, f"{key} has no values: must have at least one")
    return _value(node, key)


def _zipped(keys: list[tuple[str, Node]]) -> dict[str, list[Any]]:
    zipped = {key: _values(values, key) for key, values in keys}
    for key, values in keys:
        first, n = keys[0][0], len(zipped[keys[0][0]])
        if len(zipped[key]) != n:
            message = f"zip couples {first} with {n} values to {key} with {len(zipped[key])}: must be equally many"
            raise SpecificationError(values.where, message)
    return zipped


def _random_search(where: str, entries: dict[str, Node], parameters: list[tuple[str, Node]]) -> RandomSearch:
    if "n" not in entries:
        raise SpecificationError(where, 'the key "n" is missing in "random": the number of points')
    if not parameters:
        raise SpecificationError(where, '"random" has no parameters')
    return RandomSearch(
        n=_whole_number(entries["n"], '"n"', 1, None),
        seed=_whole_number(entries["seed"], '"seed"', 0, MAX_SEED) if "seed" in entries else 0,
        parameters={key: _distribution(node, key) for key, node in parameters},
    )


def _distribution(node: Node, key: str) -> Distribution:
    if not isinstance(node.value, dict):
        # A misspelt distribution looks like one more config key
        parameter, _, name = key.rpartition(".")
        if isinstance(node.value, list) and parameter:
            message = f"{parameter}: {did_you_mean('distribution', name, DISTRIBUTIONS)}"
        else:
            message = f"{key} = {node.plain()!r}: must be such as {{loguniform: [1e-4, 1e-1]}}"
        raise SpecificationError(node.where, message)
    if len(node.value) != 1:
        raise SpecificationError(node.where, f"{key} has {' and '.join(node.value)}: must have one distribution")
    ((kind, arguments),) = node.value.items()
    if wanted := wrong_arguments(kind, arguments.plain()):
        raise SpecificationError(arguments.where, f"{key}: {kind} {arguments.plain()!r}: must be {wanted}")
    return Distribution(kind, tuple(_value(arguments, key)))


def _seeds(node: Node) -> tuple[int, ...]:
    if isinstance(node.value, list) and node.value:
        return tuple(_whole_number(seed, "a seed", 0, MAX_SEED) for seed in node.value)
    if isinstance(node.value, list) or node.value is None:
        raise SpecificationError(node.where, '"seeds" is empty: must be a number of seeds or a list of them')
    return tuple(range(_whole_number(node, '"seeds"', 1, None)))


def _whole_number(node: Node, what: str, minimum: int, maximum: int | None) -> int:
    value = node.value
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < minimum or (maximum is not None and value > maximum):
        bound = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise SpecificationError(node.where, f"{what} is {node.plain()!r}: must be a whole number {bound}")
    return value


def _key_places(keys: list[tuple[str, Node]]) -> dict[str, str]:
    """Where each config key is set. Raises if one is set twice, or both as a value and as a section."""
    places: dict[str, str] = {}
    for key, node in keys:
        for other, place in places.items():
            if f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}."):
                also = "" if other == key else f" as {other}"
                raise SpecificationError(node.where, f"{key} is set twice in one block; first{also} at {place}")
        places[key] = node.where
    return places
