"""Text to train and test on: a dataset's, or a person's own file, as numbers of characters.

A file is read twice in blocks, first to learn which characters it has, then to number them, so that
a text of 100 MB needs little more memory than its numbers: a byte for each character as long as
there are at most 256 different ones.
"""

import codecs
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import DATASETS, check_data, shown_path
from jobs.errors import InvalidData
from jobs.settings import Settings
from worker.data import pydoc
from worker.data.characters import CODE_POINTS, Codes, Vocabulary, code_points
from worker.data.download import obtain

FEWEST_CHARACTERS = 1_000
"""A shorter text leaves nothing worth measuring in its held-out part."""

MOST_CHARACTERS = 20_000
"""Different ones. Chinese novels have about 4,000; a file with more than this is no text."""

LARGEST_FILE = 2_000_000_000
"""Bytes. The position of a character must fit into 32 bits."""

HELD_OUT_SHARE = 10
"""The last tenth is for `evaluate` alone."""

STRETCHES = 10
VALIDATION_SHARE = 18
MOST_VALIDATION = 500_000
"""The rest is cut into ten stretches, and the first eighteenth of each is for validation. Not one piece at
the end: in a text whose subject moves on, the held-out part is most like what lies right before it."""

_BLOCK = 1 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Text:
    """A text, its characters numbered.

    Attributes:
        name: the dataset's name, or the path as it was given.
        path: the file it was read from, None for a text that is made here.
        sha256: of the file's bytes, or of the text in UTF-8 if it has no file.
        vocabulary: every character there is in it.
        codes: (characters,) in the smallest unsigned type that holds them.
        notes: what was changed in it, sentences for the report.
    """

    name: str
    path: Path | None
    sha256: str
    vocabulary: Vocabulary
    codes: Codes
    notes: tuple[str, ...] = ()

    @property
    def held_out(self) -> int:
        """Where the part for `evaluate` begins; what lies before it is for training and validation."""
        return len(self.codes) - len(self.codes) // HELD_OUT_SHARE

    @property
    def record(self) -> dict[str, Any]:
        """What `job.json` says of it."""
        return {
            "name": self.name,
            "path": None if self.path is None else str(self.path),
            "sha256": self.sha256,
            "characters": len(self.codes),
            "different_characters": len(self.vocabulary),
        }

    def vocabulary_before(self, end: int) -> Vocabulary:
        """The characters there are before position `end`."""
        return Vocabulary(self._present(self._counts(0, end)))

    def split(self, vocabulary: Vocabulary) -> tuple[Codes, Codes]:
        """What is trained on and what validates it, as codes of another vocabulary that has all of theirs."""
        codes = self.codes_in(vocabulary, 0, self.held_out)[0]
        length = len(codes) // STRETCHES
        stretches = codes[: STRETCHES * length].reshape(STRETCHES, length)
        validation = min(length // VALIDATION_SHARE, MOST_VALIDATION // STRETCHES)
        return stretches[:, validation:].ravel(), stretches[:, :validation].ravel()

    def codes_in(
        self, vocabulary: Vocabulary, start: int = 0, end: int | None = None
    ) -> tuple[Codes, str, int]:
        """A part of the text in another vocabulary, without what that does not have.

        Returns:
            The codes, the characters that were left out (each once), and how many they were in all.
        """
        places = self.vocabulary.places_in(vocabulary)
        missing = self._counts(start, end) * (places < 0)
        parts = [np.empty(0, vocabulary.code_type)]
        for block in self._blocks(start, end):
            codes = places[block]
            parts.append(codes[codes >= 0].astype(vocabulary.code_type))
        return np.concatenate(parts), self._present(missing), int(missing.sum())

    def _counts(self, start: int, end: int | None) -> NDArray[np.int64]:
        """How often each character of the vocabulary occurs in a part."""
        counts = np.zeros(len(self.vocabulary), np.int64)
        for block in self._blocks(start, end):
            counts += np.bincount(block, minlength=len(counts))
        return counts

    def _present(self, counts: NDArray[np.int64]) -> str:
        return "".join(self.vocabulary.characters[place] for place in np.flatnonzero(counts))

    def _blocks(self, start: int, end: int | None) -> Iterator[Codes]:
        """A part in pieces, since numpy takes eight times a byte code's memory to count or look it up."""
        part = self.codes[start:end]
        return (part[at : at + _BLOCK] for at in range(0, len(part), _BLOCK))


def open_text(
    data: str, settings: Settings, action: str, after_block: Callable[[], None] = lambda: None
) -> Text:
    """Read a dataset or a file.

    Args:
        data: a dataset's name, or a path.
        settings: its `data_dir` is where datasets lie, and where one that is missing is downloaded to.
        action: what it is for, train or evaluate.
        after_block: called every small part of a second while a file is read; may raise.

    Raises:
        InvalidData: there is nothing of that name, or it is no text in UTF-8 that can be used.
    """
    data = check_data("textgen", action, data)
    if data in DATASETS and DATASETS[data].offline:
        return _made(data, pydoc.prose())
    path = obtain(data, settings) if data in DATASETS else Path(data)
    try:
        return _TextFile(path, after_block).read(data)
    except OSError as error:
        raise InvalidData(f"{shown_path(path)} cannot be read ({error.strerror})") from None


def _made(name: str, text: str) -> Text:
    vocabulary = Vocabulary("".join(sorted(set(text))))
    codes = vocabulary.encode(text)[0].astype(vocabulary.code_type)
    return Text(name, None, hashlib.sha256(text.encode()).hexdigest(), vocabulary, codes)


class _TextFile:
    """A file that is read from end to end, as often as needed."""

    def __init__(self, path: Path, after_block: Callable[[], None]) -> None:
        self.path = path
        self.after_block = after_block
        self.line_ends: set[str] = set()

    def read(self, name: str) -> Text:
        size = self.path.stat().st_size
        if size > LARGEST_FILE:
            raise self._problem(f"has {size / 1e9:.1f} GB", f"up to {LARGEST_FILE / 1e9:.0f} GB")
        digest = hashlib.sha256()
        present = np.zeros(CODE_POINTS, bool)
        count = 0
        for block in self._blocks(digest.update):
            present[code_points(block)] = True
            count += len(block)
        different = np.flatnonzero(present)
        self._check(count, different)
        vocabulary = Vocabulary("".join(map(chr, different)))
        places = np.zeros(CODE_POINTS, vocabulary.code_type)
        places[different] = np.arange(len(different))
        codes = np.empty(count, vocabulary.code_type)
        filled = 0
        again = hashlib.sha256()
        for block in self._blocks(again.update):
            codes[filled : filled + len(block)] = places[code_points(block)[: count - filled]]
            filled += len(block)
        if again.digest() != digest.digest():
            raise self._problem("changed while it was read", "a file that nobody writes to")
        return Text(name, self.path, digest.hexdigest(), vocabulary, codes, self._notes())

    def _blocks(self, see: Callable[[bytes], None]) -> Iterator[str]:
        """The text block by block, each line ending in a plain newline; `see` gets the bytes.

        Raises:
            InvalidData: it is no text in UTF-8.
        """
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=True)
        position = characters = 0
        with self.path.open("rb") as file:
            while True:
                block = file.read(_BLOCK)
                see(block)
                if position == 0 and block.startswith(_UTF_16):
                    raise self._problem("is UTF-16 or UTF-32")
                position += len(block)
                try:
                    text = decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    # The decoder keeps the beginning of a character that a block cuts in two.
                    byte = position - len(error.object) + error.start + 1
                    raise self._problem(f"is not UTF-8 at byte {byte:,}") from None
                if "\0" in text:
                    place = characters + text.index("\0") + 1
                    raise self._problem(f"is no text: character {place:,} is NUL")
                characters += len(text)
                yield text
                self.after_block()
                if not block:
                    break
        ends = decoder.newlines or ()
        self.line_ends.update([ends] if isinstance(ends, str) else ends)

    def _check(self, count: int, different: Any) -> None:
        if count == 0:
            raise self._problem("is empty")
        if len(different) == 1:
            raise self._problem(f"has nothing but the character {chr(different[0])!r}, {count:,} times")
        if count < FEWEST_CHARACTERS:
            raise self._problem(f"has {count:,} characters", f"{FEWEST_CHARACTERS:,} or more, in UTF-8")
        if len(different) > MOST_CHARACTERS:
            raise self._problem(
                f"has {len(different):,} different characters", f"a text with up to {MOST_CHARACTERS:,}"
            )

    def _notes(self) -> tuple[str, ...]:
        foreign = sorted(self.line_ends - {"\n"}, reverse=True)
        if not foreign:
            return ()
        return (f"{self.path.name}: its line ends {' and '.join(map(repr, foreign))} were read as '\\n'.",)

    def _problem(self, problem: str, allowed: str = "a text file in UTF-8") -> InvalidData:
        return InvalidData(f"{shown_path(self.path)} {problem}; allowed: {allowed}")
