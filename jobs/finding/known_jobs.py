"""Which job a reference names."""

import contextlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jobs.errors import InvalidJob, JobConflict, QuartetError, RedisUnreachable, UnknownJob
from jobs.finding.job_list import JobList, in_results
from jobs.ids import REFERENCE, SHORTEST_PART, is_job_id
from jobs.job import Job, job_from_folder
from jobs.ledger.job_record import ENDED, state_phrase
from jobs.ledger.store_of_ledger import other_store, remedy
from jobs.moments import ago
from jobs.parameters import Parameters
from jobs.store.job_folder import CHECKPOINT, JobFolder
from jobs.store.saved_records import path_of
from jobs.wording import counted, shown, with_article

LONGEST_NAME = 80
MOST_CANDIDATES = 3
"""Jobs that the refusal of an ambiguous reference names."""

_BEGINNING = re.compile(r"\d{8}-")


@dataclass(frozen=True)
class KnownJobs(JobList):
    """Looks up jobs; those that have ended are found in `results/` even without Redis."""

    def job(self, reference: str | Job) -> Job:
        """One job.

        Raises:
            UnknownJob: the reference names no job or several.
            InvalidJob: its record in Redis cannot be read.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        job_id = self.resolve(reference)
        self.history.sync()  # it may have been tagged on another host
        try:
            record = self.ledger.record(job_id)
        except (RedisUnreachable, InvalidJob) as error:
            optional = isinstance(error, RedisUnreachable) and self.redis_is_optional()
            if not optional and self.folder(job_id) is None:
                raise
            record = None
        if record is not None:
            return self.from_record(record)
        folder = self.folder(job_id)
        if folder is None:
            raise self._without_folder(job_id)
        return job_from_folder(folder)

    def _without_folder(self, job_id: str) -> UnknownJob:
        """The error for a job that Redis does not know, and that has no folder."""
        saved = path_of(self.results, job_id)
        self.results.take_shared(saved)
        if not saved.is_file():
            return unknown_job("job", job_id)
        return UnknownJob(
            "job",
            expected="one that Redis knows",
            given=f"{job_id}, which was accepted before Redis lost its data",
            hint="`quartet rebuild` restores it",
        )

    def folder_of(self, job: Job) -> JobFolder:
        """The published folder of a job.

        Raises:
            JobConflict: it has none, or none yet.
            DamagedFolder: the results folder cannot be read.
        """
        folder = self.folder(job.id)
        if folder is not None:
            return folder
        self._check_store(job)
        raise JobConflict(
            "job",
            expected=f"one with a folder in {self.results.name}",
            given=f"{job.id}, which {state_phrase(job.state)}" + (f": {job.error}" if job.error else ""),
            hint="a worker writes its folder within seconds of its end" if job.state in ENDED else None,
        )

    def _check_store(self, job: Job) -> None:
        """Refuse a job that has ended where the folders of ended jobs are in another store.

        Raises:
            JobConflict: they are.
        """
        with contextlib.suppress(RedisUnreachable):
            other = other_store(self.ledger, self.results) if job.state in ENDED else None
            if other is not None:
                expected = f"one with a folder in {self.results.name}"
                given = f"{job.id}, which {state_phrase(job.state)} elsewhere: {other}"
                raise JobConflict("job", expected=expected, given=given, hint=remedy(self.results))

    def folder_with_checkpoint(self, job: Job) -> JobFolder | None:
        """The folder with a job's checkpoint: its own, or that of the job that it never came to continue.

        Raises:
            JobConflict: it has no folder yet.
            DamagedFolder: a folder cannot be read.
        """
        folder, seen = self.whole(job.id) or self.folder_of(job), {job.id}
        while not (folder.path / CHECKPOINT).is_file():
            before = job_from_folder(folder).continues
            earlier = (
                None if before is None or before in seen or not is_job_id(before) else self.whole(before)
            )
            if before is None or earlier is None:
                return None
            seen.add(before)
            folder = earlier
        return folder

    def whole(self, job_id: str) -> JobFolder | None:
        """As `folder`, with every file.

        Raises:
            DamagedFolder: the results folder cannot be read.
        """
        with in_results(self.results):
            return self.results.whole(job_id)

    def find(self, job_id: str) -> Job | None:
        """A job by its id, None if neither Redis nor the results folder knows it.

        Raises:
            InvalidJob, RedisUnreachable, DamagedFolder: as `job` does.
        """
        try:
            return self.job(job_id)
        except UnknownJob:
            return None

    def resolve(
        self, reference: str | Job, field: str = "job", usable: Callable[[Job], bool] = lambda _: True
    ) -> str:
        """The id that a reference names; a complete id is returned unchecked.

        A name may be that of several jobs if each continues the one before; it then means the last of them.

        Args:
            reference: a job; or an id, `latest`, a name or a part of an id, which are tried in this order.
            field: what holds the reference, for messages.
            usable: whether a job is one of those that a name may mean here.

        Raises:
            UnknownJob: it names no job or several.
            RedisUnreachable: it may name a job that has not ended, and Redis cannot be reached.
            DamagedFolder: the results folder cannot be read.
        """
        if isinstance(reference, Job):
            return reference.id
        if is_job_id(reference):
            return reference
        if (
            not isinstance(reference, str)
            or not 0 < len(reference) <= LONGEST_NAME
            or not reference.isprintable()
        ):
            raise unknown_job(field, reference)
        if reference == "latest":
            return self._latest()
        named, away = self.named(reference)
        if named:
            candidates = _without_continued(named, usable) or named[:1]
            if len(candidates) > 1:
                raise self._ambiguous(field, reference, "the name", [job.id for job in candidates])
            return candidates[0].id
        if away is not None:
            raise away
        return self._only_one_with(reference, field)

    def training(self, reference: str | Job, model: str, field: str) -> str:
        """The id of a training job of `model` whose model a new job will read.

        Args:
            reference: any reference; `latest` is the latest training job of that model.
            model: the model that it must train.
            field: the parameter that names it, for messages.

        Raises:
            UnknownJob: the reference names no job or several.
            InvalidJob: it is not such a job, or it failed or was cancelled.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        kind = f"{model} train"
        wanted = f"{with_article(kind)} job"

        def usable(job: Job) -> bool:
            return job.kind == kind and not job.failed

        if reference == "latest":
            latest = self.newest(usable)
            if latest is not None:
                return latest.id
            raise UnknownJob(
                field,
                expected=f"{wanted} (its id, its name or `latest`)",
                given="`latest`, but there is none yet",
                hint=f"`quartet submit {model} train` makes one",
            )
        if not isinstance(reference, str | Job):
            raise InvalidJob(
                field, expected=f"{wanted} (its id, its name or `latest`)", given=shown(reference)
            )
        job_id = self.resolve(reference, field, usable)
        job = self.find(job_id)
        if job is None:
            raise UnknownJob(
                field,
                expected=wanted,
                given=f"job {job_id}, which was deleted or never was in {self.results.root}",
                hint=f"`quartet list --model {model} --action train` shows those that are",
            )
        if job.kind != kind:
            raise InvalidJob(field, expected=wanted, given=f"job {job.id}, {with_article(job.kind)} job")
        if job.failed:
            raise InvalidJob(
                field,
                expected=f"{wanted} that succeeded or will run",
                given=f"job {job.id}, which {state_phrase(job.state)}",
                hint=f"`quartet retry {job.id}` queues it again",
            )
        return job.id

    def resolve_trainings(
        self, kind: type[Parameters], source: str | Job | None, parameters: dict[str, Any]
    ) -> tuple[str | None, dict[str, Any]]:
        """Replace references to training jobs by their ids, in the source and parameters of a new job.

        Args:
            kind: the job's parameter class.
            source: any reference to the training job whose model is used.
            parameters: the job's parameters; those that name a training job may be any reference.

        Returns:
            The source and the parameters.

        Raises:
            UnknownJob, InvalidJob, RedisUnreachable, DamagedFolder: as `training` does.
        """
        needed = kind.needed_trainings()
        if source is not None and "from" in needed:
            source = self.training(source, needed["from"], "from")
        elif isinstance(source, Job):
            source = source.id
        resolved = {
            name: self.training(value, needed[name], name) if name in needed and value is not None else value
            for name, value in parameters.items()
        }
        return source, resolved

    def _latest(self) -> str:
        with in_results(self.results):
            ids = [row.id for row in self.history.newest(1)]
        try:
            ids += self.ledger.ids(newest=1)
        except RedisUnreachable:
            if not self.redis_is_optional():
                raise
        if not ids:
            raise UnknownJob(
                "job",
                expected=REFERENCE,
                given="`latest`, but there is no job yet",
                hint="`quartet submit` or `quartet run` makes one",
            )
        return max(ids)

    def _only_one_with(self, part: str, field: str) -> str:
        """The id that has a part which no other id has."""
        if len(part) < SHORTEST_PART:
            raise unknown_job(field, part)
        most = MOST_CANDIDATES + 1
        at_start = _BEGINNING.match(part) is not None  # it can be nowhere else in an id
        with in_results(self.results):
            if at_start:
                matching = {*self.history.matching(part, most)}
            else:
                found = (each for each in self.history.ids() if part in each and self.folder(each))
                matching = {*islice(found, most)}
        try:
            if at_start:
                matching |= {*self.ledger.matching(part, most)}
            else:
                matching |= {*islice((each for each in self.ledger.ids() if part in each), most)}
        except RedisUnreachable:
            if not self.redis_is_optional():
                raise
        if not matching:
            raise unknown_job(field, part)
        if len(matching) > 1:
            raise self._ambiguous(field, part, "a part", sorted(matching, reverse=True))
        return matching.pop()

    def _ambiguous(self, field: str, reference: str | Job, what: str, ids: list[str]) -> UnknownJob:
        """The error for what several jobs have, with the newest of them: id, kind and age."""
        candidates = []
        for job_id in ids[:MOST_CANDIDATES]:
            try:
                job = self.job(job_id)
                candidates.append(f"{job_id} ({job.kind}, {ago(job.submitted)})")
            except QuartetError:  # it cannot be read, and is a candidate all the same
                candidates.append(job_id)
        few = len(ids) <= MOST_CANDIDATES
        count = counted(len(ids), "job") if few else "several jobs"
        return UnknownJob(
            field,
            expected="an unambiguous reference",
            given=f"{reference!r}, {what} of {count}: {', '.join(candidates)}{'' if few else ', …'}",
            hint=f"an id names one job, and so does {ids[0][-SHORTEST_PART:]!r}, the end of the newest one",
        )


def _without_continued(jobs: Iterable[Job], usable: Callable[[Job], bool]) -> list[Job]:
    """The jobs that are usable, without those that one of them continues.

    Args:
        jobs: newest first.
        usable: whether a job is.
    """
    found: list[Job] = []
    continued: set[str | None] = set()
    for job in jobs:
        if usable(job) or job.id in continued:
            if job.id not in continued:
                found.append(job)
            continued.add(job.continues)
    return found


def unknown_job(field: str, reference: object) -> UnknownJob:
    """The error for a reference that names no job."""
    given = repr(reference[:80]) if isinstance(reference, str) else shown(reference)
    return UnknownJob(field, expected=REFERENCE, given=given, hint="`quartet list` shows all jobs")
