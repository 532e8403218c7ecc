"""Text to train and test on: a dataset, or a person's own file, as codes of characters."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.parameters import Parameters
from jobs.settings import Settings
from worker.datasets.composed_text import composed
from worker.datasets.locate import locate
from worker.tasks.textgen import pydoc
from worker.tasks.textgen.text_file import read_text_file
from worker.tasks.textgen.vocabulary import Codes, Vocabulary

HELD_OUT_SHARE = 10
"""The last tenth is for evaluations alone."""

MOST_MEASURED = 1_000_000
"""Characters of the held-out part; their mean is accurate to about 0.002 nats."""

STRETCHES = 10
VALIDATION_SHARE = 18
MOST_VALIDATION = 500_000
"""The rest is cut into ten stretches, and the first eighteenth of each is for validation. Not one piece at
the end: in a text whose subject moves on, the held-out part is most like what lies right before it, and a
model that has not read that does worse (on Shakespeare an n-gram by 0.157 nats). Each piece lies beside text
to train on, which makes it easier than held-out text. No other placement of 30 that were tried, of 1 to 10
pieces, predicts held-out text on every kind of text (drama, documentation, source code, licences). So a
training job measures with an n-gram by how much its validation is easier."""

LONGEST_BEGINNING = 40
"""Characters; one that ends with a whole word, or a whole line."""

_BLOCK = 1 << 20


class Corpus(NamedTuple):
    """What a model is trained on.

    Attributes:
        sha256: of the whole text.
        vocabulary: all characters before the held-out part.
        training: codes to train on, (characters,).
        validation: codes to validate by, (characters,).
        held_out: codes of the first `MOST_MEASURED` characters that are held out, those aside that do not
            occur before: to say how hard they are, and nothing else.
        beginning: of the text, what is continued where no prompt is given.
    """

    sha256: str
    vocabulary: Vocabulary
    training: Codes
    validation: Codes
    held_out: Codes
    beginning: str


@dataclass(frozen=True)
class Text:
    """A text as codes.

    Attributes:
        name: the dataset's name, or the path as it was given.
        path: the file it was read from, None for a text that is made on the spot.
        sha256: of the file's bytes, or of the text in UTF-8 if it has no file.
        vocabulary: all its characters.
        codes: (characters,) in the smallest unsigned dtype that holds them.
        notes: what was changed in it, as sentences for the report.
    """

    name: str
    path: Path | None
    sha256: str
    vocabulary: Vocabulary
    codes: Codes
    notes: tuple[str, ...] = ()

    @property
    def held_out(self) -> int:
        """Where the part for evaluations begins; what lies before it is for training and validation."""
        return len(self.codes) - len(self.codes) // HELD_OUT_SHARE

    @property
    def record(self) -> dict[str, Any]:
        """What `job.json` says about it."""
        return {
            "name": self.name,
            "path": None if self.path is None else str(self.path),
            "sha256": self.sha256,
            "characters": len(self.codes),
            "different_characters": len(self.vocabulary),
        }

    def vocabulary_before(self, end: int) -> Vocabulary:
        """Return the characters that occur before position `end`."""
        return Vocabulary(self._present(self._counts(0, end)))

    def codes_in(
        self, vocabulary: Vocabulary, start: int = 0, end: int | None = None
    ) -> tuple[Codes, str, int]:
        """Encode a part of the text in another vocabulary, without the characters that it lacks.

        Args:
            vocabulary: what the codes are of.
            start: position of the part's first character.
            end: position after its last one; None for the end of the text.

        Returns:
            The codes, (characters,), the characters that were left out (each once), and how often they occur.
        """
        codes_of = self.vocabulary.codes_in(vocabulary)
        missing = self._counts(start, end) * (codes_of[:, 0] < 0)
        parts = [np.empty(0, vocabulary.code_type)]
        for block in self._blocks(start, end):
            codes = codes_of[block].ravel()
            parts.append(codes[codes >= 0].astype(vocabulary.code_type))
        return np.concatenate(parts), self._present(missing), int(missing.sum())

    def _counts(self, start: int, end: int | None) -> NDArray[np.int64]:
        """How often each character of the vocabulary occurs in a part."""
        counts = np.zeros(len(self.vocabulary), np.int64)
        for block in self._blocks(start, end):
            counts += np.bincount(block, minlength=len(counts))
        return counts

    def _present(self, counts: NDArray[np.int64]) -> str:
        return "".join(self.vocabulary.characters[code] for code in np.flatnonzero(counts))

    def _blocks(self, start: int, end: int | None) -> Iterator[Codes]:
        """A part in pieces, since to count or index by byte codes NumPy needs eight times their memory."""
        part = self.codes[start:end]
        return (part[at : at + _BLOCK] for at in range(0, len(part), _BLOCK))


def split(codes: Codes) -> tuple[Codes, Codes]:
    """Split what lies before the held-out part.

    Args:
        codes: (characters,).

    Returns:
        What to train on and what to validate by, (characters,) each.
    """
    length = len(codes) // STRETCHES
    stretches = codes[: STRETCHES * length].reshape(STRETCHES, length)
    validation = min(length // VALIDATION_SHARE, MOST_VALIDATION // STRETCHES)
    return stretches[:, validation:].ravel(), stretches[:, :validation].ravel()


def open_text(
    kind: type[Parameters], data: str, settings: Settings, after_block: Callable[[], None] = lambda: None
) -> Text:
    """Read a dataset or a file.

    Args:
        kind: says which datasets and forms of files may be read.
        data: a dataset's name, or a path.
        settings: its `data_dir` is the data folder; a dataset that is missing is downloaded there.
        after_block: called several times a second while a file is read; may raise.

    Raises:
        InvalidData: nothing has that name, it cannot be downloaded, or it is not a text of a usable
            size.
        MissingPart: the dataset is made from a part of Python that is not installed.
    """
    located = locate(kind, data, settings)
    if located.path is None:
        return _made(located.name, pydoc.prose())
    encoded = read_text_file(located.path, after_block, Path(located.name).name)
    return Text(located.name, located.path, *encoded)


def corpus_of(text: Text) -> Corpus:
    """Take the part of a text that a model is trained on.

    Raises:
        InvalidData: it does not have two different characters.
    """
    vocabulary = text.vocabulary_before(text.held_out)
    if len(vocabulary) < 2:
        raise InvalidData(
            shown_path(text.name),
            expected="at least two different characters in the first nine tenths",
            given=f"nothing but {vocabulary.characters!r}",
        )
    training, validation = split(text.codes_in(vocabulary, 0, text.held_out)[0])
    held_out, _, _ = text.codes_in(vocabulary, text.held_out, text.held_out + MOST_MEASURED)
    beginning = beginning_of(text.vocabulary.decode(text.codes[: text.held_out][:1_000]))
    return Corpus(text.sha256, vocabulary, training, validation, held_out, beginning)


def beginning_of(text: str) -> str:
    """Return the first line of a text that has a letter or a digit, or its first words.

    Args:
        text: some characters from the beginning.
    """
    lines = (line.rstrip() for line in text.split("\n") if any(map(str.isalnum, line)))
    line = next(lines, text)
    if len(line) <= LONGEST_BEGINNING:
        return line
    words = line[: LONGEST_BEGINNING + 1].rpartition(" ")[0].rstrip()
    return words or line[: LONGEST_BEGINNING // 2]


def _made(name: str, text: str) -> Text:
    text = composed(text)
    vocabulary = Vocabulary("".join(sorted(set(text))))
    codes = vocabulary.encode(text)[0].astype(vocabulary.code_type)
    return Text(name, None, hashlib.sha256(text.encode()).hexdigest(), vocabulary, codes)
