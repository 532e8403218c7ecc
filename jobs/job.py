"""A job as a client sees it, from the ledger or, once it has ended, from its folder alone."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from jobs.errors import DamagedFolder, InvalidJob, InvalidModel, JobFailed
from jobs.ledger.job_record import ENDED, Record, State
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        attempt: the number of the latest attempt, 0 before the first.
        submitted: ISO 8601 in UTC, as are `started` and `finished`, which are None while not reached.
        worker: the name of the worker that claimed it last.
        error: why it failed or was cancelled.
        headline: its most important metric: `label`, `value` and `unit`.
        report: the path of its page, once published.
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
        """Its fields as values for JSON."""
        values = asdict(self)
        return values | {"spec": self.spec.model_dump(mode="json", by_alias=True)}

    @property
    def name(self) -> str | None:
        """The name that its owner gave it, if any."""
        return self.spec.name

    @property
    def kind(self) -> str:
        """Model and action, with a space between them."""
        return f"{self.spec.model} {self.spec.action}"

    @property
    def failed(self) -> bool:
        """Whether it ended without success."""
        return self.state in ("failed", "cancelled")

    def check_success(self) -> None:
        """Refuse a job that has not succeeded.

        Raises:
            JobFailed: it has not; the message gives the reason.
        """
        if self.state != "succeeded":
            raise JobFailed(f"job {self.id} {self.state}" + (f": {self.error}" if self.error else ""))


def job_from_record(record: Record, results: Results) -> Job:
    """A job as the ledger knows it."""
    report = results.root / record.id / "report.html"
    return Job(
        id=record.id,
        spec=record.spec,
        state=record.state,
        attempt=record.attempt,
        submitted=iso(record.submitted),
        started=iso(record.started) if record.started else None,
        finished=iso(record.finished) if record.finished else None,
        worker=record.worker,
        error=record.error,
        headline=record.headline,
        report=str(report) if record.state in ENDED and report.exists() else None,
    )


def job_from_folder(folder: JobFolder) -> Job:
    """A job as its folder has it; the folder may come from anywhere.

    Raises:
        DamagedFolder: `job.json` is missing or is not a job's record.
    """
    try:
        return _parsed(folder)
    except (LookupError, TypeError, ValueError, AttributeError, InvalidJob, InvalidModel) as error:
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


def iso(milliseconds: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
