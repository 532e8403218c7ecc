"""Keeps the page of each sweep up to date while it advances: results/sweeps/<name>/compare.html."""

import logging
import time
from dataclasses import dataclass

from jobs.ledger.sweep_record import SweepRecord
from jobs.store.results import Results
from jobs.sweeps.sweep_folder import FILE as SWEEP_FILE
from jobs.sweeps.sweep_folder import delete_sweep, sweep_folder
from worker.report.compare_page import FILE, write_sweep_page
from worker.report.costly_parts import CostlyParts

log = logging.getLogger(__name__)

PAGE_SECONDS = 10.0
"""Between two pages of a sweep that runs, at least; its last page is written at once."""

SETTLED_SECONDS = 60.0
"""Between two looks at a sweep that has ended, all of whose jobs have folders: one may be deleted."""

MOST_SHARE = 20
"""A page that takes long is written in one part of so many of the time, at most."""

COSTLY_SECONDS = 60.0
"""Between two drawings of what takes long."""


@dataclass
class _Written:
    """The page of a sweep as it was last written.

    Attributes:
        state: of the sweep then.
        content: what the page was made of.
        looked: when that was last compared, by the monotonic clock.
        took: how long it took to write, in seconds.
        settled: whether the sweep does not run, and each of its jobs has a folder.
        parts: what took long of it.
    """

    state: str
    content: tuple[int, int]
    looked: float
    took: float
    settled: bool
    parts: CostlyParts


class SweepPages:
    """Writes the pages of sweeps, each not more often than every PAGE_SECONDS."""

    def __init__(self, results: Results, seconds: float = PAGE_SECONDS) -> None:
        """Nothing is written yet.

        Args:
            results: the folder of all jobs, in which the pages are.
            seconds: between two pages of a sweep that runs, at least.
        """
        self._results, self._seconds = results, seconds
        self._written: dict[str, _Written] = {}

    def is_due(self, name: str, state: str) -> bool:
        """Whether it is time to look at a sweep: reading its record costs more than this.

        Args:
            name: of the sweep.
            state: of it now.
        """
        last = self._written.get(name)
        if last is None or last.state != state:
            return True
        least = max(self._seconds, SETTLED_SECONDS) if last.settled else self._seconds
        return time.monotonic() - last.looked >= max(least, MOST_SHARE * last.took)

    def write_if_due(self, record: SweepRecord) -> bool:
        """Write a sweep's page, if something has changed and it is time; call this in each round.

        Whatever goes wrong is logged, since a sweep needs no page to go on.

        Args:
            record: the sweep as it is now; it gets no page before it has a file, nor once it is deleted.

        Returns:
            Whether it was written.
        """
        try:
            return self._write_if_due(record)
        except Exception:
            log.exception("the page of the sweep %s could not be written", record.name)
            return False

    def _write_if_due(self, record: SweepRecord) -> bool:
        if not self.is_due(record.name, record.state):
            return False
        path = sweep_folder(self._results, record.name) / FILE
        last, now = self._written.get(record.name), time.monotonic()
        is_last = record.state != "running"
        ended = sum((self._results.root / entry.job).is_dir() for entry in record.entries)
        content, settled = (record.changes, ended), is_last and ended == len(record.entries)
        if last is None and is_last and path.is_file() and path.stat().st_mtime * 1000 >= (record.ended or 0):
            self._written[record.name] = _Written(record.state, content, now, 0.0, settled, CostlyParts())
            return False
        if last is not None and last.state == record.state and last.content == content:
            last.looked = now
            return False
        file = path.with_name(SWEEP_FILE)  # a sweep that is deleted has none
        if not file.is_file():
            return False
        parts = last.parts if last is not None else CostlyParts(COSTLY_SECONDS)
        written = self._written[record.name] = _Written(record.state, content, now, 0.0, settled, parts)
        write_sweep_page(self._results, record, path, parts=parts)
        if not file.is_file():  # whoever deleted the sweep meanwhile may not have seen the page
            delete_sweep(self._results, record.name)
            return False
        if is_last:  # what it was drawn from is not needed again
            written.parts = CostlyParts()
        written.looked = time.monotonic()
        written.took = written.looked - now
        return True

    def forget_all_but(self, names: set[str]) -> None:
        """Forget the sweeps that are no more."""
        self._written = {name: known for name, known in self._written.items() if name in names}
