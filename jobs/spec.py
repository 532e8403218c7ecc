"""`JobSpec`: one job, complete and validated, as Redis and `job.json` store it."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializeAsAny, ValidationError, ValidationInfo, field_validator

from jobs.errors import InvalidJob
from jobs.ids import is_job_id
from jobs.models import model_names, parameters_of
from jobs.parameters import Action, Checked, JobReference, Parameters, number
from jobs.validation_messages import first_problem
from jobs.wording import shown, with_article

Priority = Literal["low", "normal", "high"]


class JobSpec(Checked):
    """One job. `source` is the training job whose model it uses; JSON calls it `from`."""

    model: str = Field(description="which network")
    action: Action = Field(description="train, evaluate or generate")
    parameters: SerializeAsAny[Parameters] = Field(
        default_factory=dict, validate_default=True, description="the parameters of this model and action"
    )
    data: Annotated[str, Field(min_length=1, max_length=4_096)] | None = Field(
        None, description="a dataset's name, or a path to your own data"
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

    @field_validator("name")
    @classmethod
    def _findable_name(cls, name: str | None) -> str | None:
        if name is not None and (not name.isprintable() or name != name.strip()):
            raise ValueError("printable characters with no space around them")
        if name is not None and (name == "latest" or is_job_id(name)):
            raise ValueError("a name that is neither `latest` nor like a job id")
        return name

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
    def parse(cls, value: Any) -> Self:
        """Make a spec from a dictionary.

        Raises:
            InvalidJob: a field is wrong.
            InvalidModel: the model's wing lacks part of its contract.
        """
        try:
            spec = cls.model_validate(value)
        except ValidationError as error:
            raise first_problem(error, value, cls) from None
        spec._check_source()
        spec.parameters.check_data(spec.data)
        return spec

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote.

        Raises:
            InvalidJob: it is not JSON, or not a job.
            InvalidModel: the model's wing lacks part of its contract.
        """
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidJob("job", expected="JSON", given=f"{shown(text)} ({error})") from None
        return cls.parse(value)

    def seconds_allowed(self) -> int:
        """The time limit of an attempt, in seconds."""
        return self.time_limit or self.parameters.default_time_limit

    def to_json(self) -> str:
        """One line of JSON, the same for equal jobs."""
        return self.model_dump_json(by_alias=True)

    def needs(self) -> dict[str, tuple[str, str]]:
        """The training jobs that this one reads: field -> (job id, the model that it must train)."""
        values = {**dict(self.parameters), "from": self.source}
        models = self.parameters.needed_trainings()
        return {name: (values[name], model) for name, model in models.items() if values[name] is not None}

    def _check_source(self) -> None:
        kind, needed = f"{self.model} {self.action}", self.parameters.source == "needed"
        if needed and self.source is None:
            raise InvalidJob(
                "from",
                expected=f"{with_article(f'{self.model} train')} job (its id, its name or `latest`)",
                given="none",
                hint=f"`quartet submit {self.model} train` makes one",
            )
        if not needed and self.source is not None:
            raise InvalidJob(
                "from", expected=f"nothing, since {kind} starts from scratch", given=shown(self.source),
                hint="leave out --from; `quartet resume` trains a model further",
            )  # fmt: skip
