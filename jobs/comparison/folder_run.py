"""Reads a `Run` from its folder, or from what Redis knows of a job that has none."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jobs.comparison.run import DAMAGED, Run
from jobs.errors import DamagedFolder, InvalidJob, InvalidModel
from jobs.ids import is_job_id
from jobs.job import Job
from jobs.ledger.job_record import ENDED, check_sweep
from jobs.models import parameters_of
from jobs.specs.stored_spec import StoredSpec
from jobs.store.job_folder import HISTORY, MOST_TABLE_BYTES, JobFolder, is_finite
from jobs.store.own_data_pin import Pin
from jobs.store.regular_files import read_regular

LIBRARIES = ("tensorflow", "keras", "numpy")
"""Whose versions may change a result."""


def run_of_folder(folder: JobFolder) -> Run:
    """A job as its folder has it, which may come from anywhere; one that cannot be read is `damaged`."""
    try:
        return _read(folder)
    except DamagedFolder as damage:
        return Run(folder.id, DAMAGED, error=str(damage).removeprefix(f"{folder.path}/"))
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        InvalidJob,
        OSError,
    ) as error:
        return Run(folder.id, DAMAGED, error=f"job.json is not a job's record ({error})")


def run_of_job(job: Job, progress: Mapping[str, Any]) -> Run:
    """A job that has no folder yet.

    Args:
        job: as Redis knows it.
        progress: its latest message, if it runs.
    """
    stored = job.stored
    try:
        parameters = dict(job.spec.parameters.model_dump(mode="json"))
    except (InvalidJob, InvalidModel):
        parameters = dict(stored.parameters)
    done = progress.get("epoch")
    return Run(
        id=job.id,
        state=job.state,
        model=job.model,
        action=job.action,
        name=job.name,
        tags=stored.tags,
        seed=stored.seed,
        data=_data_named(stored),
        source=stored.source,
        parameters=parameters,
        epochs_done=done if isinstance(done, int) and "stage" not in progress else None,
        submitted=job.submitted,
        error=job.error,
        progress=progress,
        sweep=job.sweep,
        trial=_number_in(job.entry, "trial"),
        rung=_number_in(job.entry, "rung"),
    )


def _read(folder: JobFolder) -> Run:
    job = folder.job
    stored, read = StoredSpec.of_folder(job), _mapping(job.get("data"))
    sweep = check_sweep(job.get("sweep")) or {"name": None, "entry": None}
    state = job["state"]
    if state not in ENDED:
        raise ValueError(f"its state is {str(state)[:40]!r}")
    return Run(
        id=folder.id,
        state=state,
        model=stored.model,
        action=stored.action,
        name=stored.name,
        tags=stored.tags,
        seed=stored.seed,
        data=(None if _pin(stored) else _data_read(read)) or _data_named(stored),
        checksums={str(name): str(_mapping(each).get("sha256") or "") for name, each in read.items()},
        source=stored.source if stored.source and is_job_id(stored.source) else None,
        parameters=_parameters(job),
        metrics=folder.metrics,
        epochs_done=_epochs_in(folder.path) if stored.action == "train" else None,
        seconds=float(job["seconds"]) if is_finite(job.get("seconds")) else None,
        submitted=str(_mapping(job.get("times")).get("submitted") or "") or None,
        error=None if job.get("error") is None else str(job["error"]),
        warnings=tuple(map(str, job.get("warnings") or ())),
        report=str(path) if (path := folder.path / "report.html").is_file() else None,
        code=str(_mapping(job.get("code")).get("checksum") or ""),
        libraries=_libraries(_mapping(job.get("versions"))),
        sweep=sweep["name"],
        trial=_number_in(sweep["entry"], "trial"),
        rung=_number_in(sweep["entry"], "rung"),
    )  # fmt: skip


def training_of(run: Run) -> Mapping[str, Any]:
    """What a training job says of how it was trained: `data`, `seed` and all parameters; nothing where it
    cannot be read.
    """
    return {"data": run.data, "seed": run.seed, **run.parameters} if run.kind else {}


def _parameters(job: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters, as this version names them where it understands the job."""
    try:
        return StoredSpec.as_it_ran(job).parameters.model_dump(mode="json")
    except (InvalidJob, InvalidModel):
        return dict(job["spec"].get("parameters") or {})


def _pin(stored: StoredSpec) -> Pin | None:
    """The stored data that a job reads."""
    return None if stored.data is None else Pin.read(stored.data)


def _data_named(stored: StoredSpec) -> str | None:
    """What a job is to read."""
    pin = _pin(stored)
    return (pin.shown if pin else stored.data) or _default_data(stored.model, stored.action)


def _data_read(read: Mapping[str, Any]) -> str | None:
    """The names of what was read, own files by their paths."""
    records = [_mapping(each) for each in read.values()]
    texts = [str(each.get("path") or each["name"]) for each in records if each.get("name")]
    return ", ".join(dict.fromkeys(texts)) or None


@cache
def _default_data(model: str, action: str) -> str | None:
    """What a training job reads that names no data."""
    try:
        return parameters_of(model, action).default_data() if action == "train" else None
    except (InvalidJob, InvalidModel, IndexError):
        return None


def _epochs_in(folder: Path) -> int | None:
    """How many rows `history.csv` has; all its cells are numbers, so each row is a line."""
    try:
        lines = read_regular(folder / HISTORY, MOST_TABLE_BYTES).splitlines()
    except OSError:
        return None
    return max(0, sum(map(bool, lines)) - 1)


def _libraries(versions: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(versions[name]) for name in LIBRARIES if name in versions}


def _number_in(entry: Mapping[str, Any] | None, name: str) -> int | None:
    """A number that a sweep gave a job; one that follows a trial has none of its own."""
    if entry is None or entry.get("then") is not None:
        return None
    number = entry.get(name)
    return number if isinstance(number, int) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
