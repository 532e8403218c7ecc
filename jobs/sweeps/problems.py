"""Collects all that is wrong with a description, so that one reading shows every mistake."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.errors import InvalidInput, InvalidSweep, QuartetError
from jobs.wording import shown_of_file

if TYPE_CHECKING:  # YAML is loaded when a file is read
    from jobs.sweeps.yaml_tree import Node

Place = tuple[str | int, ...]
"""Where in a description: keys and indices, from its top."""


@dataclass(frozen=True)
class Problem:
    """One mistake.

    Attributes:
        place: where it is.
        expected: the valid values, to be read after `expected`.
        given: what was found, to be read after `got`.
        hint: how to fix it.
        of_key: whether the key is wrong, and not its value.
    """

    place: Place
    expected: str
    given: str
    hint: str | None = None
    of_key: bool = False

    def error(self, file: str = "", *, node: "Node | None" = None, name: str | None = None) -> InvalidSweep:
        """The mistake as an error, whose field begins with file, line and column where there are any.

        Args:
            file: what the file is called.
            node: of the description in the file.
            name: what the place is called; without it, its keys and indices.
        """
        where = "" if node is None else position(file, node, self.place, key=self.of_key)
        field = f"{where}{name or name_of(self.place)}"
        return InvalidSweep(field, expected=self.expected, given=self.given, hint=self.hint)


def position(file: str, node: "Node", place: Place, *, key: bool = False) -> str:
    """Where in a file something is, as messages begin: `sweeps.yaml:7:34: `."""
    found = node.at(place, key=key)
    return f"{file}:{found.line}:{found.column}: "


def name_of(place: Place) -> str:
    """A place as messages write it: `parameters.units.values[2]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:80]}" for part in place)
    return text.removeprefix(".") or "description"


class Problems(list[Problem]):
    """The mistakes found so far, and the notes: what is not wrong, but worth a sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def add(self, place: Place, expected: str, given: object, hint: str | None = None) -> None:
        """Note a wrong value, which is quoted."""
        given = list(given) if isinstance(given, tuple) else given
        self.append(Problem(place, expected, shown_of_file(given), hint))

    def lacking(self, place: Place, expected: str, hint: str | None = None) -> None:
        """Note a value that is missing."""
        self.append(Problem(place, expected, "none", hint))

    def unknown(self, place: Place, given: object, choices: Iterable[str]) -> None:
        """Note a value that is none of the choices; the hint is the nearest one."""
        self.raised(place, InvalidInput.unknown("", given, choices))

    def raised(self, place: Place, error: QuartetError) -> None:
        """Note what an error says that was raised."""
        if isinstance(error, InvalidInput):
            self.append(Problem(place, error.expected, error.given, error.hint))
        else:
            self.append(Problem(place, "what can be used", str(error), error.hint))


class Fields:
    """The entries of a mapping, each taken once; a value of another type is noted and left out."""

    def __init__(self, value: Mapping[str, Any], problems: Problems, place: Place = ()) -> None:
        """`place` is where the mapping is."""
        self.value, self.problems, self.place = value, problems, place
        self.taken: set[str] = set()

    def take(self, name: str) -> Any:
        """A value as it is, None where there is none."""
        self.taken.add(name)
        return self.value.get(name)

    def has(self, name: str) -> bool:
        """Whether there is a value; a key with nothing after it has none."""
        return self.value.get(name) is not None

    def at(self, *parts: str | int) -> Place:
        """The place of something within."""
        return (*self.place, *parts)

    def text(self, name: str, expected: str = "text") -> str | None:
        """A text that is not empty."""
        value = self.take(name)
        if value is None or (isinstance(value, str) and value):
            return value
        self.problems.add(self.at(name), expected, value)
        return None

    def integer(self, name: str, least: int, most: int, default: int | None = None) -> int | None:
        """An integer within limits."""
        value = self.take(name)
        if value is None:
            return default
        if is_integer(value) and least <= value <= most:
            return int(value)
        expected = f"an integer ≥ {least}" if most >= 10**9 else f"an integer from {least} to {most:,}"
        self.problems.add(self.at(name), expected, value)
        return default

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        """One of several texts."""
        value = self.take(name)
        if value is None or (isinstance(value, str) and value in choices):
            return value
        self.problems.unknown(self.at(name), value, choices)
        return None

    def flag(self, name: str) -> bool:
        """True or false, false where there is none."""
        value = self.take(name)
        if not isinstance(value, bool | None):
            self.problems.add(self.at(name), "true or false", value)
        return value is True

    def mapping(self, name: str, expected: str) -> "Fields | None":
        """A mapping, whose entries are to be taken in turn."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return Fields(value, self.problems, self.at(name))
        self.problems.add(self.at(name), expected, value)
        return None

    def rest(self) -> list[str]:
        """The names that nobody took."""
        return [name for name in self.value if name not in self.taken]

    def refuse_rest(self, choices: Iterable[str]) -> None:
        """Note each entry that nobody took as unknown."""
        for name in self.rest():
            error = InvalidInput.unknown("", name, choices)
            self.problems.append(Problem(self.at(name), error.expected, error.given, error.hint, of_key=True))


def is_integer(value: object) -> bool:
    """Whether a value is an integer, which a boolean is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether a value is a number, which a boolean is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)
