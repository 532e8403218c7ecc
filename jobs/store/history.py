"""The index of published jobs, a line for each, in `results/.history/<day>.jsonl`: lists open no folders.

The folders are the truth. A line is added when a folder is published; if a worker dies in between, `catch_up`
adds the line later. A job whose folder is gone is not shown whatever the index says, and a job whose line is
damaged is read from its folder. Where nobody keeps the index up to date (no worker runs, or the results are
read-only), readers compare it with the names of the folders first.
"""

import json
import logging
import math
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING

from jobs.errors import StoreUnreachable
from jobs.ids import is_job_id
from jobs.store.day_files import DayFiles, lines_of
from jobs.store.day_parts import last_parts, mark_of
from jobs.store.history_row import DAMAGED, Row
from jobs.store.job_folder import JobFolder
from jobs.store.labels import Label, Labels
from jobs.store.labels_script import write_labels_script
from jobs.store.set_aside import SetAside

if TYPE_CHECKING:
    from jobs.store.results import Results

log = logging.getLogger(__name__)

FOLDER = ".history"
CATCH_UP_SECONDS = 3600.0
"""How often one of the workers compares the index with the folders."""

_TRUSTED_SECONDS = 3 * CATCH_UP_SECONDS
_BATCH = 500


@dataclass(frozen=True)
class History:
    """All published jobs, newest first.

    Attributes:
        results: the folder of all jobs.
    """

    results: "Results"

    def add(self, folder: JobFolder) -> None:
        """Add a folder that has just been published; an error is logged, since `catch_up` adds it later."""
        try:
            self._files.append(_day_of(folder.id), [Row.of_folder(folder).line()])
        except OSError as error:
            log.warning("job %s is not in the index of jobs yet: %s", folder.id, error)

    def drop(self, *job_ids: str) -> None:
        """Remove jobs whose folders are gone; an error is logged, since `catch_up` removes them later."""
        labelled = False
        for day, of_day in _by_day(sorted(job_ids)).items():
            try:
                self._files.drop(day, of_day)
                labelled = Labels(self.results.root).drop(day, of_day) or labelled
            except OSError as error:
                some = ", ".join(of_day[:3]) + (", …" if len(of_day) > 3 else "")
                log.warning("still in the index of jobs: %s: %s", some, error)
        if labelled:
            write_labels_script(self.results.root)

    def rows(self, state: str | None = None) -> Iterator[Row]:
        """All jobs, newest first; the index is read as far as the caller goes on.

        Args:
            state: only jobs in this state.

        Raises:
            OSError: the results folder cannot be read.
        """
        needle = None if state is None else f'"state":"{state}"'.encode()
        for day, lines in self._days():
            labels = Labels(self.results.root).of_day(day)
            for job_id in sorted(lines, reverse=True):
                line = lines[job_id]
                if needle is not None and line and needle not in line:
                    continue
                row = self._row(job_id, line, labels)
                if row is not None and row.id[:8] == day and state in (None, row.state):
                    yield row

    def newest(self, most: int, state: str | None = None) -> list[Row]:
        """The newest jobs.

        Args:
            most: at most so many.
            state: only jobs in this state.

        Raises:
            OSError: the results folder cannot be read.
        """
        return list(islice(self.rows(state), most))

    def bring_up_to_date(self) -> bool:
        """Catch up where no worker does; return whether the index now says which jobs there are.

        Raises:
            OSError: the results folder cannot be read.
        """
        return not self._beside()

    def recent(self, most: int) -> list[Row]:
        """The jobs that were published last, newest first, from the ends of the index's files alone.

        Args:
            most: at most so many.

        Raises:
            OSError: a file of the index cannot be read.
        """
        found: dict[str, Row] = {}
        for day in self._files.days():
            with self._files.opened(day) as file:
                for part in last_parts(file, mark_of(file)):
                    found = {row.id: row for row in self.rows_of(day, part.content)} | found
                    if len(found) >= most:
                        return _newest_first(found.values())[:most]
        return _newest_first(found.values())

    def rows_of(self, day: str, content: bytes) -> list[Row]:
        """The jobs of part of a day's file, without those whose folders are gone.

        Args:
            day: whose file it is.
            content: whole lines of it.
        """
        labels = Labels(self.results.root).of_day(day)
        found = (self._row(job_id, line, labels) for job_id, line in lines_of(content, day).items())
        return [row for row in found if row is not None]

    def ids(self) -> list[str]:
        """The ids of all jobs, newest first, without a look at their folders.

        Raises:
            OSError: the results folder cannot be read.
        """
        return [job_id for _, lines in self._days() for job_id in sorted(lines, reverse=True)]

    def count(self) -> int:
        """How many jobs there are. Unchanged files of the index are read once in each process.

        Raises:
            OSError: the results folder cannot be read.
        """
        if self._beside():
            return len(self.ids())
        try:
            return sum(self._files.count(day) for day in self._files.days())
        except OSError:
            return len(self.ids())

    def find(self, job_id: str) -> Row | None:
        """One job, None if it has no folder; a folder that the index lacks is read."""
        if not is_job_id(job_id):
            return None
        self.sync()
        return self._row(job_id, self._lines(_day_of(job_id)).get(job_id, b""))

    def named(self, name: str) -> str | None:
        """The id of the newest job that has a name, None if there is none.

        Raises:
            OSError: the results folder cannot be read.
        """
        needle = b'"name":' + json.dumps(name).encode()
        for _, lines in self._days():
            for job_id in sorted(lines, reverse=True):
                line = lines[job_id]
                if line and needle not in line:
                    continue
                row = self._row(job_id, line)
                if row is not None and row.name == name:
                    return job_id
        return None

    def matching(self, prefix: str, most: int) -> list[str]:
        """Ids that begin with `prefix`, newest first, at most `most`.

        Raises:
            OSError: the results folder cannot be read.
        """
        found = (
            job_id
            for _, lines in self._days(prefix[:8])
            for job_id in sorted(lines, reverse=True)
            if job_id.startswith(prefix) and self._has_folder(job_id)
        )
        return list(islice(found, most))

    def catch_up(self, older_than_seconds: float = 0.0, seconds: float = math.inf) -> int:
        """Bring the index up to date with the folders: add those it lacks, remove those that are gone.

        Args:
            older_than_seconds: do nothing if the index was complete less than so long ago.
            seconds: stop after so long; the next call goes on.

        Returns:
            How many lines were added.

        Raises:
            OSError: the results volume is full, read-only or gone.
        """
        if self._files.age() < older_than_seconds or not self.results.root.is_dir():
            return 0
        added, deadline = 0, time.monotonic() + seconds
        folders = _by_day(self.results.ids())
        for day in sorted({*folders, *self._files.days()}, reverse=True):
            lines = self._lines_or_none(day)
            there = folders.get(day, [])
            lacking = [job_id for job_id in there if _is_lacking(lines.get(job_id, b""))]
            for start in range(0, len(lacking), _BATCH):
                added += self._add(day, lacking[start : start + _BATCH], lines)
                if time.monotonic() > deadline:
                    return added
            gone = self._gone(lines.keys() - set(there))
            if gone:
                self._files.drop(day, gone)
                Labels(self.results.root).drop(day, gone)
        self._files.mark_complete()
        return added

    def _add(self, day: str, ids: list[str], lines: dict[str, bytes]) -> int:
        """Read folders, and add their lines unless the index has the same; return how many were added."""
        rows = [Row.of_folder(JobFolder(self.results.root / each)) for each in ids if self._has_folder(each)]
        new = [line for row in rows if (line := row.line()) != lines.get(row.id)]
        if new:
            self._files.append(day, new)
        return len(new)

    def _gone(self, ids: set[str]) -> set[str]:
        """Those of some jobs without a folder whose folders do not come back."""
        undecided = set(SetAside(self.results.root).whole()) if ids else set()
        # The look at the folders is the last: one that was set aside before it may be back.
        return {job_id for job_id in ids - undecided if not self._has_folder(job_id)}

    def sync(self) -> None:
        """Learn what other hosts published; what this host knows is listed if the store does not answer."""
        try:
            self.results.sync()
        except (StoreUnreachable, OSError) as error:
            log.warning("%s; jobs that other hosts published lately are not listed", error)

    @property
    def _files(self) -> DayFiles:
        return DayFiles(self.results.root / FOLDER)

    def _days(self, prefix: str = "") -> Iterator[tuple[str, dict[str, bytes]]]:
        """Each day, newest first, with the line of each of its jobs; empty where only the folder is known."""
        beside = _by_day(self._beside())
        for day in sorted({*self._files.days(), *beside}, reverse=True):
            if day.startswith(prefix):
                yield day, dict.fromkeys(beside.get(day, ()), b"") | self._lines(day)

    def _lines(self, day: str) -> dict[str, bytes]:
        try:
            return self._files.lines(day)
        except OSError as error:
            log.warning("the index of the jobs of %s cannot be read: %s", day, error)
            return {job_id: b"" for job_id in self.results.ids() if job_id.startswith(day)}

    def _lines_or_none(self, day: str) -> dict[str, bytes]:
        with suppress(OSError):
            return self._files.lines(day)
        return {}

    def _row(self, job_id: str, line: bytes, labels: Mapping[str, Label] | None = None) -> Row | None:
        if not self._has_folder(job_id):
            return None
        row = Row.of_line(line) if line else None
        if row is None or row.id != job_id:
            row = Row.of_folder(JobFolder(self.results.root / job_id))
        label = (Labels(self.results.root).of_day(_day_of(job_id)) if labels is None else labels).get(job_id)
        # `dataclasses.replace` takes three times as long, and there may be many.
        return row if label is None else Row(**(vars(row) | vars(label)))

    def _has_folder(self, job_id: str) -> bool:
        """Whether a job has a folder of its own; a symbolic link does not count."""
        try:
            return is_job_id(job_id) and stat.S_ISDIR((self.results.root / job_id).lstat().st_mode)
        except OSError:
            return False

    def _beside(self) -> list[str]:
        """The ids of all folders where no worker keeps the index up to date; empty where one does."""
        self.sync()
        if self._files.age() < _TRUSTED_SECONDS:
            return []
        try:
            # Another user's file would keep the workers from adding to it.
            if self.results.root.stat().st_uid == os.geteuid():
                self.catch_up()
                return []
        except OSError as error:
            log.debug("the index of jobs is not brought up to date: %s", error)
        return self.results.ids()


def _day_of(job_id: str) -> str:
    return job_id[:8]


def _newest_first(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.id, reverse=True)


def _by_day(ids: Iterable[str]) -> dict[str, list[str]]:
    return {day: list(of_day) for day, of_day in groupby(ids, key=_day_of)}


def _is_lacking(line: bytes) -> bool:
    """Whether a folder must be read: it has no line, or could not be read before."""
    return not line or f'"state":"{DAMAGED}"'.encode() in line
