"""A sweep specification from the options of a command line, for quick sweeps without a file."""

from collections.abc import Callable, Sequence
from pathlib import Path

from rnnlab.sweep.located_yaml import Node, SpecificationError, did_you_mean, parse_yaml
from rnnlab.sweep.random_search import DISTRIBUTIONS
from rnnlab.sweep.specification import Specification, block_from_node


def specification_from_options(
    experiment: str | Path,
    with_: Sequence[str] = (),
    set_: Sequence[str] = (),
    grid: Sequence[str] = (),
    zip_: Sequence[str] = (),
    random: Sequence[str] = (),
    random_n: int | None = None,
    random_seed: int | None = None,
    seeds: str | int | None = None,
    directory: Path | None = None,
) -> Specification:
    """A specification of one block.

    experiment: path of the script, relative to `directory` (by default the current one)
    with_:      named configs, in order
    set_:       `KEY=VALUE`, what all variants set: `training.max_epochs=20`, `task.n_steps=[50,200]`
    grid:       `KEY=VALUE,VALUE,...`, all combinations: `model.n_hidden=10,20,50`
    zip_:       `KEY=VALUE,VALUE,...`, coupled with one another
    random:     `KEY=DISTRIBUTION:ARGUMENT,ARGUMENT,...`: `training.learning_rate=loguniform:1e-4,1e-1`
    random_n, random_seed: number and seed of the random points
    seeds:      a number of seeds, `3` for 0, 1 and 2; or several of them, `0,7` (a single one is `[7]`)

    Values are written as in a specification file: numbers, `true`/`True`, `null`/`None`, lists in brackets, anything
    else a string; a string with a comma, a bracket or a brace, or one that looks like a number, needs quotes:
    `'a,b'`.

    Raises SpecificationError, which names the option.
    """
    entries = {"experiment": Node(str(experiment), "experiment")}
    if with_:
        entries["with"] = Node([Node(name, "--with") for name in with_], "--with")
    if set_:
        entries["fixed"] = _section(set_, "--set", _one_value)
    if grid:
        entries["grid"] = _section(grid, "--grid", _list)
    if zip_:
        entries["zip"] = _section(zip_, "--zip", _list)
    if random or random_n is not None or random_seed is not None:
        entries["random"] = _random(random, random_n, random_seed)
    if seeds is not None:
        entries["seeds"] = _seeds(seeds)
    return (block_from_node(Node(entries, "the command line"), (directory or Path.cwd(),)),)


def _section(options: Sequence[str], flag: str, read: Callable[[str, str], Node]) -> Node:
    """The config keys that one option sets, each time it is given."""
    entries: dict[str, Node] = {}
    for option in options:
        key, equals, text = option.partition("=")
        key = key.strip()
        if not equals or not key:
            raise SpecificationError(f"{flag} {option}", "must be KEY=VALUE, as model.n_hidden=20")
        if key in entries:
            raise SpecificationError(f"{flag} {key}", "given twice")
        entries[key] = read(text, f"{flag} {key}")
    return Node(entries, flag)


def _list(text: str, where: str) -> Node:
    """Values separated by commas: the inside of a YAML list."""
    try:
        node = parse_yaml(f"[{text}]", lambda line: where)
    except SpecificationError as error:
        reason = str(error).removeprefix(f"{where}: ")
        raise SpecificationError(where, f"cannot read {text!r} as values: {reason}") from None
    return Node(node.value, where)


def _one_value(text: str, where: str) -> Node:
    values = _list(text, where).value
    if len(values) != 1:
        raise SpecificationError(where, f"{text!r} must be one value; a list is written in brackets, [{text}]")
    return Node(values[0].value, where)


def _distribution(text: str, where: str) -> Node:
    kind, colon, arguments = text.partition(":")
    if not colon:
        raise SpecificationError(where, f"{text!r} must be DISTRIBUTION:ARGUMENTS, as loguniform:1e-4,1e-1")
    if kind not in DISTRIBUTIONS:
        raise SpecificationError(where, did_you_mean("distribution", kind, DISTRIBUTIONS))
    return Node({kind: _list(arguments, where)}, where)


def _random(options: Sequence[str], n: int | None, seed: int | None) -> Node:
    if not options:
        raise SpecificationError("--random", "must name at least one parameter, as model.n_hidden=integers:5,50")
    if n is None:
        raise SpecificationError("--random", "the number of points is missing: --random-n")
    entries = {"n": Node(n, "--random-n"), "parameters": _section(options, "--random", _distribution)}
    if seed is not None:
        entries["seed"] = Node(seed, "--random-seed")
    return Node(entries, "--random")


def _seeds(seeds: str | int) -> Node:
    """A single number counts the seeds; several, or a list in brackets, are the seeds themselves."""
    values = _list(str(seeds), "--seeds")
    return Node(values.value[0].value if len(values.value) == 1 else values.value, "--seeds")
