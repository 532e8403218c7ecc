"""Client: submit, watch, cancel, retry and fetch jobs, as the command line does.

from jobs import Client

client = Client()
job = client.submit(model, "train", epochs=20)
job = client.wait(job.id)
print(client.folder(job.id).metrics)
"""

from collections.abc import Iterator
from typing import Any

from jobs.data_check import check_data
from jobs.epochs import with_epochs
from jobs.errors import JobConflict, RedisUnreachable
from jobs.ids import new_job_id
from jobs.job import Job, iso, job_from_record
from jobs.known_jobs import KnownJobs
from jobs.ledger.job_record import ENDED, State, state_phrase
from jobs.ledger.ledger import Ledger
from jobs.models import parameters_of
from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import CHECKPOINT, JobFolder
from jobs.store.results import Results
from jobs.wording import with_article


class Client:
    """Submits and follows jobs. Finished jobs are found in `results/` even without Redis.

    A reference to a job is its id, a unique prefix of it, its name (the newest job that has it), or `latest`.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Connect to nothing yet.

        Args:
            settings: without them, the environment and `.env` are read.

        Raises:
            InvalidSetting: a setting is wrong.
        """
        self.settings = settings or read_settings()
        self.ledger = Ledger(self.settings.redis_address())
        self._patient_ledger = Ledger(self.settings.redis_address(), self.settings.redis_patience_seconds)
        self.results = Results(self.settings.results_dir.absolute())
        self._known = KnownJobs(self.ledger, self.results)

    def submit(
        self,
        model: str,
        action: str,
        *,
        data: str | None = None,
        source: str | None = None,
        seed: int = 0,
        priority: str = "normal",
        name: str | None = None,
        **parameters: Any,
    ) -> Job:
        """Queue a job and return it.

        Args:
            model: a model's name.
            action: train, evaluate or generate.
            data: a dataset's name, or a path to your own data.
            source: a reference to the training job whose model is used.
            seed: random seed.
            priority: low, normal or high.
            name: a name to find the job by.
            parameters: of this model and action; one that names a job may be any reference.

        Raises:
            InvalidJob: a field is wrong, or a job it depends on cannot be used.
            InvalidData: the dataset or file cannot be used.
            InvalidModel: the model's `spec.py` breaks its contract.
            UnknownJob: a reference names no job or several.
            RedisUnreachable: the job may have been queued, and `jobs` lists it then; others queue nothing.
            DamagedFolder: the folder of a job it depends on cannot be read.
        """
        fields = {"data": data, "seed": seed, "priority": priority, "name": name}
        return self.submit_spec(self.make_spec(model, action, source=source, parameters=parameters, **fields))

    def make_spec(
        self, model: str, action: str, *, source: str | None, parameters: dict[str, Any], **fields: Any
    ) -> JobSpec:
        """The spec that `submit` would queue, with references resolved and data checked.

        Args:
            model: a model's name.
            action: train, evaluate or generate.
            source: a reference to the training job whose model is used.
            parameters: of this model and action; one that names a job may be any reference.
            fields: the job's other fields, as `submit` takes them.

        Raises:
            InvalidJob: a field is wrong, or a job it depends on cannot be used.
            InvalidData: the dataset or file cannot be used.
            InvalidModel: the model's `spec.py` breaks its contract.
            UnknownJob: a reference names no job or several.
            RedisUnreachable: a job it depends on has no folder, and Redis cannot be reached.
            DamagedFolder: the folder of a job it depends on cannot be read.
        """
        kind = parameters_of(model, action)
        source, parameters = self._known.resolve_trainings(kind, source, parameters)
        spec = JobSpec.make(model, action, parameters=parameters, **fields, **{"from": source})
        if spec.data is None:
            return spec
        return spec.model_copy(update={"data": check_data(kind, spec.data)})

    def submit_spec(self, spec: JobSpec, continues: str | None = None) -> Job:
        """Queue a spec as it is and return its job.

        Args:
            spec: the job.
            continues: the id of the job whose checkpoint it resumes from.

        Raises:
            InvalidJob: a job it depends on failed or was cancelled; nothing is queued.
            RedisUnreachable: the job may have been queued, and `jobs` then lists it.
        """
        job_id = new_job_id()
        self.ledger.submit(job_id, spec, continues)
        record = self.ledger.record(job_id)
        if record is None:
            raise RedisUnreachable(f"job {job_id} was queued, but Redis has lost it since")
        return job_from_record(record, self.results)

    def job(self, reference: str) -> Job:
        """One job.

        Raises:
            UnknownJob: the reference names no job or several.
            InvalidJob: its record in Redis cannot be read.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        return self._known.job(reference)

    def jobs(self, state: State | None = None) -> list[Job]:
        """All jobs, or those in a state, newest first; only finished ones when Redis cannot be reached."""
        return self._known.jobs(state)

    def resolve(self, reference: str) -> str:
        """The id that a reference names; a complete id is returned unchecked.

        Raises:
            UnknownJob: it names no job or several.
        """
        return self._known.resolve(reference)

    def redis_answers(self) -> bool:
        """Whether Redis can be reached; without it only finished jobs are known."""
        try:
            return self.ledger.uptime_seconds() >= 0
        except RedisUnreachable:
            return False

    def watch(self, reference: str) -> Iterator[tuple[Job, dict[str, Any]]]:
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
            job = job_from_record(record, self.results) if record is not None else self.job(job.id)
            yield job, latest
            if job.state in ENDED:
                return

    def wait(self, reference: str) -> Job:
        """Wait until a job has succeeded and return it.

        Raises:
            JobFailed: it failed or was cancelled; the message gives the reason.
            UnknownJob: the reference names no job or several.
            InvalidJob: its record in Redis cannot be read.
            RedisUnreachable: Redis went away and did not come back in time.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        for job, _ in self.watch(reference):
            last = job
        last.check_success()
        return last

    def timeline(self, reference: str) -> list[dict[str, Any]]:
        """The events of a job: `time` (ISO 8601) and `text`, oldest first.

        Raises:
            UnknownJob: the reference names no job or several.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: its folder has no timeline that can be read.
        """
        job_id = self.resolve(reference)
        folder = self.results.find(job_id)
        if folder is not None:
            return folder.timeline
        entries = self.ledger.timeline(job_id)
        return [{"time": iso(entry["time"]), "text": entry["text"]} for entry in entries]

    def cancel(self, reference: str) -> Job:
        """Cancel a job that has not started; ask a running one to stop, its checkpoint kept.

        Raises:
            JobConflict: it has ended.
            InvalidJob: its record in Redis cannot be read.
            UnknownJob: the reference names no job or several, or one that Redis does not know.
            RedisUnreachable: Redis cannot be reached.
        """
        job_id = self.resolve(reference)
        before = self.ledger.cancel(job_id)
        if before in ENDED:
            raise _conflict("one that has not ended", job_id, before)
        return self.job(job_id)

    def retry(self, reference: str) -> Job:
        """Queue a failed or cancelled job again, as a new job, which is returned.

        A training job resumes from its checkpoint.

        Raises:
            JobConflict: it has succeeded or has not ended.
            InvalidJob: a job it depends on failed or was cancelled, or its record cannot be read.
            UnknownJob: the reference names no job or several.
            RedisUnreachable: Redis cannot be reached.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        job = self.job(reference)
        if not job.failed:
            raise _conflict("one that failed or was cancelled", job.id, job.state)
        return self.submit_spec(job.spec, continues=job.id)

    def resume(self, reference: str, epochs: str | int | None = None) -> Job:
        """Resume an ended training job from its checkpoint, as a new job, which is returned.

        5 epochs and 5 more give the same weights as 10 in one run.

        Args:
            reference: to the training job.
            epochs: the new total, or `"+10"` for that many more than were done; without it, the job's own
                total.

        Raises:
            JobConflict: it is not a training job, or it left no folder or no checkpoint.
            InvalidJob: `epochs` is not a number of epochs, or they are done already.
            UnknownJob: the reference names no job or several.
            RedisUnreachable: Redis cannot be reached.
            DamagedFolder: its folder cannot be read.
        """
        job = self.job(reference)
        if job.spec.action != "train":
            raise JobConflict(
                "job", expected="a training job", given=f"{job.id}, {with_article(job.kind)} job"
            )
        folder = self.folder(job.id)
        if not (folder.path / CHECKPOINT).is_file():
            raise JobConflict(
                "job",
                expected="one that left a checkpoint",
                given=f"{job.id}, which left none",
                hint=f"`quartet retry {job.id}` starts it from scratch",
            )
        spec = with_epochs(job.spec, len(folder.history), epochs)
        return self.submit_spec(spec, continues=job.id)

    def folder(self, reference: str) -> JobFolder:
        """The published folder of a job.

        Raises:
            JobConflict: it has none, or none yet.
            UnknownJob: the reference names no job or several.
            InvalidJob: its record in Redis cannot be read.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        job = self.job(reference)
        folder = self.results.find(job.id)
        if folder is None:
            raise _conflict(f"one with a folder in {self.results.root}", job.id, job.state, job.error)
        return folder


def _conflict(expected: str, job_id: str, state: State, why: str | None = None) -> JobConflict:
    """The error for a job whose state does not permit the request."""
    given = f"{job_id}, which {state_phrase(state)}" + (f": {why}" if why else "")
    return JobConflict("job", expected=expected, given=given)
