"""`JobSpec`: one job, complete and validated; `specs/stored_spec.py` has the form in which it is stored."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SerializeAsAny, ValidationError, ValidationInfo, field_validator

from jobs.errors import InvalidJob
from jobs.ids import is_job_id
from jobs.models import model_names, parameters_of
from jobs.parameters import Action, Checked, JobReference, Parameters, Several, number
from jobs.specs.validation_messages import first_problem
from jobs.tags import check_tag, check_tags
from jobs.wording import shown, with_article

Priority = Literal["low", "normal", "high"]

MOST_BYTES = 64 * 1024
"""The size of a job as JSON; what is larger is data."""

FURTHER = "`quartet resume` trains a model further"


class JobSpec(Checked):
    """One job. `source` is the training job whose model it uses; JSON calls it `from`."""

    model: str = Field(description="which network")
    action: Action = Field(description="train, evaluate or generate")
    parameters: SerializeAsAny[Parameters] = Field(
        default_factory=dict, validate_default=True, description="the parameters of this model and action"
    )
    data: Annotated[str, Field(min_length=1, max_length=4_096)] | None = Field(
        None, description="a dataset's name, that of stored data, or a path to your own data"
    )
    source: JobReference | None = Field(
        None, alias="from", description="the finished training job whose model is used"
    )
    seed: int = number(0, "random seed", ge=0, le=2**32 - 1)
    time_limit: int | None = number(
        None,
        "wall-clock limit of one attempt; by default a day, or 28 days for a training job",
        "seconds",
        ge=1,
        le=10**9,
    )
    priority: Priority = Field("normal", description="queue priority; a running job is never interrupted")
    name: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="a name to find the job by"
    )
    tags: Annotated[tuple[Annotated[str, AfterValidator(check_tag)], ...], Several] = Field(
        (), description="words by which jobs are found together; `quartet tag` changes them later"
    )

    @field_validator("model")
    @classmethod
    def _known_model(cls, model: str) -> str:
        if model not in model_names():
            # Not a ValueError, which pydantic would catch: this error has a hint.
            raise InvalidJob.unknown("model", model, model_names())
        return model

    @field_validator("parameters", mode="before")
    @classmethod
    def _by_model_and_action(cls, value: Any, info: ValidationInfo) -> Any:
        """Parse the parameters with the class of this model and action."""
        if "model" not in info.data or "action" not in info.data:
            return value
        kind = parameters_of(info.data["model"], info.data["action"])
        if isinstance(value, kind):
            return value
        if isinstance(value, Parameters):
            raise ValueError(f"parameters of {kind.model} {kind.action}")
        return kind.model_validate(value)

    @field_validator("source", mode="before")
    @classmethod
    def _wanted_source(cls, source: Any, info: ValidationInfo) -> Any:
        kind = info.data.get("parameters")
        if source is not None and isinstance(kind, Parameters) and kind.source == "forbidden":
            # Not a ValueError, as above.
            raise InvalidJob(
                "from",
                expected=f"nothing, since {kind.model} {kind.action} starts from scratch",
                given=shown(source),
                hint=f"leave out --from; {FURTHER}",
            )
        return source

    @field_validator("name")
    @classmethod
    def _findable_name(cls, name: str | None) -> str | None:
        if name is not None and (not name.isprintable() or name != name.strip()):
            raise ValueError("printable characters with no space around them")
        if name is not None and (name == "latest" or is_job_id(name)):
            raise ValueError("a name that is neither `latest` nor like a job id")
        return name

    @field_validator("tags")
    @classmethod
    def _short_tags(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        return check_tags(tags)

    @classmethod
    def make(cls, model: str, action: str, /, **fields: Any) -> Self:
        """Make a spec from its fields.

        Args:
            model: a model's name.
            action: train, evaluate or generate.
            fields: the other fields, named as in JSON.

        Raises:
            InvalidJob: a field is wrong.
            InvalidModel: the model's wing lacks part of its contract.
        """
        return cls.parse({"model": model, "action": action, **fields})

    @classmethod
    def parse(cls, value: Any, *, any_size: bool = False) -> Self:
        """Make a spec from a dictionary.

        Args:
            value: the fields, named as in JSON.
            any_size: accept a job that is larger than `MOST_BYTES`, as Quartet 0.1 did.

        Raises:
            InvalidJob: a field is wrong.
            InvalidModel: the model's wing lacks part of its contract.
        """
        try:
            spec = cls.model_validate(value)
        except ValidationError as error:
            raise first_problem(error, value, cls) from None
        spec._check_source()
        if not any_size:
            spec.check_size()
        spec.parameters.check_data(spec.data)
        return spec

    def seconds_allowed(self) -> int:
        """The time limit of an attempt, in seconds."""
        return self.time_limit or self.parameters.default_time_limit

    def needs(self) -> dict[str, tuple[str, str]]:
        """The training jobs that this one reads: field -> (job id, the model that it must train)."""
        values = {**dict(self.parameters), "from": self.source}
        models = self.parameters.needed_trainings()
        return {name: (values[name], model) for name, model in models.items() if values[name] is not None}

    def check_size(self) -> None:
        """Refuse a job that is larger than `MOST_BYTES`.

        Raises:
            InvalidJob: it is.
        """
        # The texts first: what is far too large is not made into JSON, which would take as much again.
        size = sum(map(_bytes_in, dict(self.parameters).values()))
        if size <= MOST_BYTES:
            size = len(self.model_dump_json(by_alias=True).encode())
        if size > MOST_BYTES:
            raise InvalidJob(
                "parameters",
                expected=f"at most {MOST_BYTES // 1024} kB in all",
                given=f"{-(-size // 1024):,} kB",
                hint=self._where_larger_inputs_go(),
            )

    def _where_larger_inputs_go(self) -> str | None:
        return "put larger inputs into a file and give it as --data" if self.parameters.takes_data() else None

    def _check_source(self) -> None:
        if self.parameters.source == "needed" and self.source is None:
            raise InvalidJob(
                "from",
                expected=f"{with_article(f'{self.model} train')} job (its id, its name or `latest`)",
                given="none",
                hint=f"`quartet submit {self.model} train` makes one",
            )


def _bytes_in(value: Any) -> int:
    """The size of the texts in a parameter, in UTF-8."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    return sum(map(_bytes_in, value)) if isinstance(value, tuple | list) else 0
