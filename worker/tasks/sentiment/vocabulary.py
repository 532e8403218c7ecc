"""The words that a model knows, and their ids."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import write_text
from jobs.store.regular_files import read_regular
from jobs.wording import shown

TOKENISER = 2
"""The tokeniser's version, raised with any change of what `tokeniser.words_of` returns."""

_COMPATIBLE = (1, TOKENISER)
"""Versions whose vocabularies are read: the first one took entities, escapes and most tags for words, and
found all others in the same way."""

PADDING, UNKNOWN = 0, 1
RESERVED = 2
"""Ids that stand for no word; word `i` of a vocabulary has the id `RESERVED + i`."""

MOST_WORDS = 1_000_000
"""Of a vocabulary."""

_MOST_VOCABULARY_BYTES = 2**28


@dataclass(frozen=True)
class Vocabulary:
    """The words that a model knows, the most frequent first."""

    words: tuple[str, ...]

    @property
    def vocab_size(self) -> int:
        """How many different ids a token can have, the reserved ones included."""
        return len(self.words) + RESERVED

    @cached_property
    def digest(self) -> str:
        """A SHA-256 of the words and their order."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()

    def shown(self, token: int) -> str:
        """The word for an id, as a person reads it."""
        return self.words[token - RESERVED] if token >= RESERVED else "(unknown)"

    def write(self, path: Path) -> None:
        """Write it as JSON, with the version of the tokeniser that found its words."""
        write_text(path, json.dumps({"tokeniser": TOKENISER, "words": self.words}, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Read what `write` wrote.

        Raises:
            InvalidData: it is damaged, or was written by another version of the tokeniser.
        """
        try:
            stored = json.loads(read_regular(path, _MOST_VOCABULARY_BYTES))
            version, words = stored["tokeniser"], tuple(stored["words"])
            if len(words) > MOST_WORDS or not all(isinstance(word, str) for word in words):
                raise ValueError("its words are none")
            "".join(words).encode()  # half a character pair, which JSON can hold, is in no word
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise InvalidData(
                shown_path(path), expected="a vocabulary", given=f"a damaged file ({type(error).__name__})"
            ) from None
        if version not in _COMPATIBLE:
            raise InvalidData(
                shown_path(path),
                expected=f"a vocabulary of tokeniser {TOKENISER}",
                given=f"one of tokeniser {shown(version)}",
                hint="train the model again",
            )
        return cls(words)
