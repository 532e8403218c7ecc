"""A job as a client sees it: from the ledger, from its folder, or from the index of all folders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import DamagedFolder, InvalidJob, JobFailed
from jobs.ledger.job_record import ENDED, Record, State, check_sweep, unreadable
from jobs.notebook.job_in_notebook import JobInNotebook
from jobs.notebook.published_metrics import PublishedMetrics
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.history_row import Row
from jobs.store.job_folder import JobFolder
from jobs.store.labels import Label, Labels
from jobs.store.results import Results
from jobs.tags import check_tags

if TYPE_CHECKING:
    from jobs.finding.job_reader import JobReader


@dataclass(frozen=True, repr=False)
class Job(JobInNotebook):
    """One job as it was when it was looked at.

    All but `spec` can be read without the code of its model, which may have changed or be gone.

    Attributes:
        model: the model's name.
        action: what it does.
        name: the name that its owner gave it, if any.
        attempt: the number of the latest attempt, 0 before the first.
        submitted: ISO 8601 in UTC, as are `started` and `finished`, which are None while not reached.
        worker: the name of the worker that claimed it last.
        error: why it failed or was cancelled.
        headline: its most important metric: `label`, `value` and `unit`.
        report: the path of its page, once published.
        continues: the id of the job whose checkpoint it resumes from.
        warnings: what makes its numbers doubtful; of a job in a list, the first alone.
        notes: such as how its data is read; known when it is submitted and once it has ended, not in a list.
        metrics: its numbers by name, once published; of a job in a list, to six significant digits.
        in_redis: whether its record in Redis was read; only then are `retried` and `declined` known.
        retried: the id of the job that continues this one since it failed or was cancelled.
        declined: each kind of worker that does not understand it -> why.
        sweep: the name of its sweep, if it is of one.
        entry: what that sweep knows of it, as `jobs.sweeps.entry.Entry` has it; of a job in a list it may be
            None.
        tags: the words by which it is found together with others.
        note: what somebody wrote about it.
        reused: whether it had succeeded before, and was returned in place of a new job that equals it.
        read_stored: reads `stored`.
        place: where its folder lies, or will lie once it is published.
        reader: the client that it came from, which knows more of it.
    """

    id: str
    model: str
    action: str
    name: str | None
    state: State
    attempt: int
    submitted: str
    started: str | None
    finished: str | None
    worker: str | None
    error: str | None
    headline: dict[str, Any] | None
    report: str | None
    continues: str | None
    read_stored: Callable[[], StoredSpec] = field(compare=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    in_redis: bool = False
    retried: str | None = None
    declined: Mapping[str, str] = field(default_factory=dict)
    sweep: str | None = None
    entry: Mapping[str, Any] | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    reused: bool = field(default=False, compare=False)
    place: Path | None = field(default=None, compare=False)
    reader: "JobReader | None" = field(default=None, compare=False)

    def __repr__(self) -> str:
        named = f", {self.name!r}" if self.name else ""
        return f"<Job {self.id}: {self.kind}, {self.state}{named}>"

    @cached_property
    def stored(self) -> StoredSpec:
        """The job as it was stored. For a job that is known from the index alone, its folder is opened.

        Raises:
            DamagedFolder: that folder cannot be read.
        """
        return self.read_stored()

    @property
    def spec(self) -> JobSpec:
        """The job, checked against this installation's models.

        Raises:
            InvalidJob: this version does not understand it.
            InvalidModel: the model's wing lacks part of its contract.
            DamagedFolder: its folder cannot be read.
        """
        return self.stored.parse()

    def as_dict(self) -> dict[str, Any]:
        """Its fields as values for JSON; `spec` holds the parameters that were set."""
        try:
            spec = self.stored.complete()
        except DamagedFolder:  # what the index knows of it
            spec = StoredSpec({"model": self.model, "action": self.action, "name": self.name}).complete()
        return {
            "id": self.id,
            "spec": spec,
            "state": self.state,
            "attempt": self.attempt,
            "submitted": self.submitted,
            "started": self.started,
            "finished": self.finished,
            "worker": self.worker,
            "error": self.error,
            "headline": self.headline,
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "metrics": dict(self.metrics),
            "report": self.report,
            "continues": self.continues,
            "sweep": self.sweep,
            "entry": None if self.entry is None else dict(self.entry),
            "tags": list(self.tags),
            "note": self.note,
        }

    @property
    def kind(self) -> str:
        """Model and action, with a space between them."""
        return f"{self.model} {self.action}"

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
    """A job as the ledger knows it.

    Raises:
        InvalidJob: its record holds what no job has.
    """
    try:
        return _recorded(record, results)
    except (ValueError, OSError, ArithmeticError) as error:  # a time that no calendar has
        raise unreadable(record.id, error) from None


def _recorded(record: Record, results: Results) -> Job:
    ended, best = record.state in ENDED, record.headline
    label = Labels(results.root).find(record.id) or Label(record.stored.tags)
    return Job(
        id=record.id,
        model=record.stored.model,
        action=record.stored.action,
        name=record.stored.name,
        state=record.state,
        attempt=record.attempt,
        submitted=iso(record.submitted),
        started=iso(record.started) if record.started else None,
        finished=iso(record.finished) if record.finished else None,
        worker=record.worker,
        error=record.error,
        headline=best if isinstance(best, dict) and {"label", "value", "unit"} <= best.keys() else None,
        report=_report(results.root / record.id) if ended else None,
        continues=record.continues,
        read_stored=partial(_same, record.stored),
        metrics=PublishedMetrics(JobFolder(results.root / record.id)),
        in_redis=True,
        retried=record.retried,
        declined=record.declined,
        sweep=None if record.sweep is None else str(record.sweep["name"]),
        entry=None if record.sweep is None else record.sweep["entry"],
        tags=label.tags,
        note=label.note,
        place=results.root / record.id,
    )


def job_from_folder(folder: JobFolder) -> Job:
    """A job as its folder has it; the folder may come from anywhere.

    Raises:
        DamagedFolder: `job.json` is missing or is not a job's record.
    """
    try:
        job = folder.job
        stored = StoredSpec.of_folder(job)
        spec = {"model": stored.model, "action": stored.action, "name": stored.name}
        found = {"warnings": job.get("warnings"), "notes": job.get("notes"), "metrics": _metrics_in(folder)}
        sweep = check_sweep(job.get("sweep")) or {"name": None, "entry": None}
        found |= {"sweep": sweep["name"], "entry": sweep["entry"]}
        found |= vars(Labels(folder.path.parent).find(folder.id) or Label(check_tags(stored.tags)))
        return _checked(folder.id, job | spec | job["times"] | found, folder.path, partial(_same, stored))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, InvalidJob) as error:
        raise _no_record(folder, error) from None


def job_from_row(row: Row, results: Results) -> Job:
    """A job as the index of the results folder has it; the row is not of a damaged folder."""
    folder = JobFolder(results.root / row.id)
    about = vars(row) | {"warnings": [] if row.warning is None else [row.warning], "notes": []}
    return _checked(row.id, about, folder.path, partial(_stored_in, folder))


def _checked(job_id: str, job: Mapping[str, Any], path: Path, read_stored: Callable[[], StoredSpec]) -> Job:
    """A job that has ended, from values of unknown origin."""
    state, best = job["state"], job["headline"]
    if state not in ENDED:
        raise ValueError(f"its state is {str(state)[:40]!r}")
    for name in ("submitted", "started", "finished"):
        if datetime.fromisoformat(job[name]).tzinfo is None:
            raise ValueError(f"the time it was {name} has no zone")
    return Job(
        id=job_id,
        model=str(job["model"]),
        action=str(job["action"]),
        name=_text(job["name"]),
        state=state,
        attempt=int(job["attempt"]),
        submitted=job["submitted"],
        started=job["started"],
        finished=job["finished"],
        worker=_text(job["worker"]),
        error=_text(job["error"]),
        headline={name: best[name] for name in ("label", "value", "unit")} if best else None,
        report=_report(path),
        continues=_text(job.get("continues")),
        read_stored=read_stored,
        warnings=tuple(map(str, job["warnings"] or ())),
        notes=tuple(map(str, job["notes"] or ())),
        metrics=job["metrics"],
        sweep=_text(job["sweep"]),
        entry=job.get("entry"),
        tags=job["tags"],
        note=job["note"],
        place=path,
    )


def _metrics_in(folder: JobFolder) -> Mapping[str, float]:
    try:
        return folder.metrics
    except DamagedFolder:  # the rest of the job can be read
        return {}


def _same(stored: StoredSpec) -> StoredSpec:
    return stored


def _stored_in(folder: JobFolder) -> StoredSpec:
    try:
        return StoredSpec.of_folder(folder.job)
    except (AttributeError, InvalidJob) as error:
        raise _no_record(folder, error) from None


def _no_record(folder: JobFolder, error: Exception) -> DamagedFolder:
    return DamagedFolder(f"{folder.path}: job.json is not a job's record ({error})")


def _report(folder: Path) -> str | None:
    path = folder / "report.html"
    return str(path) if path.exists() else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def iso(milliseconds: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
