"""What Quartet writes to MLflow about a job, read from its folder, and about a sweep."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from jobs.comparison.folder_run import run_of_folder
from jobs.comparison.run import DAMAGED, Run
from jobs.errors import DamagedFolder
from jobs.moments import milliseconds
from jobs.store.job_folder import HISTORY, MODEL, JobFolder, files_in
from jobs.store.objects.layout import well_named
from jobs.sweeps.sweep_spec import names_a_folder
from jobs.tracking.tracked_run import (
    BEST,
    NOTE,
    TAGS,
    WHY,
    MetricValue,
    Status,
    TrackedRun,
    cut,
    named,
    params_of,
    tags_of,
)

if TYPE_CHECKING:
    from jobs.job import Job
    from jobs.sweeps.entry import Entry
    from jobs.sweeps.sweep import Sweep

STATUS: Mapping[str, Status] = {"succeeded": "FINISHED", "failed": "FAILED", "cancelled": "KILLED"}
SWEEP_STATUS: Mapping[str, Status] = {"running": "RUNNING", "ended": "FINISHED", "stopped": "KILLED"}

FILES = ("report.html", "metrics.json", HISTORY, "job.json")
"""The files of a job that are copied, beside its figures."""

FIGURES = "figures/"
EPOCHS = "epochs"
"""Before the name of each column of `history.csv`, which may have the name of a metric of the whole job."""

MOST_STEP = 2**63 - 1
_MOST_CHECKSUMS = 50


def tracked_job(
    job: "Job", folder: JobFolder, *, sweep: "Sweep | None", entry: "Entry | None", with_model: bool
) -> TrackedRun:
    """One job.

    Args:
        job: the job, with its tags and its note.
        folder: its folder, which matches its manifest.
        sweep: the sweep with which it is exported; None where it is exported alone.
        entry: what that sweep knows of it.
        with_model: whether its model is copied.

    Raises:
        DamagedFolder: its folder holds what no job has.
    """
    run = run_of_folder(folder)
    name = job.sweep if sweep is None else sweep.name
    try:
        if run.state == DAMAGED or not run.model.isidentifier() or not (name is None or names_a_folder(name)):
            raise ValueError(run.error or "its model or its sweep has no name that can be")
        started, ended = milliseconds(job.started or job.submitted), milliseconds(job.finished or "")
        history = tuple(_history(folder, ended))
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise DamagedFolder(f"{folder.path}: it cannot be exported ({error})") from None
    files = sorted(well_named(files_in(folder.path)))
    return TrackedRun(
        experiment=name or run.model,
        identity=("quartet.job", job.id),
        name=cut(job.name or job.id, 200),
        status=STATUS[run.state],
        started=started,
        ended=max(started, ended),
        params=_params(run),
        metrics=_metrics(run.metrics, ended),
        history=history,
        tags=_tags(job, run, entry),
        folder=folder.path,
        files=tuple(file for file in files if file in FILES or file.startswith(FIGURES)),
        model=MODEL if with_model and MODEL in files else None,
    )


def tracked_sweep(sweep: "Sweep") -> TrackedRun:
    """A sweep, whose jobs are its children."""
    spec, best = sweep.spec, sweep.best
    started = milliseconds(sweep.created)
    ended = None if sweep.ended is None else max(started, milliseconds(sweep.ended))
    found = {spec.metric.name: best.value} if best is not None and best.value is not None else {}
    about = {"model": spec.model, "action": spec.action, "data": spec.data, "method": spec.method}
    about |= {"metric": spec.metric.name, "goal": spec.metric.goal}
    tags: dict[str, object] = {WHY: sweep.why, BEST: best.job if best is not None else None}
    tags["quartet.sweep.state"] = sweep.state
    tags["quartet.sweep.trials"] = ", ".join(f"{count} {state}" for state, count in sweep.counts.items())
    return TrackedRun(
        experiment=sweep.name,
        identity=("quartet.sweep.created", sweep.created),
        name=f"sweep {sweep.name}",
        status=SWEEP_STATUS[sweep.state],
        started=started,
        ended=ended,
        params=params_of({name: value for name, value in about.items() if value is not None}),
        metrics=_metrics(found, ended or started),
        tags=tags_of(tags),
    )


def _params(run: Run) -> dict[str, str]:
    """The parameters, and what else decides a job: its data, its seed and the job whose model it used."""
    more = {"data": run.data, "seed": run.seed, "from": run.source}
    found = {name: value for name, value in more.items() if value is not None}
    return params_of(found | dict(run.parameters))


def _metrics(values: Mapping[str, float], moment: int) -> tuple[MetricValue, ...]:
    return tuple(MetricValue(named(name), float(value), moment, 0) for name, value in values.items())


def _history(folder: JobFolder, ended: int) -> Iterator[MetricValue]:
    """The numbers of each epoch; its moment is computed backwards from the job's end."""
    history = folder.history
    left = sum(row.get("seconds", 0.0) for row in history)
    for row in history:
        left -= row.get("seconds", 0.0)
        epoch = int(row["epoch"])
        if not 0 <= epoch <= MOST_STEP:
            raise ValueError(f"{HISTORY} has the epoch {row['epoch']:g}")
        for column, value in row.items():
            if column != "epoch":
                yield MetricValue(
                    f"{EPOCHS}/{named(column)}", value, max(0, ended - round(left * 1000)), epoch
                )


def _tags(job: "Job", run: Run, entry: "Entry | None") -> dict[str, str]:
    checksums = islice(run.checksums.items(), _MOST_CHECKSUMS)
    about: dict[str, Any] = {
        "quartet.action": run.action,
        "quartet.state": run.state,
        "quartet.code": run.code,
        **{f"quartet.library.{name}": version for name, version in run.libraries.items()},
        **{f"quartet.data.{name}": checksum for name, checksum in checksums},
        "quartet.worker": job.worker,
        "quartet.attempt": job.attempt,
        "quartet.continues": job.continues,
        "quartet.error": run.error,
        "quartet.warnings": "\n".join(run.warnings),
        TAGS: ", ".join(job.tags),
        NOTE: job.note,
    }
    if entry is not None:
        about |= {"quartet.trial": entry.trial, "quartet.rung": entry.rung, "quartet.follows": entry.then}
    return tags_of(about)
