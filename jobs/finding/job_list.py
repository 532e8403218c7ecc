"""All jobs in the ledger and in the index of the results folder.

The ledger holds what waits, runs or ended lately; the index, every job that has a folder. Where the two
disagree, the folder is right: it is published before the ledger says so.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from jobs.errors import DamagedFolder, InvalidJob, RedisUnreachable
from jobs.finding.wanted import ANY, Wanted, best_first
from jobs.job import Job, job_from_folder, job_from_record, job_from_row
from jobs.ledger.job_record import ENDED, Record, State
from jobs.ledger.ledger import Ledger
from jobs.store.history import History
from jobs.store.history_row import Row
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results
from jobs.wording import reason_of

UNFINISHED: tuple[State, ...] = ("waiting", "queued", "running")
MOST_ASKED = 1_000
"""Jobs in Redis that are asked for their names, and all that have not ended."""


@dataclass(frozen=True)
class Listing:
    """Jobs, newest first, and what could not be listed.

    Attributes:
        unreadable: the ids of jobs whose record or folder cannot be read.
        without: why only jobs that have ended are here: Redis cannot be reached. None where it can.
    """

    jobs: list[Job]
    unreadable: list[str]
    without: RedisUnreachable | None = None


@dataclass(frozen=True)
class JobList:
    """All jobs; those that have ended are found in `results/` even without Redis.

    Attributes:
        redis_is_optional: whether nobody expects a Redis, so that without one there are only jobs that have
            ended.
    """

    ledger: Ledger
    results: Results
    redis_is_optional: Callable[[], bool] = field(default=lambda: False, compare=False)

    @cached_property
    def history(self) -> History:
        """The index of all jobs that have a folder."""
        return History(self.results)

    def folder(self, job_id: str) -> JobFolder | None:
        """The published folder of a job, None if there is none.

        Raises:
            DamagedFolder: the results folder cannot be read.
        """
        with in_results(self.results):
            return self.results.find(job_id)

    def from_record(self, record: Record) -> Job:
        """A job by its record, and by its folder where it has one.

        Raises:
            InvalidJob: its record holds what no job has.
            DamagedFolder: its folder cannot be read, and Redis does not know that it has ended.
        """
        with in_results(self.results):
            find = self.results.find if record.state in ENDED else self.results.here
            folder = find(record.id)
        if folder is not None:
            try:
                job = job_from_folder(folder)
                return replace(job, in_redis=True, retried=record.retried, declined=record.declined)
            except DamagedFolder:
                if record.state not in ENDED:
                    raise
        return job_from_record(record, self.results)

    def listing(self, wanted: Wanted = ANY, newest: int | None = None, sort: str | None = None) -> Listing:
        """The newest jobs, and all that have not ended.

        Args:
            wanted: only these jobs.
            newest: so many, and of those that have not ended all; None for all jobs.
            sort: a number of theirs: not the newest come first and are shown, but the best.

        Raises:
            InvalidInput: no job has such a number.
            DamagedFolder: the results folder cannot be read.
        """
        unreadable: set[str] = set()
        without = None
        read = newest if sort is None else None
        published, seen = self._published(wanted, read, unreadable)
        try:
            ids = [
                each for each in self._ids_in_ledger(wanted.state, read)
                if each not in seen and each >= wanted.first_id
            ]  # fmt: skip
            recorded = [job for job in self._recorded(ids, unreadable).values() if wanted.accepts(job)]
        except RedisUnreachable as error:
            recorded, without = [], None if self.redis_is_optional() else error
        found: list[Job | Row] = [*published, *recorded]
        found.sort(key=lambda each: each.id, reverse=True)
        ordered = found if sort is None else best_first(found, sort)
        kept = ordered if newest is None else ordered[:newest]
        kept = kept + [each for each in ordered[len(kept) :] if each.state in UNFINISHED]
        jobs = [job_from_row(each, self.results) if isinstance(each, Row) else each for each in kept]
        return Listing(jobs, sorted(unreadable - seen, reverse=True), without)

    def named(self, name: str) -> tuple[list[Job], RedisUnreachable | None]:
        """The jobs that have a name, newest first, and why only those with a folder are here.

        Of the jobs in Redis, the newest thousand and those that have not ended are asked; the others have a
        folder.

        Raises:
            DamagedFolder: the results folder cannot be read.
        """
        published, away = self._published_named(name), None
        recorded: dict[str, Job] = {}
        try:
            newest = self.ledger.newest_named(name)
            if newest is not None:
                ids = {newest, *self._ids_in_ledger(None, MOST_ASKED)} - published.keys()
                known = self.ledger.names(sorted(ids))
                recorded = self._recorded([each for each in known if known[each] == name], set())
        except RedisUnreachable as error:
            away = None if self.redis_is_optional() else error
        return [*_newest_first(recorded | published)], away

    def in_ledger(self, state: State) -> list[Job]:
        """The jobs that are in a state in Redis, newest first, without those that cannot be read.

        Raises:
            RedisUnreachable: Redis cannot be reached.
        """
        return [
            job for job in _newest_first(self._recorded(self.ledger.ids(state), set())) if job.state == state
        ]

    def newest(self, wanted: Callable[[Job], bool], after: str = "") -> Job | None:
        """The newest job that is wanted, None if there is none; no more jobs are read than needed.

        Args:
            wanted: whether a job is.
            after: only jobs submitted after the one with this id.

        Raises:
            RedisUnreachable: Redis cannot be reached.
            DamagedFolder: the results folder cannot be read.
        """
        best = self._newest_in_ledger(wanted, after)
        with in_results(self.results):
            for row in self.history.rows():
                if row.id <= (after if best is None else best.id):
                    break
                if not row.damaged and wanted(job := job_from_row(row, self.results)):
                    return job
        return best

    def _newest_in_ledger(self, wanted: Callable[[Job], bool], after: str) -> Job | None:
        most = 64
        while True:
            try:
                ids = [job_id for job_id in self.ledger.ids(newest=most) if job_id > after]
                recorded = self._recorded(ids, set())
            except RedisUnreachable:
                if not self.redis_is_optional():
                    raise
                return None
            found = next((job for job in _newest_first(recorded) if wanted(job)), None)
            if found is not None or len(ids) < most:
                return found
            most *= 8

    def _ids_in_ledger(self, state: State | None, newest: int | None) -> list[str]:
        if state is not None:
            return self.ledger.ids(state, None if state in UNFINISHED else newest)
        if newest is None:
            return self.ledger.ids()
        return [
            *{*self.ledger.ids(newest=newest), *(i for each in UNFINISHED for i in self.ledger.ids(each))}
        ]

    def _recorded(self, ids: list[str], unreadable: set[str]) -> dict[str, Job]:
        """The jobs that the ledger knows; one that runs there, but has a folder, is taken from its folder."""
        found = {}
        for record in self.ledger.records(ids) if ids else []:
            running = record.state == "running"  # a few; others that have a folder are found in the index
            try:
                job = self.from_record(record) if running else job_from_record(record, self.results)
                found[record.id] = job
            except (InvalidJob, DamagedFolder):
                unreadable.add(record.id)
        unreadable |= set(ids) - found.keys()
        return found

    def _published(
        self, wanted: Wanted, newest: int | None, unreadable: set[str]
    ) -> tuple[list[Row], set[str]]:
        """The newest jobs of the index that are wanted, and the ids of all that were looked at."""
        found: list[Row] = []
        seen: set[str] = set()
        if wanted.state in UNFINISHED or newest == 0:
            return found, seen
        with in_results(self.results):
            for row in self.history.rows(wanted.state):
                if row.id < wanted.first_id:
                    break
                if row.damaged:
                    unreadable.add(row.id)
                    continue
                seen.add(row.id)
                if wanted.accepts(row):
                    found.append(row)
                if len(found) == newest:
                    break
        return found, seen

    def _published_named(self, name: str) -> dict[str, Job]:
        with in_results(self.results):
            if self.history.named(name) is None:
                return {}
            rows = (row for row in self.history.rows() if row.name == name and not row.damaged)
            return {row.id: job_from_row(row, self.results) for row in rows}


def _newest_first(jobs: dict[str, Job]) -> Iterator[Job]:
    return (jobs[job_id] for job_id in sorted(jobs, reverse=True))


@contextmanager
def in_results(results: Results) -> Iterator[None]:
    """Say in a sentence that the results folder cannot be read.

    Raises:
        DamagedFolder: it cannot.
    """
    try:
        yield
    except OSError as error:
        why = reason_of(error)
        raise DamagedFolder(f"the results folder {results.root} cannot be read ({why})") from None
