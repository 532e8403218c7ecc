"""The characters a model knows, and text as their codes."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import write_json

CODE_POINTS = 0x110000
"""In Unicode, assigned or not."""

Codes = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Vocabulary:
    """Distinct characters, sorted by their code points; a character's code is its index here."""

    characters: str

    def __len__(self) -> int:
        return len(self.characters)

    @cached_property
    def code_points(self) -> NDArray[np.uint32]:
        """The code point of each character, (characters,)."""
        return code_points(self.characters)

    @property
    def code_type(self) -> np.dtype[Any]:
        """The smallest dtype that holds every code."""
        return np.min_scalar_type(max(0, len(self) - 1))

    def encode(self, text: str) -> tuple[NDArray[np.int32], str]:
        """Turn a text into codes.

        Returns:
            The codes of its known characters, (characters,), and the unknown ones, each once, in the order in
            which they occur.
        """
        table = np.full(CODE_POINTS, -1, np.int32)
        table[self.code_points] = np.arange(len(self))
        codes = table[code_points(text)]
        unknown = dict.fromkeys(character for character, code in zip(text, codes, strict=True) if code < 0)
        return codes[codes >= 0], "".join(unknown)

    def decode(self, codes: Codes) -> str:
        """Return the text that codes (characters,) stand for."""
        return self.code_points[codes].tobytes().decode("utf-32-le")

    def codes_in(self, other: "Vocabulary") -> NDArray[np.int32]:
        """Return the code of each character in another vocabulary, or -1."""
        codes = np.searchsorted(other.code_points, self.code_points)
        codes = np.minimum(codes, len(other) - 1)
        return np.where(other.code_points[codes] == self.code_points, codes, -1).astype(np.int32)

    def write(self, path: Path) -> None:
        """Write it as JSON: a sorted list of characters."""
        write_json(path, {"characters": list(self.characters)})

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Read what `write` wrote.

        Raises:
            InvalidData: the file is missing, or is something else.
        """
        try:
            characters = json.loads(path.read_bytes())["characters"]
            vocabulary = cls("".join(characters))
            if len(vocabulary) != len(characters) or sorted(set(characters)) != characters:
                raise ValueError("not sorted or not single characters")
        except OSError as error:
            raise _no_vocabulary(path, (error.strerror or str(error)).lower()) from None
        except (ValueError, KeyError, TypeError):
            raise _no_vocabulary(path, "something else") from None
        return vocabulary


def _no_vocabulary(path: Path, given: str) -> InvalidData:
    return InvalidData(
        shown_path(path),
        expected="a sorted list of characters, as a training job writes it",
        given=given,
        hint="train the model again",
    )


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the code points of a text, (characters,); half a surrogate pair counts as a character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


def quoted(characters: str, most: int = 10) -> str:
    """Quote characters for a message: `'é', '\\t' and 3 more`.

    Args:
        characters: distinct ones.
        most: how many to show.
    """
    shown = ", ".join(repr(character) for character in characters[:most])
    return shown if len(characters) <= most else f"{shown} and {len(characters) - most} more"
