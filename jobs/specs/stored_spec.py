"""`StoredSpec`: a job as Redis and its folder keep it, readable without the code of its model.

A record outlives the code that wrote it: the parameters that its owner set are kept, never the defaults, with
the number of the schema. Lists, reports and `verify` read no more than this; only a worker that runs the job,
and a person who queues it again, parse it against the model (`parse`).
"""

import json
import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Self

from jobs.errors import InvalidJob, InvalidModel, QuartetError
from jobs.models import parameters_of
from jobs.parameters import Parameters
from jobs.spec import JobSpec
from jobs.tags import is_tag
from jobs.wording import shown

SCHEMA = 2
"""The number of the schema that this version writes."""

FIRST_WITHOUT_DEFAULTS = 2
"""Records of number 1, which Quartet 0.1 wrote, hold every parameter, defaults included."""

DEEPEST = 32
"""Lists in lists in lists that a job may hold; JSON that is nested deeper ends in a RecursionError
somewhere."""

_TEXTS = ("model", "action")
_PERHAPS_TEXTS = ("data", "from", "name", "priority")
_PERHAPS_INTEGERS = ("seed", "time_limit")
_EMPTY: Mapping[str, Any] = {
    "model": "", "action": "", "parameters": {}, "data": None, "from": None, "seed": 0, "time_limit": None,
    "priority": "normal", "name": None, "tags": [],
}  # fmt: skip
"""Every field of a job in its order, with the value of one that was not set."""


@dataclass(frozen=True)
class StoredSpec:
    """One job as it was stored.

    Attributes:
        fields: named as in JSON: `model`, `action`, `parameters` (those that were set), `data`, `from`,
            `seed`, `time_limit`, `priority`, `name`, `tags`.
        schema: the number of the schema in which they were written.
        no_defaults: whether what was not set has been left out of a schema that has every parameter.
    """

    fields: Mapping[str, Any]
    schema: int = SCHEMA
    no_defaults: bool = field(default=False, compare=False)

    @property
    def model(self) -> str:
        """The model's name; this installation may not have it."""
        return str(self.fields["model"])

    @property
    def action(self) -> str:
        """What the job does."""
        return str(self.fields["action"])

    @property
    def kind(self) -> str:
        """Model and action, with a space between them."""
        return f"{self.model} {self.action}"

    @property
    def name(self) -> str | None:
        """The name that its owner gave it, if any."""
        return self.fields.get("name")

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that it was submitted with."""
        return tuple(self.fields.get("tags") or ())

    @property
    def data(self) -> str | None:
        """A dataset's name, or a path."""
        return self.fields.get("data")

    @property
    def source(self) -> str | None:
        """The id of the training job whose model it uses."""
        return self.fields.get("from")

    @property
    def priority(self) -> str:
        """Its queue priority."""
        return str(self.fields.get("priority") or "normal")

    @property
    def seed(self) -> int:
        """Its random seed."""
        return int(self.fields.get("seed") or 0)

    @property
    def time_limit(self) -> int | None:
        """The time limit of an attempt in seconds, if its owner set one."""
        return self.fields.get("time_limit")

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters that were set."""
        found: Mapping[str, Any] = self.fields.get("parameters", {})
        return found

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """A spec as it is stored: what was set, no default."""
        parameters = spec.parameters.model_dump(mode="json", exclude_unset=True)
        fields = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"parameters"})
        return cls({**fields, "parameters": parameters})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote, in any version.

        Raises:
            InvalidJob: it is not JSON, or not a job.
        """
        try:
            value = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise InvalidJob("job", expected="JSON", given=f"{shown(text)} ({error})") from None
        return cls.read(value)

    @classmethod
    def read(cls, value: Any) -> Self:
        """Check that a value from JSON has the form of a job, whatever its model.

        Raises:
            InvalidJob: it does not.
        """
        if not isinstance(value, dict):
            raise InvalidJob("job", expected="a JSON object", given=_kind_of(value))
        _check_values(value)
        fields = dict(value)
        schema = fields.pop("schema", 1)
        if not _is_integer(schema) or schema < 1:
            raise InvalidJob("schema", expected="an integer ≥ 1", given=shown(schema))
        if fields.get("parameters") is None:
            fields["parameters"] = {}
        for name in _TEXTS:
            if not isinstance(fields.get(name), str):
                raise InvalidJob(name, expected="text", given=shown(fields.get(name)))
        for name in _PERHAPS_TEXTS:
            if not isinstance(fields.get(name), str | None):
                raise InvalidJob(name, expected="text or nothing", given=shown(fields[name]))
        for name in _PERHAPS_INTEGERS:
            if fields.get(name) is not None and not _is_integer(fields[name]):
                raise InvalidJob(name, expected="an integer or nothing", given=shown(fields[name]))
        tags = fields.get("tags")
        if tags is not None and not (isinstance(tags, list) and all(map(is_tag, tags))):
            raise InvalidJob("tags", expected="a list of tags, or nothing", given=shown(tags))
        if not isinstance(fields["parameters"], dict):
            raise InvalidJob("parameters", expected="an object", given=shown(fields["parameters"]))
        return cls(fields, schema)

    @classmethod
    def of_folder(cls, job: Mapping[str, Any]) -> Self:
        """The spec in a folder's `job.json`, without the defaults of its day where the folder tells them
        apart.

        Args:
            job: the content of `job.json`.

        Raises:
            InvalidJob: it holds no job.
        """
        stored = cls.read(job.get("spec"))
        were_set = job.get("set")
        if not isinstance(were_set, list):
            return stored
        kept = {name: value for name, value in stored.parameters.items() if name in were_set}
        return cls({**stored.fields, "parameters": kept}, stored.schema, no_defaults=True)

    @classmethod
    def as_it_ran(cls, job: Mapping[str, Any]) -> JobSpec:
        """The spec in a folder's `job.json` with the defaults of its day, as this version names its
        parameters.

        Args:
            job: the content of `job.json`.

        Raises:
            InvalidJob: this version does not understand it.
            InvalidModel: the model's wing lacks part of its contract.
        """
        stored = cls.read(job.get("spec"))
        kind = stored._kind()
        were_set = job.get("set")
        values = _migrated(kind, dict(stored.parameters), stored.schema)
        if isinstance(were_set, list):  # a parameter that nobody set, and that is gone, is missed by nobody
            values = {
                name: value for name, value in values.items() if name in kind.model_fields or name in were_set
            }
        return JobSpec.parse({**stored.fields, "parameters": values}, any_size=True)

    def to_json(self) -> str:
        """One line of JSON in ASCII, the same for equal jobs."""
        return json.dumps({"schema": self.schema, **self.fields}, sort_keys=True)

    def complete(self) -> dict[str, Any]:
        """Every field of a job, those that were not set as well, and the parameters that were set."""
        return {**_EMPTY, **self.fields}

    def with_trainings(self, ids: Mapping[str, str]) -> Self:
        """The same job, reading other training jobs.

        Args:
            ids: `from`, or the parameter that names a training job -> the id of another.
        """
        own = {name: job_id for name, job_id in ids.items() if name != "from"}
        fields = {**self.fields, "parameters": {**self.parameters, **own}}
        return replace(self, fields=fields | ({"from": ids["from"]} if "from" in ids else {}))

    def parse(self) -> JobSpec:
        """The job, checked against the model that this installation has.

        Raises:
            InvalidJob: this version does not understand it: a newer one wrote it, or a parameter is unknown
                or out of range.
            InvalidModel: the model's wing lacks part of its contract.
        """
        values = dict(self.parameters)
        kind = self._kind()
        if self.schema < FIRST_WITHOUT_DEFAULTS and not self.no_defaults:
            defaults = {name: field.default for name, field in kind.model_fields.items()}
            values = {
                name: value for name, value in values.items() if not _equal(value, defaults.get(name, ...))
            }
        # What was accepted before jobs had a bound is done as it was promised.
        old = self.schema < FIRST_WITHOUT_DEFAULTS
        fields = {name: value for name, value in self.fields.items() if value is not None}
        return JobSpec.parse({**fields, "parameters": _migrated(kind, values, self.schema)}, any_size=old)

    def _kind(self) -> type[Parameters]:
        if self.schema > SCHEMA:
            raise InvalidJob(
                "schema",
                expected=f"at most {SCHEMA}, which this version reads",
                given=shown(self.schema),
                hint="a newer version of Quartet wrote this job",
            )
        return parameters_of(self.model, self.action)


def _migrated(kind: type[Parameters], values: dict[str, Any], schema: int) -> dict[str, Any]:
    try:
        return kind.migrated(deepcopy(values), schema)  # a stranger's code may change what it is given
    except QuartetError:
        raise
    except Exception as error:  # a stranger's code may raise anything
        raise InvalidModel(
            f"model {kind.model}, spec.py",
            expected=f"a class {kind.__name__} that migrates the parameters of earlier versions",
            given=f"{type(error).__name__} ({error})",
        ) from error


def _equal(value: Any, default: Any) -> bool:
    """Whether a value from JSON is a field's default, which may be a tuple."""
    return bool((tuple(value) if isinstance(value, list) else value) == default)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_values(value: dict[str, Any]) -> None:
    """Refuse what no JSON of ours holds and what would stop whoever shows it, before anything shows it.

    Raises:
        InvalidJob: it is nested too deep, or holds an infinity or a NaN.
    """
    pending: list[tuple[Any, int]] = [(value, 0)]
    while pending:
        each, depth = pending.pop()
        if depth > DEEPEST:
            raise InvalidJob("job", expected=f"JSON of at most {DEEPEST} levels", given="more")
        if isinstance(each, float) and not math.isfinite(each):
            raise InvalidJob("job", expected="finite numbers", given=shown(each))
        if isinstance(each, dict | list):
            children = each.values() if isinstance(each, dict) else each
            pending.extend((child, depth + 1) for child in children)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _kind_of(value: object) -> str:
    """A value in a message; of a list, which may be nested as deep as it likes, only its length."""
    return f"a list of {len(value):,}" if isinstance(value, list) and value else shown(value)
