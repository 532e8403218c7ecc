"""Lists a job's parameters with the units, help and defaults that its spec classes give them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from jobs.errors import InvalidJob, InvalidModel
from jobs.ids import is_job_id
from jobs.models import parameters_of
from jobs.spec import JobSpec
from jobs.store.own_data_pin import shown_data
from worker.report.formatting import LONGEST_VALUE, clipped

MOST_VALUES = 12
"""Values of one parameter that the page shows."""

_OF_EVERY_JOB = ("data", "from", "seed")


@dataclass(frozen=True)
class ShownParameter:
    """One parameter: its value as text, its help, and where a value came from that nobody set."""

    name: str
    value: str
    unit: str
    help: str
    origin: str
    """`default`, `as in training`, or empty."""
    job: str | None
    """The job id that is the value, if it is one."""


def shown_parameters(job: Mapping[str, Any]) -> list[ShownParameter]:
    """The parameters of a job, in the order of their class.

    A parameter is shown by name and value alone where its class no longer has it, or where the model is not
    installed here.

    Args:
        job: the content of `job.json`.
    """
    spec = job["spec"]
    fields = _fields(spec["model"], spec["action"])
    of_job = {field.alias or name: field for name, field in JobSpec.model_fields.items()}
    given = {name: spec[name] for name in _OF_EVERY_JOB if spec.get(name) is not None}
    of_every_job = {parameter.name: parameter for parameter in _shown(given, of_job)}
    if "data" not in of_every_job:
        of_every_job |= {parameter.name: parameter for parameter in _data_by_default(job, of_job["data"])}
    return [
        *_shown(spec.get("parameters") or {}, fields),
        *(of_every_job[name] for name in _OF_EVERY_JOB if name in of_every_job),
    ]


def _data_by_default(job: Mapping[str, Any], field: FieldInfo) -> Iterator[ShownParameter]:
    """What the job read without being told to, or would have read; nothing where it needed no data."""
    spec, read = job["spec"], list(job["data"])
    if not read and job["state"] == "succeeded":
        return
    trained = bool(spec.get("from"))
    with suppress(InvalidJob, InvalidModel):
        kind = parameters_of(spec["model"], spec["action"])
        if not read and not kind.takes_data():
            return
        if not read and not trained and kind.datasets:
            read = [kind.default_data()]
    value = ", ".join(read) or ("that of the training job" if trained else "none")
    origin = "as in training" if trained and read else "default"
    yield ShownParameter("data", _text(value), "", field.description or "", origin, None)


def _fields(model: str, action: str) -> dict[str, FieldInfo]:
    try:
        return dict(parameters_of(model, action).model_fields)
    except (InvalidJob, InvalidModel):
        return {}


def _shown(values: Mapping[str, Any], fields: Mapping[str, FieldInfo]) -> Iterator[ShownParameter]:
    for name in sorted(values, key=lambda name: list(fields).index(name) if name in fields else len(fields)):
        value, field = values[name], fields.get(name)
        extra = field.json_schema_extra if field else None
        yield ShownParameter(
            name=name,
            value=_text(value),
            unit=str(extra.get("unit", "")) if isinstance(extra, dict) and value is not None else "",
            help=(field.description or "") if field else "",
            origin="default" if field is not None and _plain(field.default) == value else "",
            job=value if isinstance(value, str) and is_job_id(value) else None,
        )


def _plain(default: Any) -> Any:
    """A default as it comes back from JSON."""
    return list(default) if isinstance(default, tuple) else default


def _text(value: Any) -> str:
    match value:
        case None:
            return "none"
        case list():
            shown = [_text(entry) for entry in value[:MOST_VALUES]]
            more = [f"… and {len(value) - MOST_VALUES:,} more"] if len(value) > MOST_VALUES else []
            return ("\n" if any(isinstance(entry, str) for entry in value) else ", ").join(shown + more)
        case float():
            return f"{value:.12g}"
        case int() if not isinstance(value, bool):
            return f"{value:,}"
    return clipped(shown_data(str(value)), LONGEST_VALUE)
