"""Reads a text file as codes of characters, in Unicode's composed form; of Project Gutenberg's, the book.

It is read twice in blocks, first to find out which characters it has, then to encode them, so that
a text of 100 MB needs little more memory than its codes: a byte for each character as long as
there are at most 256 different ones.
"""

import codecs
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.regular_files import open_regular
from jobs.wording import counted
from worker.datasets.composed_text import composed, place_to_cut
from worker.datasets.file_formats import LONGEST_BEGINNING, format_of
from worker.datasets.text_encoding import READABLE, candidates, encoding_notes
from worker.tasks.textgen.gutenberg import Frames, Parts
from worker.tasks.textgen.vocabulary import CODE_POINTS, Codes, Vocabulary, code_points

FEWEST_CHARACTERS = 1_000
"""A shorter text leaves nothing worth measuring in its held-out part."""

MOST_CHARACTERS = 20_000
"""Distinct ones. Chinese novels have about 4,000; a file with more than this is not text."""

LARGEST_FILE = 2_000_000_000
"""Bytes. The position of a character must fit into 32 bits."""

CHECKED_BYTES = 32 << 20
"""Of a file that is checked without being kept: read in a fraction of a second."""

_BLOCK = 1 << 20
_SAVE_AS_UTF_8 = "save the file as UTF-8"
_NUL, _A_NUL = "\0", "a NUL"


class _NotText(Exception):
    """A file cannot be read in an encoding."""

    def __init__(self, given: str, place: str) -> None:
        super().__init__(given)
        self.given, self.place = given, place


class Encoded(NamedTuple):
    """What a text file holds; `worker.tasks.textgen.text.Text` describes the fields."""

    sha256: str
    vocabulary: Vocabulary
    codes: Codes
    notes: tuple[str, ...]


def read_text_file(
    path: Path, after_block: Callable[[], None] = lambda: None, called: str | None = None
) -> Encoded:
    """Read a text file.

    Args:
        path: of a file in UTF-8, UTF-16 with a byte order mark or Windows-1252.
        after_block: called several times a second; may raise.
        called: its name in notes; without it, that of the path.

    Raises:
        InvalidData: it cannot be read, is not text, or is too short, too long or too varied.
    """
    with _named_errors(path):
        return _TextFile(path, after_block, called).read()


def read_beginning(path: Path) -> tuple[Encoded | None, tuple[str, ...]]:
    """Read a file of at most `CHECKED_BYTES`; of a longer one, refuse what these bytes show to be refused.

    Returns:
        What the file holds, None for a longer one; and the notes that are certain.

    Raises:
        InvalidData: as `read_text_file` does.
    """
    with _named_errors(path):
        return _TextFile(path).read_beginning(CHECKED_BYTES)


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidData(
            shown_path(path),
            expected="a readable file",
            given=f"one that cannot be read ({(error.strerror or str(error)).lower()})",
        ) from None


class _TextFile:
    """A file that is read from end to end, as often as needed."""

    def __init__(
        self, path: Path, after_block: Callable[[], None] = lambda: None, called: str | None = None
    ) -> None:
        self.path = path
        self.name = shown_path(called or path.name)
        self.after_block = after_block
        self.encoding = ""
        self.line_ends: set[str] = set()
        self.was_composed = True
        self.frames = Frames()
        self.characters = self.in_books = 0
        self.left_out = False

    def read_beginning(self, most: int) -> tuple[Encoded | None, tuple[str, ...]]:
        """Read it if it has at most so many bytes, else once and little more than these."""
        if self._checked_size() <= most:
            encoded = self.read()
            return encoded, encoded.notes
        self._surveyed(most // _BLOCK + 2)
        return None, tuple(encoding_notes(self.name, self.encoding))

    def read(self) -> Encoded:
        """Read it twice: for its characters, then for their codes."""
        self._checked_size()
        digest, survey = self._surveyed()
        again = hashlib.sha256()
        count, distinct = self._chosen(survey)
        self._check(count, distinct)
        vocabulary = Vocabulary("".join(map(chr, distinct)))
        code_of = np.zeros(CODE_POINTS, vocabulary.code_type)
        code_of[distinct] = np.arange(len(distinct))
        codes = np.empty(count, vocabulary.code_type)
        filled = 0
        with suppress(_NotText):  # then it has changed
            for block in self._chosen_blocks(again.update):
                codes[filled : filled + len(block)] = code_of[code_points(block)[: max(0, count - filled)]]
                filled += len(block)
        if again.digest() != digest.digest():
            raise self._error("a file that does not change while it is read", "other bytes the second time")
        return Encoded(digest.hexdigest(), vocabulary, codes, self._notes())

    def _chosen(self, survey: "_Survey") -> tuple[int, NDArray[np.int64]]:
        """How many characters are read, and the different ones: of books in frames, where that is enough."""
        everything = survey.characters(("ahead", "book", "frame"))
        books = survey.characters(("ahead", "book") if self.frames.ahead_is_book else ("book",))
        self.characters, self.in_books = everything[0], books[0]
        self.left_out = FEWEST_CHARACTERS <= self.in_books < self.characters and len(books[1]) > 1
        return books if self.left_out else everything

    def _chosen_blocks(self, see: Callable[[bytes], None]) -> Iterator[str]:
        """What is read of it, as `_blocks`."""
        if self.left_out:
            return map(self.frames.of_books, self.frames.parts(self._blocks(see)))
        return self._blocks(see)

    def _surveyed(self, blocks: int | None = None) -> tuple["hashlib._Hash", "_Survey"]:
        """Find its encoding, its SHA-256 and the characters of its parts.

        Args:
            blocks: at most so many are read; None for all.

        Raises:
            InvalidData: it is not text in an encoding that can be read.
        """
        with open_regular(self.path, LARGEST_FILE, follow=True) as file:
            beginning = file.read(LONGEST_BEGINNING)
        encodings = candidates(beginning)
        for encoding in encodings:
            self.encoding = encoding
            digest = hashlib.sha256()
            self.line_ends, self.was_composed, self.frames = set(), True, Frames()
            survey = _Survey()
            try:
                for parts in self.frames.parts(islice(self._blocks(digest.update), blocks)):
                    survey.add(parts)
                return digest, survey
            except _NotText as error:
                if encoding == encodings[-1] or error.given == _A_NUL:  # none of them has one
                    given = format_of(beginning)
                    place = "" if given else f", {error.place}"
                    raise self._error(
                        READABLE, given or error.given, place=place, hint=None if given else _SAVE_AS_UTF_8
                    ) from None
        raise AssertionError("there is always a last one")

    def _checked_size(self) -> int:
        size = self.path.stat().st_size
        if size > LARGEST_FILE:
            raise self._too_large(counted(size, "byte"))
        return size

    def _blocks(self, see: Callable[[bytes], None]) -> Iterator[str]:
        """The composed text block by block, each line ending in a plain newline; `see` receives the bytes.

        Raises:
            _NotText: it is not text in the encoding that it is read in.
            InvalidData: it is too large.
        """
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(self.encoding)(), translate=True)
        position = characters = 0
        tail = ""
        with open_regular(self.path, LARGEST_FILE, follow=True) as file:
            while True:
                block = file.read(_BLOCK)
                see(block)
                position += len(block)
                if position > LARGEST_FILE:  # it has grown since
                    raise self._too_large("more")
                text = self._decoded(decoder, block, position)
                if _NUL in text:
                    raise _NotText(_A_NUL, f"character {characters + text.index(_NUL) + 1:,}")
                characters += len(text)
                tail += text
                cut = place_to_cut(tail) if block else len(tail)
                yield self._composed(tail[:cut])
                tail = tail[cut:]
                self.after_block()
                if not block:
                    break
        ends = decoder.newlines or ()
        self.line_ends.update([ends] if isinstance(ends, str) else ends)

    def _composed(self, text: str) -> str:
        result = composed(text)
        self.was_composed &= result == text
        return result

    def _decoded(self, decoder: io.IncrementalNewlineDecoder, block: bytes, end: int) -> str:
        """The text of a block that ends at byte `end`."""
        try:
            return decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # The decoder keeps the beginning of a character that a block cuts in two.
            place = end - len(error.object) + error.start + 1
            raise _NotText(f"{error.object[error.start]:#04x}", f"byte {place:,}") from None

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

    def _too_large(self, given: str) -> InvalidData:
        return self._error(f"at most {counted(LARGEST_FILE, 'byte')}", given)

    def _notes(self) -> tuple[str, ...]:
        name = self.name
        notes = encoding_notes(name, self.encoding)
        if self.left_out:
            notes.append(
                f"{name}: Project Gutenberg's header and licence were left out, "
                f"{self.characters - self.in_books:,} of {counted(self.characters, 'character')}."
            )
        elif self.in_books < self.characters:
            notes.append(
                f"{name} was read with Project Gutenberg's header and licence, since without them "
                f"{counted(self.in_books, 'character')} {'is' if self.in_books == 1 else 'are'} left."
            )
        foreign = sorted(self.line_ends - {"\n"}, reverse=True)
        if foreign:
            notes.append(f"{name}: line ends {' and '.join(map(repr, foreign))} were read as '\\n'.")
        if not self.was_composed:
            notes.append(f"{name}: letters and their marks were read as one character (Unicode's form NFC).")
        return tuple(notes)

    def _error(self, expected: str, given: str, *, place: str = "", hint: str | None = None) -> InvalidData:
        return InvalidData(f"{shown_path(self.path)}{place}", expected=expected, given=given, hint=hint)


class _Survey:
    """How many characters the parts of each kind have, and which."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(Parts._fields, 0)
        self._present = {kind: np.zeros(CODE_POINTS, bool) for kind in Parts._fields}

    def add(self, parts: Parts) -> None:
        for kind, text in parts._asdict().items():
            self._present[kind][code_points(text)] = True
            self._counts[kind] += len(text)

    def characters(self, kinds: Sequence[str]) -> tuple[int, NDArray[np.int64]]:
        """How many characters these kinds have together, and the different code points, sorted."""
        present = np.logical_or.reduce([self._present[kind] for kind in kinds])
        return sum(self._counts[kind] for kind in kinds), np.flatnonzero(present)
