"""`JobReader`: what a client knows of jobs; nothing here changes one."""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jobs.datasets import shown_path
from jobs.errors import DamagedFolder, InvalidInput, InvalidSetting, NotEnded, RedisUnreachable, UnknownJob
from jobs.finding.job_list import Listing, in_results
from jobs.finding.known_jobs import KnownJobs
from jobs.finding.wanted import ANY, Wanted
from jobs.job import Job, iso
from jobs.ledger.job_record import ENDED, State
from jobs.ledger.ledger import Ledger
from jobs.local.servers import was_up
from jobs.settings import Settings, read_settings
from jobs.store.job_folder import JobFolder
from jobs.store.open_results import open_results
from jobs.wording import reason_of, shown

if TYPE_CHECKING:
    from jobs.client import Client


class JobReader:
    """Looks at jobs and follows them. Finished jobs are found in `results/` even without Redis."""

    def __init__(
        self, settings: Settings | None = None, *, redis_is_optional: bool | None = None, **overrides: Any
    ) -> None:
        """Connect to nothing yet.

        Args:
            settings: without them, the environment and `.env` are read.
            redis_is_optional: whether, without Redis, all jobs have ended. By default so where no setting
                names a Redis and no `quartet up` left a queue.
            overrides: settings by name, which take precedence over the environment and `.env`:
                `Client(results_dir="/mnt/results")`.

        Raises:
            InvalidSetting: a setting is wrong, or there is none of that name.
        """
        if not isinstance(settings, Settings | None):
            raise InvalidSetting(
                "settings",
                expected="jobs.Settings, as `read_settings` gives them, or None",
                given=shown(settings),
            )
        if settings is not None and overrides:
            given = f"both settings and {min(overrides)}"
            raise InvalidSetting("settings", expected="jobs.Settings, or settings by name", given=given)
        self.settings = read_settings(**overrides) if settings is None else settings
        self._redis_is_optional = redis_is_optional
        self.ledger = Ledger(self.settings.redis_address())
        self._patient_ledger = Ledger(self.settings.redis_address(), self.settings.redis_patience_seconds)
        self.results = open_results(self.settings)
        self._known = KnownJobs(self.ledger, self.results, self._nobody_expects_redis)

    def _nobody_expects_redis(self) -> bool:
        if self._redis_is_optional is not None:
            return self._redis_is_optional
        return self.settings.redis_url is None and not was_up(self.settings)

    def job(self, reference: str | Job) -> Job:
        """One job.

        Raises:
            UnknownJob: the reference names no job or several.
            InvalidJob: its record in Redis cannot be read.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        return self._bound(self._known.job(reference))

    def _bound(self, job: Job) -> Job:
        """A job that can be waited for."""
        return replace(job, reader=self)

    def jobs(
        self,
        state: State | None = None,
        newest: int | None = None,
        *,
        model: str | None = None,
        action: str | None = None,
        name: str | None = None,
        since: str | None = None,
        sweep: str | None = None,
        tags: Iterable[str] = (),
        sort: str | None = None,
    ) -> list[Job]:
        """Jobs, newest first; only those that have ended when Redis cannot be reached.

        Args:
            state: only jobs in this state.
            newest: so many, and of those that have not ended all; None for all jobs.
            model: only jobs of this model.
            action: only jobs that do this.
            name: only jobs whose name holds this, or matches it where it has `*`, `?` or `[`.
            since: only jobs submitted since then: `30m`, `2h`, `3d`, `1w`, or a date of ISO 8601.
            sweep: only jobs of the sweep of this name.
            tags: only jobs that have all of these.
            sort: a number of `metrics.json`: the best jobs come first instead of the newest.

        Raises:
            InvalidInput: a value is none that is described here, or no job has that number.
            DamagedFolder: the results folder cannot be read.
        """
        return self.listing(Wanted.make(state, model, action, name, since, sweep, tags), newest, sort).jobs

    def listing(self, wanted: Wanted = ANY, newest: int | None = None, sort: str | None = None) -> Listing:
        """What `jobs` returns, with what could not be listed.

        Args:
            wanted: only these jobs.
            newest: as for `jobs`, and so is `sort`.
            sort: a number of `metrics.json`.

        Raises:
            InvalidInput: `newest` is not a count, no job has that number, or there is no job of the wanted
                model or action and neither is known here.
            DamagedFolder: the results folder cannot be read.
        """
        if newest is not None and (not isinstance(newest, int) or isinstance(newest, bool) or newest < 0):
            raise InvalidInput("newest", expected="an integer ≥ 0, or None", given=shown(newest))
        listing = self._known.listing(wanted, newest, sort)
        if not listing.jobs:
            wanted.check_known()
        return replace(listing, jobs=[self._bound(job) for job in listing.jobs])

    def progress(self, jobs: Iterable[Job]) -> dict[str, dict[str, Any]]:
        """The latest progress message of each of these jobs that runs, asked for at once.

        Raises:
            RedisUnreachable: Redis cannot be reached.
        """
        return self.ledger.latest_progress([job.id for job in jobs if job.state == "running"])

    def resolve(self, reference: str | Job) -> str:
        """The id that a reference names; a complete id is returned unchecked.

        Raises:
            UnknownJob: it names no job or several.
            RedisUnreachable: it may name a job that has not ended, and Redis cannot be reached.
            DamagedFolder: the results folder cannot be read.
        """
        return self._known.resolve(reference)

    def redis_answers(self) -> bool:
        """Whether Redis can be reached; without it only finished jobs are known."""
        try:
            self.ledger.ping()
        except RedisUnreachable:
            return False
        return True

    def watch(self, reference: str | Job) -> Iterator[tuple[Job, dict[str, Any]]]:
        """The job and its latest progress message, each time something changes, until it has ended.

        While Redis restarts, it waits for up to `redis_patience_seconds`.

        Raises:
            UnknownJob: the reference names no job or several.
            InvalidJob: its record in Redis cannot be read.
            RedisUnreachable: Redis went away and did not come back in time.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        job = self.job(reference)
        if job.state in ENDED:
            yield job, {}
            return
        latest: dict[str, Any] = {}
        for values in self._patient_ledger.follow(job.id):
            latest = values or latest
            record = self._patient_ledger.record(job.id)
            job = self._bound(self._known.from_record(record)) if record is not None else self.job(job.id)
            yield job, latest
            if job.state in ENDED:
                return

    def wait(
        self, reference: str | Job, timeout: float | timedelta | None = None, *, progress: bool = False
    ) -> Job:
        """Wait until a job has succeeded and return it.

        Args:
            reference: to the job.
            timeout: how long to wait at most, to about a second, in seconds or as a timedelta; None for as
                long as it takes.
            progress: show how far it is: in a notebook as a card, else on standard error.

        Raises:
            InvalidInput: `timeout` is no time.
            NotEnded: it has not ended by then, and goes on.
            JobFailed: it failed or was cancelled; the message gives the reason.
            UnknownJob: the reference names no job or several.
            InvalidJob: its record in Redis cannot be read.
            RedisUnreachable: Redis went away and did not come back in time.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float)):
            raise InvalidInput("timeout", expected="seconds, a timedelta or None", given=repr(seconds)[:60])
        updates = self._until(reference, seconds)
        if progress:
            from jobs.notebook.progress import follow_job
            from jobs.showing.waits import Followed

            last = follow_job(updates, Followed(cast("Client", self)))
        else:
            for last, _ in updates:  # noqa: B007 - the last one is returned
                pass
        last.check_success()
        return last

    def _until(self, reference: str | Job, seconds: float | None) -> Iterator[tuple[Job, dict[str, Any]]]:
        """As `watch`, for so many seconds at most."""
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        for job, latest in self.watch(reference):
            yield job, latest
            if job.state not in ENDED and time.monotonic() > deadline:
                raise NotEnded(f"job {job.id} has not ended after {seconds:g} s; it is {job.state}")

    def timeline(self, reference: str | Job) -> list[dict[str, Any]]:
        """The events of a job: `time` (ISO 8601) and `text`, oldest first.

        Raises:
            UnknownJob: the reference names no job or several.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: its folder has no timeline that can be read.
        """
        job_id = self.resolve(reference)
        folder = self._known.folder(job_id)
        if folder is not None:
            return folder.timeline
        return [event for entry in self.ledger.timeline(job_id) if (event := _event(entry))]

    def fetch(self, reference: str | Job, to: str | Path) -> JobFolder:
        """Copy the published folder of a job, every file compared with its manifest, and return the copy.

        Args:
            reference: to the job.
            to: the folder in which the copy will be; a fetch that was stopped goes on there.

        Raises:
            JobConflict: it has no folder, or none yet.
            UnknownJob: the reference names no job or several.
            DamagedFolder: a file does not match the manifest, or cannot be read or written.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            StoreUnreachable: the object store does not answer.
        """
        job_id = self.resolve(reference)
        try:
            copy = self.results.fetch(job_id, Path(to).absolute())
        except OSError as error:
            why = reason_of(error)
            raise DamagedFolder(f"job {job_id} cannot be fetched to {shown_path(Path(to))} ({why})") from None
        if copy is None:
            self._known.folder_of(self.job(job_id))  # which says why there is none
            raise UnknownJob("job", expected="one that is published", given=job_id)
        return copy

    def with_page(self, reference: str | Job) -> JobFolder:
        """As `folder`, with the files that the job's page shows, and not necessarily the others.

        Raises:
            As `folder` does.
        """
        job_id = self.resolve(reference)
        with in_results(self.results):
            folder = self.results.with_page(job_id)
        return self._known.folder_of(self.job(job_id)) if folder is None else folder

    def folder(self, reference: str | Job) -> JobFolder:
        """The published folder of a job, with every file.

        Raises:
            JobConflict: it has none, or none yet.
            UnknownJob: the reference names no job or several.
            InvalidJob: its record in Redis cannot be read.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: the results folder cannot be read.
        """
        job_id = self.resolve(reference)
        folder = self._known.whole(job_id)
        return self._known.folder_of(self.job(job_id)) if folder is None else folder


def _event(entry: dict[str, Any]) -> dict[str, Any] | None:
    """An event of a timeline in Redis; None for one that is damaged, which must not hide the others."""
    try:
        return {"time": iso(entry["time"]), "text": str(entry["text"])}
    except (LookupError, TypeError, ValueError, ArithmeticError, OSError):
        return None
