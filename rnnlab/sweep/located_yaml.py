"""YAML read with the place of every value, so that an error can say where it is."""

import difflib
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from rnnlab.errors import RnnlabError

_INTEGER = re.compile(r"[-+]?\d+(_\d+)*", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\d+(_\d+)*\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_NOT_FINITE = re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE)
MAX_DIGITS = 1000  # Python's int() takes no more than 4,300

_NULLS = ("", "~", "null", "Null", "NULL", "None")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class SpecificationError(RnnlabError):
    """A sweep specification that cannot be run; `where` is the place, such as `sweep.yaml:7` or `--grid seed`."""

    def __init__(self, where: str, message: str):
        super().__init__(f"{where}: {message}")
        self.where = where


@dataclass(frozen=True)
class Node:
    """A value and its place.

    value: a string, number, bool or None; or a list of nodes; or a dict of nodes, each of which has its key's place
    where: such as `sweep.yaml:7`
    """

    value: Any
    where: str

    def plain(self) -> Any:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def parse_yaml(text: str, place: Callable[[int], str]) -> Node:
    """Parse a YAML document; `place(line)` names the place of the 1-based line `line`.

    Plain scalars are those of YAML 1.2 with Python's `None` and `10_000`: `1e-3` is a number, and `yes`, `on` and
    `2020-01-01` are strings (YAML 1.1 sees a string, two booleans and a date). Aliases work; tags and merge keys do
    not.

    Raises SpecificationError for broken YAML, a key given twice in a mapping, a tag, a number that is not finite, an
    alias to what it is part of, and a tuple in parentheses.
    """
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        return Node(None, place(1)) if root is None else _convert(root, place, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SpecificationError(place(mark.line + 1 if mark else 1), _in_words(error)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SpecificationError(place(line), f"the character {chr(error.character)!r} cannot be in YAML") from None
    except RecursionError:
        raise SpecificationError(place(1), "nested too deeply") from None


def did_you_mean(what: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that is none of the known ones."""
    known = list(known)
    nearest = difflib.get_close_matches(name, known, 1, cutoff=0.5)
    hint = f'did you mean "{nearest[0]}"?' if nearest else f"known are {', '.join(known)}"
    return f'unknown {what} "{name}"; {hint}'


def _in_words(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return "not YAML: " + ", ".join(parts).replace("\n", " ")


def _convert(node: yaml.Node, place: Callable[[int], str], ancestors: tuple[yaml.Node, ...]) -> Node:
    where = place(node.start_mark.line + 1)
    if any(node is ancestor for ancestor in ancestors):
        raise SpecificationError(where, "an alias to what it is itself a part of")
    if isinstance(node, yaml.MappingNode):
        _refuse_tag(node, "map", where)
        return Node(_convert_mapping(node, place, (*ancestors, node)), where)
    if isinstance(node, yaml.ScalarNode):
        _refuse_tag(node, "str", where)
        return Node(_scalar(node.value, where) if node.style is None else node.value, where)
    _refuse_tag(node, "seq", where)
    return Node([_convert(item, place, (*ancestors, node)) for item in node.value], where)


def _convert_mapping(
    mapping: yaml.MappingNode, place: Callable[[int], str], ancestors: tuple[yaml.Node, ...]
) -> dict[str, Node]:
    entries: dict[str, Node] = {}
    for key_node, value_node in mapping.value:
        where = place(key_node.start_mark.line + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            raise SpecificationError(where, "a key must be a word, not a list or a mapping")
        key = key_node.value
        if key in entries:
            raise SpecificationError(where, f'key "{key}" is given twice; first at {entries[key].where}')
        entries[key] = Node(_convert(value_node, place, ancestors).value, where)
    return entries


def _refuse_tag(node: yaml.Node, kind: str, where: str) -> None:
    if node.tag not in (f"tag:yaml.org,2002:{kind}", "!"):
        raise SpecificationError(where, f"the tag {node.tag} is not supported: write plain values")


def _scalar(text: str, where: str) -> str | int | float | bool | None:
    """The value of a scalar without quotes."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text) and len(text) < MAX_DIGITS:
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        raise SpecificationError(where, f"{text[:20]} is not a finite number")
    if text.startswith("("):
        raise SpecificationError(where, f"{text}: write a list as [1, 2]; a string in parentheses needs quotes")
    return text
