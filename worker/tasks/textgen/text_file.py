"""Reads a text file as codes of characters.

It is read twice in blocks, first to find out which characters it has, then to encode them, so that
a text of 100 MB needs little more memory than its codes: a byte for each character as long as
there are at most 256 different ones.
"""

import codecs
import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted
from worker.tasks.textgen.vocabulary import CODE_POINTS, Codes, Vocabulary, code_points

FEWEST_CHARACTERS = 1_000
"""A shorter text leaves nothing worth measuring in its held-out part."""

MOST_CHARACTERS = 20_000
"""Distinct ones. Chinese novels have about 4,000; a file with more than this is not text."""

LARGEST_FILE = 2_000_000_000
"""Bytes. The position of a character must fit into 32 bits."""

_BLOCK = 1 << 20
_SAVE_AS_UTF_8 = "save the file as UTF-8"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Encoded(NamedTuple):
    """What a text file holds; `worker.tasks.textgen.text.Text` describes the fields."""

    sha256: str
    vocabulary: Vocabulary
    codes: Codes
    notes: tuple[str, ...]


def read_text_file(path: Path, after_block: Callable[[], None] = lambda: None) -> Encoded:
    """Read a text file.

    Args:
        path: of a file in UTF-8.
        after_block: called several times a second; may raise.

    Raises:
        InvalidData: it cannot be read, is not a text in UTF-8, or is too short, too long or too varied.
    """
    try:
        return _TextFile(path, after_block).read()
    except OSError as error:
        raise InvalidData(
            shown_path(path),
            expected="a readable file",
            given=f"one that cannot be read ({(error.strerror or str(error)).lower()})",
        ) from None


class _TextFile:
    """A file that is read from end to end, as often as needed."""

    def __init__(self, path: Path, after_block: Callable[[], None]) -> None:
        self.path = path
        self.after_block = after_block
        self.line_ends: set[str] = set()

    def read(self) -> Encoded:
        """Read it twice: for its characters, then for their codes."""
        size = self.path.stat().st_size
        if size > LARGEST_FILE:
            raise self._error(f"at most {counted(LARGEST_FILE, 'byte')}", counted(size, "byte"))
        digest, again = hashlib.sha256(), hashlib.sha256()
        present = np.zeros(CODE_POINTS, bool)
        count = 0
        for block in self._blocks(digest.update):
            present[code_points(block)] = True
            count += len(block)
        distinct = np.flatnonzero(present)
        self._check(count, distinct)
        vocabulary = Vocabulary("".join(map(chr, distinct)))
        code_of = np.zeros(CODE_POINTS, vocabulary.code_type)
        code_of[distinct] = np.arange(len(distinct))
        codes = np.empty(count, vocabulary.code_type)
        filled = 0
        for block in self._blocks(again.update):
            codes[filled : filled + len(block)] = code_of[code_points(block)[: count - filled]]
            filled += len(block)
        if again.digest() != digest.digest():
            raise self._error("a file that does not change while it is read", "other bytes the second time")
        return Encoded(digest.hexdigest(), vocabulary, codes, self._notes())

    def _blocks(self, see: Callable[[bytes], None]) -> Iterator[str]:
        """The text block by block, each line ending in a plain newline; `see` receives the bytes.

        Raises:
            InvalidData: it is not a text in UTF-8.
        """
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=True)
        position = characters = 0
        with self.path.open("rb") as file:
            while True:
                block = file.read(_BLOCK)
                see(block)
                if position == 0 and block.startswith(_UTF_16):
                    raise self._error("UTF-8", "UTF-16 or UTF-32", hint=_SAVE_AS_UTF_8)
                position += len(block)
                text = self._decoded(decoder, block, position)
                if "\0" in text:
                    place = characters + text.index("\0") + 1
                    raise self._error("text", "a NUL", place=f", character {place:,}")
                characters += len(text)
                yield text
                self.after_block()
                if not block:
                    break
        ends = decoder.newlines or ()
        self.line_ends.update([ends] if isinstance(ends, str) else ends)

    def _decoded(self, decoder: io.IncrementalNewlineDecoder, block: bytes, end: int) -> str:
        """The text of a block that ends at byte `end`."""
        try:
            return decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # The decoder keeps the beginning of a character that a block cuts in two.
            place = end - len(error.object) + error.start + 1
            raise self._error(
                "UTF-8", f"{error.object[error.start]:#04x}", place=f", byte {place:,}", hint=_SAVE_AS_UTF_8
            ) from None

    def _check(self, count: int, distinct: NDArray[np.int64]) -> None:
        if count == 0:
            raise self._error("a text", "an empty file")
        if len(distinct) == 1:
            times = counted(count, "time")
            raise self._error("at least two different characters", f"{chr(distinct[0])!r}, {times}")
        if count < FEWEST_CHARACTERS:
            raise self._error(f"at least {counted(FEWEST_CHARACTERS, 'character')}", f"{count:,}")
        if len(distinct) > MOST_CHARACTERS:
            raise self._error(f"at most {MOST_CHARACTERS:,} different characters", f"{len(distinct):,}")

    def _notes(self) -> tuple[str, ...]:
        foreign = sorted(self.line_ends - {"\n"}, reverse=True)
        if not foreign:
            return ()
        return (f"{self.path.name}: line ends {' and '.join(map(repr, foreign))} were read as '\\n'.",)

    def _error(self, expected: str, given: str, *, place: str = "", hint: str | None = None) -> InvalidData:
        return InvalidData(f"{shown_path(self.path)}{place}", expected=expected, given=given, hint=hint)
