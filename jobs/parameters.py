"""The classes that a model's `spec.py` extends: what a job's parameters are, and how a field is described.

A wing's `spec.py` has one for each action: `Train`, `Evaluate` and `Generate`. The command line, its help,
the report's list of parameters and the tests that hold for every model are generated from these.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from jobs.datasets import Dataset, Form
from jobs.ids import is_job_id

Action = Literal["train", "evaluate", "generate"]
ACTIONS: tuple[Action, ...] = ("train", "evaluate", "generate")


def number(default: Any, description: str, unit: str | None = None, **limits: Any) -> Any:
    """A field that holds a number: its default, one line of help, its unit and its range.

    Args:
        default: the value where none is given; None for a number that may be left out.
        description: what it is, for the help and the report.
        unit: what is counted or measured.
        limits: pydantic's `ge`, `gt`, `le` and `lt`.
    """
    return Field(
        default, description=description, json_schema_extra={"unit": unit} if unit else None, **limits
    )


def training_of(model: str, description: str) -> Any:
    """A field that may name a training job of `model`; its type is `JobReference | None`."""
    return Field(None, description=description, json_schema_extra={"job": model})


def _check_reference(text: str) -> str:
    if not is_job_id(text):
        raise ValueError("a job id like 20261123-221530-042-k7qd")
    return text


def _listed(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


JobReference = Annotated[str, AfterValidator(_check_reference)]
"""The id of a job. A person may give any reference; the client resolves it."""

Several = BeforeValidator(_listed)
"""Marks a tuple field that also accepts a single value."""


class Checked(BaseModel):
    """Accepts the fields that it declares and no others, and rejects booleans.

    A validator raises ValueError with the valid values, to be read after `expected`.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True, defer_build=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_bool(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise PydanticCustomError("boolean", "neither true nor false")
        return value


class Parameters(Checked):
    """The base class of all parameter classes.

    Attributes:
        model: the model's name, which is that of its wing's folder; set when the wing is found.
        action: what the job does.
        source: whether `--from` must name a finished training job of the same model.
        data_kind: what `--data` must hold, in a word; empty where a job reads no data.
        datasets: those that `--data` may name; a training job reads the first by default.
        forms: the forms in which a person may give their own data.
        default_time_limit: of an attempt, in seconds, where the job sets none.
    """

    model: ClassVar[str] = ""
    action: ClassVar[Action]
    source: ClassVar[Literal["forbidden", "needed"]] = "forbidden"
    data_kind: ClassVar[str] = ""
    datasets: ClassVar[tuple[Dataset, ...]] = ()
    forms: ClassVar[tuple[Form, ...]] = ()
    default_time_limit: ClassVar[int] = 24 * 3600

    @classmethod
    def takes_data(cls) -> bool:
        """Whether the job reads data that `--data` may name."""
        return bool(cls.data_kind)

    @classmethod
    def default_data(cls) -> str:
        """The dataset that a training job reads by default.

        Raises:
            IndexError: there is none.
        """
        return cls.datasets[0].name

    def check_data(self, data: str | None) -> None:
        """Refuse a job whose parameters contradict `--data`; a model's own class may override this.

        Args:
            data: the job's `--data`, None where there is none.

        Raises:
            InvalidJob: they contradict each other.
        """

    @classmethod
    def migrated(cls, values: dict[str, Any], schema: int) -> dict[str, Any]:  # noqa: ARG003 - for subclasses
        """The parameters of a job that an earlier version stored, as this version names them.

        A model that renames or removes a parameter overrides this, so that queued jobs and old folders stay
        usable.

        Args:
            values: the parameters that were set, by their names of then.
            schema: the number of the schema that was written, `jobs.specs.stored_spec.SCHEMA` of then.
        """
        return values

    @classmethod
    def needed_trainings(cls) -> dict[str, str]:
        """Each field that names a training job, `from` included -> that job's model."""
        found = {"from": cls.model} if cls.source == "needed" else {}
        for name, field in cls.model_fields.items():
            if isinstance(field.json_schema_extra, dict) and "job" in field.json_schema_extra:
                found[name] = str(field.json_schema_extra["job"])
        return found


class Training(Parameters):
    """The parameters of every training job."""

    action = "train"
    default_time_limit = 28 * 24 * 3600
    epochs: int = number(20, "passes over the training data", "epochs", ge=1, le=1_000_000)
    learning_rate: float = number(4e-3, "Adam's largest step size", gt=0, le=1)


class Evaluation(Parameters):
    """The parameters of every evaluation."""

    action = "evaluate"
    source = "needed"


class Generation(Parameters):
    """The parameters of every generation."""

    action = "generate"
    source = "needed"
