"""Reads a YAML file into a tree that knows where each value stands.

Made from the parser's events and not by a loader: a file of unknown origin is refused as soon as it is too
large or too deep, an alias costs nothing, a tag makes no object, and no key is lost to another of its name.
JSON is read too: it is part of YAML 1.2.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)
from ruamel.yaml.nodes import ScalarNode

MOST_BYTES = 256 * 1024
MOST_EVENTS = 10_000
"""Of the parser, about one for each key and each value: a fifth of a second's work."""

MOST_DEPTH = 16
MOST_NODES = 40_000
"""Keys and values of a file, those that an alias repeats counted each time."""

_TAGS = "tag:yaml.org,2002:"
_MERGE = "<<"


class InvalidYaml(ValueError):
    """A file is no YAML that is accepted; `line` and `column` are from 1."""

    def __init__(self, expected: str, given: str, line: int, column: int) -> None:
        super().__init__(expected)
        self.expected, self.given, self.line, self.column = expected, given, line, column


@dataclass
class Node:
    """A value, and where it begins: line and column, from 1.

    Attributes:
        value: a scalar, a list of nodes, or a dictionary: key -> the node of the key and that of its value.
        size: how many nodes it consists of.
        levels: how deep it is, an alias counted as what it stands for.
    """

    value: Any
    line: int
    column: int
    size: int = 1
    levels: int = 1
    merged: dict[str, "tuple[Node, Node]"] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: each.plain() for key, (_, each) in self.value.items()}
        return [each.plain() for each in self.value] if isinstance(self.value, list) else self.value

    def at(self, place: tuple[str | int, ...], *, key: bool = False) -> "Node":
        """The node at a place, or the nearest one above it that there is.

        Args:
            place: keys and indices.
            key: the node of the place's last key, not that of its value.
        """
        node = self
        for number, part in enumerate(place, start=1):
            if isinstance(node.value, dict) and part in node.value:
                pair = node.value[part]
                node = pair[0] if key and number == len(place) else pair[1]
            elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
            else:
                break
        return node


def read_yaml(content: bytes) -> list[Node]:
    """The documents of a file that are not empty.

    Args:
        content: of the file.

    Raises:
        InvalidYaml: it is too large, too deep, not UTF-8, no YAML, or has a key twice.
    """
    if len(content) > MOST_BYTES:
        given = f"{-(-len(content) // 1024):,} kB"
        raise InvalidYaml(f"at most {MOST_BYTES // 1024} kB", given, 1, 1)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidYaml("text in UTF-8", "other bytes", line, 1) from None
    try:
        documents = _Builder().documents(text)
    except InvalidYaml:
        raise
    except MarkedYAMLError as error:
        raise _syntax_error(error) from None
    except (
        YAMLError,
        ValueError,
        RecursionError,
        OverflowError,
    ) as error:  # the reader's errors have no mark
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        raise InvalidYaml("YAML", f"another text ({_first_line(str(error))})", line, 1) from None
    return [node for node in documents if node.value is not None]


def _syntax_error(error: MarkedYAMLError) -> InvalidYaml:
    mark = error.problem_mark or error.context_mark
    said = _first_line(str(error.problem or error.context or "it cannot be parsed"))
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return InvalidYaml("YAML", f"another text ({said})", line, column)


def _first_line(text: str) -> str:
    return (text.splitlines() or [""])[0][:100]


class _Builder:
    """Makes nodes from the parser's events."""

    def __init__(self) -> None:
        self._yaml = YAML(typ="safe", pure=True)
        self._yaml.version = "1.2"
        self._left = MOST_EVENTS
        self._anchors: dict[str, Node | None] = {}

    def documents(self, text: str) -> list[Node]:
        events, found = self._bounded(self._yaml.parse(text)), []
        for event in events:
            if isinstance(event, DocumentStartEvent):
                self._anchors = {}
                found.append(self._node(next(events), events, 1))
        return found

    def _bounded(self, events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            self._left -= 1
            if self._left < 0:
                raise _at(event, f"at most {MOST_EVENTS:,} keys and values", "more")
            yield event

    def _node(self, event: Any, events: Iterator[Event], depth: int) -> Node:
        if depth > MOST_DEPTH:
            raise _at(event, f"at most {MOST_DEPTH} levels", "more")
        if isinstance(event, AliasEvent):
            known = self._anchors.get(event.anchor)
            if known is None:
                given = f"the alias {event.anchor[:40]!r} of none"
                raise _at(event, "an alias of an anchor that ends before it in the same document", given)
            return known
        if event.anchor:
            self._anchors[event.anchor] = None  # until it ends: it may not hold itself
        node = (
            self._scalar(event) if isinstance(event, ScalarEvent) else self._collection(event, events, depth)
        )
        if node.size > MOST_NODES:
            raise _at(event, f"at most {MOST_NODES:,} values, with what aliases repeat", "more")
        if node.levels > MOST_DEPTH:
            raise _at(event, f"at most {MOST_DEPTH} levels, with what aliases repeat", "more")
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _collection(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        assert isinstance(event, CollectionStartEvent)
        _check_tag(event, ("map",) if isinstance(event, MappingStartEvent) else ("seq",))
        node = _placed(event, {} if isinstance(event, MappingStartEvent) else [])
        for inner in events:
            if not isinstance(inner, (ScalarEvent, AliasEvent, CollectionStartEvent)):
                break
            child = self._node(inner, events, depth + 1)
            if isinstance(node.value, list):
                node.value.append(child)
            else:
                value = self._node(next(events), events, depth + 1)
                _enter(node, child, value, inner)
                node.size += 1
                child = value
            node.size += child.size
            node.levels = max(node.levels, child.levels + 1)
        node.value = {**node.merged, **node.value} if node.merged else node.value
        return node

    def _scalar(self, event: ScalarEvent) -> Node:
        _check_tag(event, ("null", "bool", "int", "float", "str", "timestamp"))
        tag = str(event.tag or self._yaml.resolver.resolve(ScalarNode, event.value, event.implicit))
        return _placed(event, self._value(event, tag.removeprefix(_TAGS)))

    def _value(self, event: ScalarEvent, tag: str) -> Any:
        if tag not in ("null", "bool", "int", "float"):
            return _joined_surrogates(event)
        node = ScalarNode(f"{_TAGS}{tag}", event.value)
        try:
            value = getattr(self._yaml.constructor, f"construct_yaml_{tag}")(node)
        except (ValueError, KeyError, TypeError, IndexError):
            raise _at(event, f"a value of the type {tag}", repr(event.value[:40])) from None
        if isinstance(value, float) and not math.isfinite(value):
            raise _at(event, "a finite number", repr(event.value[:40]))
        return value


def _joined_surrogates(event: ScalarEvent) -> str:
    """A text in which JSON's `\\ud83d\\ude00` is the one character that it stands for."""
    text = str(event.value)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise _at(event, "text", "half of a surrogate pair") from None


def _check_tag(event: Any, known: tuple[str, ...]) -> None:
    tag = str(event.tag) if event.tag is not None else None
    if tag is not None and tag not in ("!", *(f"{_TAGS}{name}" for name in known)):
        raise _at(event, "no tag", repr(tag[:60]))


def _enter(node: Node, key: Node, value: Node, event: Event) -> None:
    """Add an entry to a mapping; what `<<` brings gives way to the mapping's own entries."""
    if key.value == _MERGE:
        for each in value.value if isinstance(value.value, list) else [value]:
            if not isinstance(each.value, dict):
                raise _at(event, "a mapping, or a list of mappings, after <<", "another value")
            node.merged = {**each.value, **node.merged}
        return
    if not isinstance(key.value, str):
        raise _at(event, "a key that is text", repr(key.plain())[:60])
    if key.value in node.value:
        raise _at(event, "each key once", f"{key.value[:60]!r} again")
    node.value[key.value] = (key, value)


def _placed(event: Event, value: Any) -> Node:
    return Node(value, event.start_mark.line + 1, event.start_mark.column + 1)


def _at(event: Event, expected: str, given: str) -> InvalidYaml:
    return InvalidYaml(expected, given, event.start_mark.line + 1, event.start_mark.column + 1)
