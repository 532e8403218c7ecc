"""Reads reviews from a person's own file, whatever its form, one after the other.

A CSV or TSV is read as `review_table.py` says, JSONL and JSON as `json_records.py`, a text file as
`text_lines.py`, Parquet as `parquet_records.py`.

A file is UTF-8, with or without a byte order mark, or UTF-16 or UTF-32 with one. Anything else
is read as Windows-1252, with a note, if all its bytes exist there.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import sha256_of
from jobs.wording import counted
from worker.tasks.sentiment.bad_rows import BadRows
from worker.tasks.sentiment.bounded_file import BoundedFile, Enough
from worker.tasks.sentiment.file_labels import FileLabels
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.json_records import JsonRecords
from worker.tasks.sentiment.label_scale import USUAL, LabelReader, Scale, expected_label
from worker.tasks.sentiment.parquet_records import ParquetRecords
from worker.tasks.sentiment.records import Records
from worker.tasks.sentiment.review_table import ReviewTable
from worker.tasks.sentiment.reviews import Note, Review, unreadable, without_surrogates
from worker.tasks.sentiment.text_encoding import checksum_and_encoding, encoding_of_beginning
from worker.tasks.sentiment.text_lines import TextLines

FORMS: dict[str, type[ReviewTable | JsonRecords | ParquetRecords | TextLines]] = {
    ".csv": ReviewTable,
    ".tsv": ReviewTable,
    ".jsonl": JsonRecords,
    ".json": JsonRecords,
    ".parquet": ParquetRecords,
    ".txt": TextLines,
}
"""What reads a file, by its suffix."""


@dataclass(frozen=True)
class ReviewFile:
    """A file whose encoding is known.

    Attributes:
        options: how the job reads it.
        labelled: whether every review needs a label; without, labels are ignored.
        sha256: of the whole file; empty where only its beginning was looked at.
        most: characters after which no further review is read, about; None for all.
    """

    path: Path
    encoding: str
    options: FileOptions
    labelled: bool
    sha256: str = ""
    most: int | None = None

    @classmethod
    def inspect(cls, path: Path, options: FileOptions, *, labelled: bool) -> "ReviewFile":
        """Find out a file's checksum and encoding, by reading it once from end to end.

        Args:
            path: of the file.
            options: how the job reads it.
            labelled: whether every review needs a label; without, labels are ignored.

        Raises:
            InvalidData: it cannot be read, is empty, or is not text in an encoding that is supported.
        """
        sha256, encoding = _parquet_checksum(path) if _is_parquet(path) else checksum_and_encoding(path)
        return cls(path, encoding, options, labelled, sha256=sha256)

    @classmethod
    def beginning(cls, path: Path, most: int, options: FileOptions, *, labelled: bool) -> "ReviewFile":
        """The beginning of a file, to check it in little time.

        Args:
            path: of the file.
            most: characters after which no further review is read, about.
            options: how the job reads it.
            labelled: whether every review needs a label; without, labels are ignored.

        Raises:
            InvalidData: it cannot be read, is empty, or is not text in an encoding that is supported.
        """
        encoding = "" if _is_parquet(path) else encoding_of_beginning(path, most)
        return cls(path, encoding, options, labelled, most=most)

    def read(self, note: Note) -> Generator[Review, None, bool]:
        """Yield the reviews in the file's order.

        Args:
            note: gets sentences on what was guessed, and on what was left out and why.

        Returns:
            Whether the file ends here.

        Raises:
            InvalidData: a row is invalid; the error has its number.
        """
        name = shown_path(self.path.name)
        if self.encoding == "cp1252":
            note(f"{name} is not UTF-8; read as Windows-1252.")
        read = empty = 0
        bad = BadRows(skip=self.options.skip)
        with self._errors():
            try:
                scale = self._labels.scale if self.labelled else USUAL
                labels = LabelReader(scale)
                if scale.note:
                    note(f"{name}: {scale.note}.")
                known = labels.known
                for number, text, value in self._records.records(note, bad):
                    if not text.strip():
                        empty += 1
                        continue
                    label = known.get(value) if isinstance(value, str) else None
                    if label is None and self.labelled:
                        label = self._labels.read(labels, number, value, bad)
                        if label is None:
                            continue
                    read += 1
                    yield Review(without_surrogates(text), label)
            except Enough:
                return False
            if not read:
                self._refuse_none(scale, labels, bad)
        if empty:
            note(f"{name}: skipped {counted(empty, 'review')} without text.")
        if labels.left_out:
            left_out = counted(labels.left_out, "review")
            note(f"{name}: left out {left_out} with other labels: {labels.shown_left_out()}.")
        if bad.count:
            total = counted(read + empty + labels.left_out + bad.count, "row")
            note(f"{name}: skipped {bad.count:,} of {total}, which cannot be read: {bad.shown()}.")
        return True

    def read_all(self, note: Note) -> tuple[list[Review], bool]:
        """The reviews as `read` yields them, and what it returns."""
        reviews: list[Review] = []
        reading = self.read(note)
        while True:
            try:
                reviews.append(next(reading))
            except StopIteration as end:
                return reviews, end.value

    def described(self) -> dict[str, str]:
        """How the file is read, for the record of a job; empty where columns and labels are as usual.

        Raises:
            InvalidData: the columns, or what the labels mean, cannot be found.
        """
        with self._errors():
            scale = self._labels.scale if self.labelled else USUAL
            found = dict(self._records.columns.unusual)
        if scale is not USUAL:
            found |= {"positive": scale.labels_of(1), "negative": scale.labels_of(0)}
        return found

    @cached_property
    def _records(self) -> Records:
        form = FORMS.get(self.path.suffix.lower(), ReviewTable)
        return form(BoundedFile(self.path, self.encoding, self.most), self.options, self.labelled)

    @cached_property
    def _labels(self) -> FileLabels:
        return FileLabels(self.path, self._records, self.options)

    def _refuse_none(self, scale: Scale, labels: LabelReader, bad: BadRows) -> None:
        """Refuse a file of which all was left out.

        Raises:
            InvalidData: it is one.
        """
        if bad.first is not None and bad.count > labels.left_out:
            raise bad.first
        if labels.left_out:
            raise InvalidData(
                shown_path(self.path), expected=expected_label(scale), given=labels.shown_left_out()
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what goes wrong with a file while it is read into one sentence."""
        try:
            yield
        except OSError as error:
            raise unreadable(self.path, error) from None
        except UnicodeError:
            raise InvalidData(
                shown_path(self.path),
                expected="a file that does not change while it is read",
                given="other bytes",
            ) from None


def _is_parquet(path: Path) -> bool:
    return FORMS.get(path.suffix.lower()) is ParquetRecords


def _parquet_checksum(path: Path) -> tuple[str, str]:
    try:
        return sha256_of(path), ""
    except OSError as error:
        raise unreadable(path, error) from None
