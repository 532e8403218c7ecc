"""The characters a model knows, and text as their numbers."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidData
from jobs.files import write_json

CODE_POINTS = 0x110000
"""How many characters Unicode has room for."""

Codes = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Vocabulary:
    """Distinct characters, sorted by their code points; a character's code is its place here."""

    characters: str

    def __len__(self) -> int:
        return len(self.characters)

    @cached_property
    def code_points(self) -> NDArray[np.uint32]:
        """The code point of each character."""
        return code_points(self.characters)

    @property
    def code_type(self) -> np.dtype[Any]:
        """The smallest type that holds every code."""
        return np.min_scalar_type(max(0, len(self) - 1))

    def encode(self, text: str) -> tuple[NDArray[np.int32], str]:
        """The codes of a text's known characters, and the unknown ones, each once, as they come."""
        table = np.full(CODE_POINTS, -1, np.int32)
        table[self.code_points] = np.arange(len(self))
        codes = table[code_points(text)]
        unknown = dict.fromkeys(character for character, code in zip(text, codes, strict=True) if code < 0)
        return codes[codes >= 0], "".join(unknown)

    def decode(self, codes: Codes) -> str:
        """The text that these codes stand for."""
        return self.code_points[codes].tobytes().decode("utf-32-le")

    def places_in(self, other: "Vocabulary") -> NDArray[np.int32]:
        """For each character, its code in another vocabulary, or -1."""
        places = np.searchsorted(other.code_points, self.code_points)
        places = np.minimum(places, len(other) - 1)
        return np.where(other.code_points[places] == self.code_points, places, -1).astype(np.int32)

    def write(self, path: Path) -> None:
        """Write it as JSON: a list of characters."""
        write_json(path, {"characters": list(self.characters)})

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Read what `write` wrote.

        Raises:
            InvalidData: it is missing or something else.
        """
        try:
            characters = json.loads(path.read_bytes())["characters"]
            vocabulary = cls("".join(characters))
            if len(vocabulary) != len(characters) or sorted(set(characters)) != characters:
                raise ValueError("not sorted or not single characters")
        except (OSError, ValueError, KeyError, TypeError):
            raise InvalidData(f"{path} is no vocabulary of this model; train it again") from None
        return vocabulary


def code_points(text: str) -> NDArray[np.uint32]:
    """A text's characters as numbers; half a surrogate pair counts as a character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


def named(characters: str, most: int = 10) -> str:
    """Characters for a message: `'é', '\\t' and 3 more`."""
    shown = ", ".join(repr(character) for character in characters[:most])
    return shown if len(characters) <= most else f"{shown} and {len(characters) - most} more"
