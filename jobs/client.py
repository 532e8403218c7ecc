"""Client: submit, watch, cancel, retry, fetch. What the command line does, in Python.

from jobs import Client

client = Client()
job = client.submit("denoiser", "train", epochs=20)
job = client.wait(job.id)
print(client.folder(job.id).metrics)
"""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from jobs.datasets import check_data
from jobs.errors import DamagedFolder, InvalidJob, JobConflict, JobFailed, RedisUnreachable, UnknownJob
from jobs.folder import CHECKPOINT, JobFolder, Results
from jobs.job_id import is_job_id, new_job_id
from jobs.ledger import Ledger
from jobs.record import ENDED, Record, State
from jobs.settings import Settings, read_settings
from jobs.spec import PARAMETERS, JobSpec


@dataclass(frozen=True)
class Job:
    """A job as anybody sees it, from the ledger or, once it has ended, from its folder alone.

    Times are ISO 8601 in UTC, None while not reached. `report` is the path of its page once published.
    """

    id: str
    spec: JobSpec
    state: State
    attempt: int
    submitted: str
    started: str | None
    finished: str | None
    worker: str | None
    error: str | None
    headline: dict[str, Any] | None
    report: str | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        values = asdict(self)
        return values | {"spec": self.spec.model_dump(mode="json", by_alias=True)}

    @property
    def name(self) -> str | None:
        """The name its owner gave it."""
        return self.spec.name

    @property
    def kind(self) -> str:
        """`denoiser train`."""
        return f"{self.spec.model} {self.spec.action}"


class Client:
    """Asks for jobs and looks at them. Finished jobs are found in `results/` also without Redis.

    A job is named by its id, an unambiguous beginning of it, its name (the newest job that has it),
    or `latest`.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Without settings they are read from the environment and `.env`; nothing is sent yet.

        Raises:
            InvalidSetting: a setting is wrong.
        """
        self.settings = settings or read_settings()
        self.ledger = Ledger(self.settings.redis_address())
        self._patient_ledger = Ledger(self.settings.redis_address(), self.settings.redis_patience_seconds)
        self.results = Results(self.settings.results_dir.absolute())

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
        """Queue a job; `source` and other jobs it needs may be given as any reference.

        Raises:
            InvalidJob: a field is wrong, or the job it needs cannot be used; nothing is queued.
            InvalidData: the dataset or file cannot be used; nothing is queued.
            UnknownJob: a reference names no job or several; nothing is queued.
            RedisUnreachable: nothing is queued, or the job is.
        """
        return self.submit_spec(
            self.make_spec(
                model,
                action,
                data=data,
                source=source,
                seed=seed,
                priority=priority,
                name=name,
                parameters=parameters,
            )
        )

    def make_spec(
        self, model: str, action: str, *, source: str | None, parameters: dict[str, Any], **fields: Any
    ) -> JobSpec:
        """The spec that `submit` would queue: references resolved, data looked at.

        Raises:
            InvalidJob, InvalidData, UnknownJob: as `submit`.
        """
        kind = PARAMETERS.get((model, action))
        needed = kind.needed_trainings() if kind else {}
        if source is not None and "from" in needed:
            source = self._training(source, needed["from"], "from")
        parameters = {
            name: self._training(value, needed[name], name) if name in needed and value is not None else value
            for name, value in parameters.items()
        }
        spec = JobSpec.make(model, action, parameters=parameters, **fields, **{"from": source})
        if spec.data is None:
            return spec
        return spec.model_copy(update={"data": check_data(spec.model, spec.action, spec.data)})

    def submit_spec(self, spec: JobSpec, continues: str | None = None) -> Job:
        """Queue a spec as it is.

        Raises:
            InvalidJob: a job it needs failed or was cancelled; nothing is queued.
            RedisUnreachable: nothing is queued, or the job is.
        """
        job_id = new_job_id()
        self.ledger.submit(job_id, spec, continues)
        record = self.ledger.record(job_id)
        if record is None:
            raise RedisUnreachable(f"job {job_id} was queued, and Redis has lost it since")
        return self._from_record(record)

    def job(self, reference: str) -> Job:
        """One job.

        Raises:
            UnknownJob: the reference names no job or several.
            InvalidJob: its record in Redis cannot be read.
            RedisUnreachable: it has no folder, and Redis cannot be asked.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        job_id = self.resolve(reference)
        known = self._known([job_id])
        if not known:
            folder = self.results.find(job_id)
            if folder is not None:
                return _from_folder(folder)
            self.ledger.record(job_id)
            raise UnknownJob(f"job: there is no job {job_id}")
        return known[0]

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

    def redis_answers(self) -> bool:
        """Whether the ledger can be asked; without it only finished jobs are known."""
        try:
            return self.ledger.uptime_seconds() >= 0
        except RedisUnreachable:
            return False

    def resolve(self, reference: str) -> str:
        """The id that a reference means.

        Raises:
            UnknownJob: it names no job or several.
        """
        if is_job_id(reference):
            return reference
        ids = self._ids()
        if reference == "latest":
            if not ids:
                raise UnknownJob("job: there is no job yet; `quartet submit` or `quartet run` makes one")
            return ids[0]
        named = [job.id for job in self._known(ids) if job.name == reference]
        if named:
            return named[0]
        matching = [job_id for job_id in ids if reference and job_id.startswith(reference)]
        if not matching:
            raise UnknownJob(
                f"job: nothing is called {reference[:80]!r}; allowed: a job's id, an unambiguous beginning "
                "of it, its name, or `latest` (`quartet list` shows them)"
            )
        if len(matching) > 1:
            shown = ", ".join(matching[:3]) + (", …" if len(matching) > 3 else "")
            raise UnknownJob(f"job: {reference[:80]!r} means {len(matching)} jobs ({shown}); give an id")
        return matching[0]

    def watch(self, reference: str) -> Iterator[tuple[Job, dict[str, Any]]]:
        """The job and what it last said, each time something changes, until it has ended.

        A restart of Redis is waited for, `redis_patience_seconds` long.

        Raises:
            UnknownJob: the reference names no job or several.
            RedisUnreachable: the ledger went away and did not come back in time.
        """
        job = self.job(reference)
        if job.state in ENDED:
            yield job, {}
            return
        latest: dict[str, Any] = {}
        for values in self._patient_ledger.follow(job.id):
            latest = values or latest
            record = self._patient_ledger.record(job.id)
            job = self._from_record(record) if record is not None else self.job(job.id)
            yield job, latest
            if job.state in ENDED:
                return

    def wait(self, reference: str) -> Job:
        """Wait until a job has succeeded.

        Raises:
            JobFailed: it failed or was cancelled; the message is its reason.
        """
        for job, _ in self.watch(reference):
            last = job
        if last.state != "succeeded":
            raise JobFailed(f"job {last.id} {last.state}" + (f": {last.error}" if last.error else ""))
        return last

    def timeline(self, reference: str) -> list[dict[str, Any]]:
        """What happened to a job: `time` (ISO 8601) and `text`, oldest first.

        Raises:
            DamagedFolder: its folder has no timeline that can be read.
        """
        job_id = self.resolve(reference)
        folder = self.results.find(job_id)
        if folder is not None:
            try:
                timeline = folder.job["timeline"]
                return [{"time": str(entry["time"]), "text": str(entry["text"])} for entry in timeline]
            except (LookupError, TypeError):
                raise DamagedFolder(f"{folder.path}: its timeline in job.json cannot be read") from None
        entries = self.ledger.timeline(job_id)
        return [{"time": _iso(entry["time"]), "text": entry["text"]} for entry in entries]

    def cancel(self, reference: str) -> Job:
        """Cancel a job that has not started; ask a running one to stop, its checkpoint kept.

        Raises:
            JobConflict: it has ended.
        """
        job_id = self.resolve(reference)
        before = self.ledger.cancel(job_id)
        if before in ENDED:
            raise JobConflict(
                f"job {job_id} has {_ended_word(before)}; only a job that has not can be cancelled"
            )
        return self.job(job_id)

    def retry(self, reference: str) -> Job:
        """Queue a failed or cancelled job anew, under a new id; a training goes on from its checkpoint.

        Raises:
            JobConflict: it has succeeded or has not ended.
        """
        job = self.job(reference)
        if job.state not in ("failed", "cancelled"):
            raise JobConflict(
                f"job {job.id} is {job.state}; only one that failed or was cancelled can be tried again"
            )
        return self.submit_spec(job.spec, continues=job.id)

    def resume(self, reference: str, epochs: str | int | None = None) -> Job:
        """Go on from the checkpoint of a training that has ended, as a new job.

        `epochs` is the new total, or `"+10"`: that many more than were done; without it the total
        that the training was to have. Training 5 epochs and going on by 5 equals training 10.

        Raises:
            JobConflict: it is no training, or has left no checkpoint.
            InvalidJob: the number of epochs is none, or they are done already.
        """
        job = self.job(reference)
        if job.spec.action != "train":
            raise JobConflict(f"job {job.id} is a {job.kind}; only a training can be resumed")
        folder = self.folder(job.id)
        if not (folder.path / CHECKPOINT).is_file():
            raise JobConflict(f"job {job.id} has left no checkpoint; `quartet retry` starts it anew")
        done = len(folder.history)
        wanted = job.spec.model_dump(mode="json", by_alias=True)
        text = str(wanted["parameters"]["epochs"] if epochs is None else epochs)
        added = text.startswith("+") and text[1:].isdecimal()
        wanted["parameters"]["epochs"] = done + int(text) if added else text
        spec = JobSpec.parse(wanted)
        total = wanted["parameters"]["epochs"]
        if int(total) <= done:
            raise InvalidJob(
                f"epochs: {text!r}: {done} epochs are done; allowed: more than that, or +N for N more"
            )
        return self.submit_spec(spec, continues=job.id)

    def folder(self, reference: str) -> JobFolder:
        """The published folder of a job.

        Raises:
            JobConflict: there is none (yet).
        """
        job = self.job(reference)
        folder = self.results.find(job.id)
        if folder is None:
            where = self.results.root
            raise JobConflict(
                f"job {job.id} is {job.state} and has no folder in {where}"
                + (f": {job.error}" if job.error else "")
            )
        return folder

    def _training(self, reference: str, model: str, field: str) -> str:
        """The id of a training of `model` whose result a new job will read."""
        if reference == "latest":
            for job in self.jobs():
                if job.kind == f"{model} train" and job.state not in ("failed", "cancelled"):
                    return job.id
            raise UnknownJob(
                f"{field}: there is no training of {model} yet; allowed: its id, name or `latest`"
            )
        job = self.job(reference)
        if job.kind != f"{model} train":
            raise InvalidJob(f"{field}: job {job.id} is a {job.kind}; allowed: a training of {model}")
        if job.state in ("failed", "cancelled"):
            raise InvalidJob(
                f"{field}: job {job.id} has {_ended_word(job.state)}; "
                "allowed: a training that has succeeded or is to come"
            )
        return job.id

    def _ids(self) -> list[str]:
        with contextlib.suppress(RedisUnreachable):
            return sorted({*self.ledger.ids(), *self.results.ids()}, reverse=True)
        return self.results.ids()

    def _known(self, ids: list[str]) -> list[Job]:
        """The jobs among these ids: from the ledger, those it does not know from their folder."""
        try:
            records = {record.id: record for record in self.ledger.records(ids)}
        except RedisUnreachable:
            records = {}
        found = []
        for job_id in ids:
            if job_id in records:
                found.append(self._from_record(records[job_id]))
            elif (folder := self.results.find(job_id)) is not None:
                with contextlib.suppress(DamagedFolder):
                    found.append(_from_folder(folder))
        return found

    def _from_record(self, record: Record) -> Job:
        report = self.results.root / record.id / "report.html"
        return Job(
            id=record.id,
            spec=record.spec,
            state=record.state,
            attempt=record.attempt,
            submitted=_iso(record.submitted),
            started=_iso(record.started) if record.started else None,
            finished=_iso(record.finished) if record.finished else None,
            worker=record.worker,
            error=record.error,
            headline=record.headline,
            report=str(report) if record.state in ENDED and report.exists() else None,
        )


def _from_folder(folder: JobFolder) -> Job:
    """A job as its folder tells of it, which may come from anywhere.

    Raises:
        DamagedFolder: `job.json` is missing or is not a job's record.
    """
    try:
        return _parsed(folder)
    except (LookupError, TypeError, ValueError, AttributeError, InvalidJob) as error:
        raise DamagedFolder(f"{folder.path}: job.json is not a job's record ({error})") from None


def _parsed(folder: JobFolder) -> Job:
    job = folder.job
    state, times, best = job["state"], job["times"], job["headline"]
    if state not in ENDED:
        raise ValueError(f"its state is {str(state)[:40]!r}")
    for name in ("submitted", "started", "finished"):
        if datetime.fromisoformat(times[name]).tzinfo is None:
            raise ValueError(f"the time it was {name} has no zone")
    report = folder.path / "report.html"
    return Job(
        id=folder.id,
        spec=JobSpec.parse(job["spec"]),
        state=state,
        attempt=int(job["attempt"]),
        submitted=times["submitted"],
        started=times["started"],
        finished=times["finished"],
        worker=_text(job["worker"]),
        error=_text(job["error"]),
        headline={name: best[name] for name in ("label", "value", "unit")} if best else None,
        report=str(report) if report.exists() else None,
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ended_word(state: str) -> str:
    return "been cancelled" if state == "cancelled" else state
