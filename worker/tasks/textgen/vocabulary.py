"""The characters a model knows, and text as their codes."""

import json
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import write_json
from jobs.store.regular_files import read_regular

CODE_POINTS = 0x110000
"""In Unicode, assigned or not."""

_MOST_BYTES = 2**22

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
        """Turn a composed text into codes.

        A character that is unknown counts as its letter and marks where those are all known: models of
        earlier versions learned them apart from texts that had them apart.

        Returns:
            The codes of its known characters, (characters,), and the unknown ones, each once, in the order in
            which they occur.
        """
        distinct = Vocabulary("".join(sorted(set(text))))
        codes_of = distinct.codes_in(self)
        unknown = {
            character
            for character, known in zip(distinct.characters, codes_of[:, 0] >= 0, strict=True)
            if not known
        }
        codes = codes_of[np.searchsorted(distinct.code_points, code_points(text))].ravel()
        in_order = dict.fromkeys(character for character in text if character in unknown)
        return codes[codes >= 0], "".join(in_order)

    def decode(self, codes: Codes) -> str:
        """Return the text that codes (characters,) stand for."""
        return self.code_points[codes].tobytes().decode("utf-32-le")

    def codes_in(self, other: "Vocabulary") -> NDArray[np.int32]:
        """Return what each character is in another vocabulary.

        Returns:
            (characters, most): its code there, or the codes of its letter and marks, filled up with -1;
            nothing but -1 where the other vocabulary does not know it.
        """
        index = {
            unicodedata.normalize("NFC", character): code for code, character in enumerate(other.characters)
        }
        index |= {character: code for code, character in enumerate(other.characters)}
        rows = [[index.get(character, -1)] for character in self.characters]
        for row, character in zip(rows, self.characters, strict=True):
            apart = unicodedata.normalize("NFD", character) if row == [-1] else ""
            if len(apart) > 1 and set(apart) <= index.keys():
                row[:] = [index[part] for part in apart]
        most = max(map(len, rows), default=1)
        filled = [row + [-1] * (most - len(row)) for row in rows]
        return np.array(filled, np.int32).reshape(-1, most)

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
            characters = json.loads(read_regular(path, _MOST_BYTES))["characters"]
            vocabulary = cls("".join(characters))
            if len(vocabulary) != len(characters) or sorted(set(characters)) != characters:
                raise ValueError("not sorted or not single characters")
        except OSError as error:
            raise _no_vocabulary(path, (error.strerror or str(error)).lower()) from None
        except (ValueError, LookupError, TypeError, RecursionError):
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
