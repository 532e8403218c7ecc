"""Finds what the labels of a file mean, if need be by looking at all of them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import shown
from worker.tasks.sentiment.bad_rows import BadRows
from worker.tasks.sentiment.bounded_file import Enough, problem_at
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.label_scale import (
    MOST_VALUES,
    USUAL,
    LabelReader,
    Scale,
    expected_label,
    hint_on,
    is_of_a_scale,
    listed_scale,
    plain_label,
    scale_of_prefixes,
    scale_of_ratings,
)
from worker.tasks.sentiment.records import Records, shown_value
from worker.tasks.sentiment.text_lines import PREFIX


@dataclass(frozen=True)
class FileLabels:
    """The labels of one file."""

    path: Path
    records: Records
    options: FileOptions

    @cached_property
    def scale(self) -> Scale:
        """What they mean.

        Raises:
            InvalidData: the file cannot be read; or they are ratings, and which are positive is in doubt.
        """
        if self.options.positive:
            return listed_scale(self.options)
        columns = self.records.columns
        if columns.label_name == PREFIX:
            return scale_of_prefixes(self._values(skip=self.options.skip)[0])
        if not columns.is_rated:
            return USUAL
        values, is_whole = self._values(skip=self.options.skip)
        scale = scale_of_ratings(values, whole=is_whole)
        if scale is None:
            raise InvalidData(
                f"{shown_path(self.path)}, column {columns.label_name[:40]!r}",
                expected="ratings from 1 to 5, both ends among them, or labels",
                given=", ".join(shown(value, 32) for value in sorted(values)[:12]),
                hint=hint_on(values),
            )
        return scale

    def read(self, labels: LabelReader, number: int, value: object, bad: BadRows) -> int | None:
        """Read the label of a review.

        Args:
            labels: reads the labels of the file.
            number: of the review, as the file counts.
            value: the label as the file has it.
            bad: gets a label that means nothing.

        Returns:
            1 for positive, 0 for negative; None where the review is left out.

        Raises:
            InvalidData: it means nothing, or is a number of another scale, in which 0 or 1 may mean another
                thing.
        """
        try:
            return labels.read(value)
        except ValueError as error:
            given = shown_value(value.strip() if isinstance(value, str) else value, 42)
            problem = problem_at(self.path, number, expected_label(self.scale), given, unit=self.records.unit)
            if is_of_a_scale(str(error)):
                problem.hint = self._hint()
                raise problem from None
            bad.add(problem, f"the label {given}")
            return None

    def _hint(self) -> str:
        try:
            return hint_on(self._values(skip=True)[0])
        except InvalidData:  # further on
            return hint_on(())

    def _values(self, *, skip: bool) -> tuple[set[str], bool]:
        """The different labels, as many as tell a scale, and whether all of the file was looked at."""
        written: set[object] = set()
        try:
            for _, text, value in self.records.records(lambda _: None, BadRows(skip=skip)):
                if isinstance(value, list | dict) or value in written or not text.strip():
                    continue
                written.add(value)
                if len(written) > MOST_VALUES:
                    break
        except Enough:
            return set(map(plain_label, written)), False
        return set(map(plain_label, written)), True
