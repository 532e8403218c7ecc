"""All jobs in the ledger and in the results folder, and which one a reference names."""

import contextlib
from dataclasses import dataclass
from typing import Any

from jobs.errors import DamagedFolder, InvalidJob, RedisUnreachable, UnknownJob
from jobs.ids import REFERENCE, is_job_id
from jobs.job import Job, job_from_folder, job_from_record
from jobs.ledger.job_record import State, state_phrase
from jobs.ledger.ledger import Ledger
from jobs.parameters import Parameters
from jobs.store.results import Results
from jobs.wording import counted, with_article


@dataclass(frozen=True)
class KnownJobs:
    """Looks up jobs; those that have ended are found in `results/` even without Redis."""

    ledger: Ledger
    results: Results

    def job(self, reference: str) -> Job:
        """One job.

        Raises:
            UnknownJob: the reference names no job or several.
            InvalidJob: its record in Redis cannot be read.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        job_id = self.resolve(reference)
        known = self._known([job_id])
        if known:
            return known[0]
        folder = self.results.find(job_id)
        if folder is not None:
            return job_from_folder(folder)
        self.ledger.record(job_id)
        raise unknown_job("job", job_id)

    def jobs(self, state: State | None = None) -> list[Job]:
        """All jobs, or those in a state, newest first; only finished ones when Redis cannot be reached."""
        try:
            ids = self.ledger.ids(state)
            in_ledger = set(ids) if state is None else set(self.ledger.ids())
        except RedisUnreachable:
            ids, in_ledger = [], set()
        only_folders = [job_id for job_id in self.results.ids() if job_id not in in_ledger]
        found = self._known(sorted({*ids, *only_folders}, reverse=True))
        return [job for job in found if state is None or job.state == state]

    def resolve(self, reference: str) -> str:
        """The id that a reference names; a complete id is returned unchecked.

        Raises:
            UnknownJob: it names no job or several.
        """
        if is_job_id(reference):
            return reference
        ids = self._ids()
        if reference == "latest":
            if not ids:
                raise UnknownJob(
                    "job",
                    expected=REFERENCE,
                    given="`latest`, but there is no job yet",
                    hint="`quartet submit` or `quartet run` makes one",
                )
            return ids[0]
        named = [job.id for job in self._known(ids) if job.name == reference]
        if named:
            return named[0]
        matching = [job_id for job_id in ids if reference and job_id.startswith(reference)]
        if not matching:
            raise unknown_job("job", reference)
        if len(matching) > 1:
            some = ", ".join(matching[:3]) + (", …" if len(matching) > 3 else "")
            raise UnknownJob(
                "job",
                expected="an unambiguous reference",
                given=f"{reference[:80]!r}, the beginning of {counted(len(matching), 'id')} ({some})",
            )
        return matching[0]

    def training(self, reference: str, model: str, field: str) -> str:
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
        wanted = f"{with_article(f'{model} train')} job"
        if reference == "latest":
            for job in self.jobs():
                if job.kind == f"{model} train" and not job.failed:
                    return job.id
            raise UnknownJob(
                field,
                expected=f"{wanted} (its id, its name or `latest`)",
                given="`latest`, but there is none yet",
                hint=f"`quartet submit {model} train` makes one",
            )
        job = self.job(reference)
        if job.kind != f"{model} train":
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
        self, kind: type[Parameters], source: str | None, parameters: dict[str, Any]
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
        resolved = {
            name: self.training(value, needed[name], name) if name in needed and value is not None else value
            for name, value in parameters.items()
        }
        return source, resolved

    def _ids(self) -> list[str]:
        with contextlib.suppress(RedisUnreachable):
            return sorted({*self.ledger.ids(), *self.results.ids()}, reverse=True)
        return self.results.ids()

    def _known(self, ids: list[str]) -> list[Job]:
        """The jobs with these ids, from the ledger or else from their folder."""
        try:
            records = {record.id: record for record in self.ledger.records(ids)}
        except RedisUnreachable:
            records = {}
        found = []
        for job_id in ids:
            if job_id in records:
                found.append(job_from_record(records[job_id], self.results))
            elif (folder := self.results.find(job_id)) is not None:
                with contextlib.suppress(DamagedFolder):
                    found.append(job_from_folder(folder))
        return found


def unknown_job(field: str, reference: str) -> UnknownJob:
    """The error for a reference that names no job."""
    return UnknownJob(
        field, expected=REFERENCE, given=repr(reference[:80]), hint="`quartet list` shows all jobs"
    )
