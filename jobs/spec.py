"""What a job is: `JobSpec`, and the parameters of every model and action.

This file is the one source of truth. The command line, its help, the batch file, the
report's list of parameters and the tests that hold for every model are made from it.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from jobs.errors import InvalidJob
from jobs.job_id import is_job_id
from jobs.sentences import sentence, unknown_choice

Action = Literal["train", "evaluate", "generate"]
Priority = Literal["low", "normal", "high"]
DataKind = Literal["images", "text", "reviews"]
ACTIONS: tuple[Action, ...] = ("train", "evaluate", "generate")


def _number(default: Any, description: str, unit: str | None = None, **limits: Any) -> Any:
    """A number's default, its one-line help, its unit and its range."""
    return Field(
        default, description=description, json_schema_extra={"unit": unit} if unit else None, **limits
    )


def _reference(text: str) -> str:
    if not is_job_id(text):
        raise ValueError("this is not a job id; one looks like 20261123-221530-042-k7qd")
    return text


def _listed(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


JobReference = Annotated[str, AfterValidator(_reference)]


class _Checked(BaseModel):
    """Takes what is named and nothing else, and no true or false for a number."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True, defer_build=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_bool(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("true and false are not allowed here; allowed: the field's own values")
        return value


class Parameters(_Checked):
    """What all parameter classes share; a subclass that names a model and an action is a job kind."""

    model: ClassVar[str] = ""
    action: ClassVar[Action]
    source: ClassVar[Literal["forbidden", "needed"]] = "forbidden"
    """Whether `--from` must name a finished training of the same model."""
    data_kind: ClassVar[DataKind]
    """What `--data` must hold."""
    default_data: ClassVar[str]
    """The dataset a training reads where none is named."""
    takes_data: ClassVar[bool] = True
    default_time_limit: ClassVar[int] = 24 * 3600
    """Seconds an attempt may take where the job does not say."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if cls.model:
            PARAMETERS[cls.model, cls.action] = cls

    def check_data(self, data: str | None) -> None:
        """Refuse a job whose parameters and `--data` do not go together.

        Raises:
            InvalidJob: they do not.
        """

    @classmethod
    def needed_trainings(cls) -> dict[str, str]:
        """Fields that name a training: `from`, and those marked `job` -> the model it must be of."""
        found = {"from": cls.model} if cls.source == "needed" else {}
        for name, field in cls.model_fields.items():
            if isinstance(field.json_schema_extra, dict) and "job" in field.json_schema_extra:
                found[name] = str(field.json_schema_extra["job"])
        return found


PARAMETERS: dict[tuple[str, str], type[Parameters]] = {}
"""Every kind of job, in the order of this file."""


class Training(Parameters):
    """What every training has."""

    action = "train"
    default_time_limit = 28 * 24 * 3600
    epochs: int = _number(20, "passes over the training data", "epochs", ge=1, le=1_000_000)
    learning_rate: float = _number(4e-3, "Adam's largest step size", gt=0, le=1)


class Evaluation(Parameters):
    """What every evaluation has."""

    action = "evaluate"
    source = "needed"


class Generation(Parameters):
    """What every generation has."""

    action = "generate"
    source = "needed"


# --- images: the autoencoder and the denoiser -----------------------------------------


class OnImages(Parameters):
    """Reads images."""

    data_kind = "images"
    default_data = "mnist"


class ImageGeneration(Generation, OnImages):
    """Images through the network, and points of its 32-dimensional code decoded."""

    count: int = _number(10, "images to take from the data", "images", ge=1, le=10_000)
    first_digit: int = _number(3, "digit an interpolation starts from", ge=0, le=9)
    second_digit: int = _number(8, "digit an interpolation ends at", ge=0, le=9)
    interpolations: int = _number(
        9, "images on the way between two digits' codes, 0 for none", "images", ge=0, le=1_000
    )
    samples: int = _number(20, "images decoded from random codes, 0 for none", "images", ge=0, le=10_000)


class AutoencoderTrain(Training, OnImages):
    """Train 784 → 32 → 784 to reproduce its input."""

    model = "autoencoder"
    learning_rate: float = _number(3e-3, "Adam's largest step size, reached after 200 steps", gt=0, le=1)
    batch_size: int = _number(256, "examples in one training step", "examples", ge=1, le=65_536)


class AutoencoderEvaluate(Evaluation, OnImages):
    """Measure BCE, MSE and PSNR on the test images; show the code and the worst reconstructions."""

    model = "autoencoder"


class AutoencoderGenerate(ImageGeneration):
    """Reconstruct images; decode interpolations between two digits and samples of the code."""

    model = "autoencoder"


class DenoiserTrain(Training, OnImages):
    """Train 784 → 32 → 784 to remove Gaussian noise, fresh in every epoch."""

    model = "denoiser"
    learning_rate: float = _number(3e-3, "Adam's largest step size, reached after 200 steps", gt=0, le=1)
    batch_size: int = _number(256, "examples in one training step", "examples", ge=1, le=65_536)
    noise: float = _number(0.5, "noise added to the input, pixels being in [0, 1]", "std", ge=0, le=5)


class DenoiserEvaluate(Evaluation, OnImages):
    """Compare noisy, basic autoencoder and denoised images over a sweep of noise levels."""

    model = "denoiser"
    noise: float = _number(0.5, "noise level of the headline numbers", "std", ge=0, le=5)
    baseline: JobReference | None = Field(
        None,
        description="a training of `autoencoder` to compare with; without it one is trained in this job",
        json_schema_extra={"job": "autoencoder"},
    )


class DenoiserGenerate(ImageGeneration):
    """Denoise images; decode interpolations between two digits and samples of the code."""

    model = "denoiser"
    noise: float | None = _number(
        None,
        "noise added first; without it 0.5 for a named dataset, 0 for your own images",
        "std",
        ge=0,
        le=5,
    )


# --- text: characters -----------------------------------------------------------------


class OnText(Parameters):
    """Reads one text."""

    data_kind = "text"
    default_data = "shakespeare"


class TextgenTrain(Training, OnText):
    """Train an LSTM to predict the next character, at every position of a window."""

    model = "textgen"
    epochs: int = _number(15, "passes over the training data", "epochs", ge=1, le=1_000_000)
    learning_rate: float = _number(4e-3, "Adam's step size", gt=0, le=1)
    batch_size: int = _number(64, "streams of text read side by side", "streams", ge=1, le=65_536)
    window: int = _number(25, "characters before the gradient is cut", "characters", ge=2, le=10_000)
    layers: int = _number(1, "LSTM layers, one on the other", "layers", ge=1, le=8)
    units: int = _number(128, "units in each LSTM layer", "units", ge=1, le=4_096)


class TextgenEvaluate(Evaluation, OnText):
    """Measure nats, bits, perplexity and accuracy per character on held-out text."""

    model = "textgen"


class TextgenGenerate(Generation, OnText):
    """Write text after a prompt, at one or several temperatures."""

    model = "textgen"
    takes_data = False
    prompt: Annotated[str, Field(description="the text to go on from", min_length=1, max_length=10_000)] = (
        "ROMEO:"
    )
    length: int = _number(400, "characters to write", "characters", ge=1, le=1_000_000)
    temperature: Annotated[
        tuple[Annotated[float, Field(ge=0, le=10)], ...],
        BeforeValidator(_listed),
        Field(
            description="0 takes the likeliest character, 1 the model's own odds; may be given several times",
            min_length=1,
            max_length=20,
        ),
    ] = (0.2, 0.5, 1.0)
    top_k: int = _number(0, "sample from the k likeliest characters only, 0 for all", ge=0, le=100_000)
    top_p: float = _number(
        1.0, "sample from the likeliest characters that make up this probability", gt=0, le=1
    )
    samples: int = _number(1, "texts for each temperature", "texts", ge=1, le=1_000)
    most_characters: ClassVar[int] = 20_000_000
    """In one job, over all temperatures and samples."""
    on_unknown: Annotated[
        Literal["error", "drop"],
        Field(description="what to do with characters of the prompt that the model never saw"),
    ] = "error"

    @field_validator("samples")
    @classmethod
    def _not_too_many(cls, samples: int, info: ValidationInfo) -> int:
        length, temperatures = info.data.get("length", 1), info.data.get("temperature", ())
        if samples * length * len(temperatures) > cls.most_characters:
            raise ValueError(
                f"{samples:,} texts of {length:,} characters at {len(temperatures)} temperatures are too "
                f"many; allowed: {cls.most_characters:,} characters in all"
            )
        return samples


# --- text: reviews --------------------------------------------------------------------


class OnReviews(Parameters):
    """Reads labelled reviews."""

    data_kind = "reviews"
    default_data = "imdb"


class SentimentTrain(Training, OnReviews):
    """Train Embedding → LSTM 64 → Dense 1 on labelled reviews."""

    model = "sentiment"
    epochs: int = _number(5, "passes over the training data", "epochs", ge=1, le=1_000_000)
    learning_rate: float = _number(1e-3, "Adam's step size", gt=0, le=1)
    batch_size: int = _number(128, "examples in one training step", "examples", ge=1, le=65_536)
    vocabulary: int = _number(10_000, "most frequent words that are kept", "words", ge=10, le=1_000_000)
    length: int = _number(200, "words of a review that are read", "words", ge=2, le=10_000)


class SentimentEvaluate(Evaluation, OnReviews):
    """Measure accuracy, precision, recall and F1 on the test reviews; choose a threshold."""

    model = "sentiment"
    target_precision: float | None = _number(
        None, "choose the threshold that reaches this precision", gt=0, lt=1
    )
    target_recall: float | None = _number(None, "choose the threshold that reaches this recall", gt=0, lt=1)

    @field_validator("target_recall")
    @classmethod
    def _one_target(cls, recall: float | None, info: ValidationInfo) -> float | None:
        if recall is not None and info.data.get("target_precision") is not None:
            raise ValueError("there is a target_precision as well; allowed: one of the two")
        return recall


class SentimentGenerate(Generation, OnReviews):
    """Label reviews, with probabilities and the words that moved each decision most."""

    model = "sentiment"
    text: Annotated[
        tuple[Annotated[str, Field(max_length=1_000_000)], ...],
        BeforeValidator(_listed),
        Field(description="a review to label; may be given several times", max_length=1_000),
    ] = ()
    threshold: float | None = _number(
        None, "probability from which a review is called positive; without it 0.5", gt=0, lt=1
    )

    def check_data(self, data: str | None) -> None:
        """Labels what is given, and either here or there."""
        if (data is None) == (not self.text):
            problem = "needs reviews" if data is None else "takes its reviews from one place"
            raise InvalidJob(f"text: sentiment generate {problem}; allowed: either --text or --data")


MODELS: tuple[str, ...] = tuple(dict.fromkeys(model for model, _ in PARAMETERS))


class JobSpec(_Checked):
    """One job, complete and checked. Its JSON is what lies in Redis and in `job.json`."""

    model: str = Field(description="which network")
    action: Action = Field(description="train, evaluate or generate")
    parameters: SerializeAsAny[Parameters] = Field(
        default_factory=dict, validate_default=True, description="the parameters of this model and action"
    )
    data: Annotated[str, Field(min_length=1, max_length=4_096)] | None = Field(
        None, description="a dataset's name, or a path to your own data"
    )
    source: JobReference | None = Field(
        None, alias="from", description="the finished training whose model is used"
    )
    seed: int = _number(0, "of every random choice", ge=0, le=2**32 - 1)
    time_limit: int | None = _number(
        None,
        "wall-clock limit of one attempt; without it a day, for a training 28 days",
        "seconds",
        ge=1,
        le=10**9,
    )
    priority: Priority = Field(
        "normal", description="which queued jobs go first; a running one is never interrupted"
    )
    name: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="a name of your own to find the job by"
    )

    @field_validator("model")
    @classmethod
    def _known_model(cls, model: str) -> str:
        if model not in MODELS:
            raise ValueError(unknown_choice("model", model, MODELS))
        return model

    @field_validator("parameters", mode="before")
    @classmethod
    def _by_model_and_action(cls, value: Any, info: ValidationInfo) -> Any:
        """Parse the parameters with the class that belongs to this model and action."""
        kind = PARAMETERS.get((info.data.get("model", ""), info.data.get("action", "train")))
        if kind is None or isinstance(value, kind):
            return value
        if isinstance(value, Parameters):
            raise ValueError(f"these are parameters of {value.model} {value.action}")
        return kind.model_validate(value)

    @field_validator("name")
    @classmethod
    def _findable_name(cls, name: str | None) -> str | None:
        if name is not None and (not name.isprintable() or name != name.strip()):
            raise ValueError("a name has printable characters and no space around it")
        if name is not None and (name == "latest" or is_job_id(name)):
            raise ValueError("a name may not be `latest` or look like a job id")
        return name

    @classmethod
    def make(cls, model: str, action: str, /, **fields: Any) -> Self:
        """Make a spec from what a person gave.

        Raises:
            InvalidJob: one sentence that names the field and what is allowed.
        """
        return cls.parse({"model": model, "action": action, **fields})

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Make a spec from a dictionary.

        Raises:
            InvalidJob: one sentence that names the field and what is allowed.
        """
        try:
            spec = cls.model_validate(value)
        except ValidationError as error:
            raise InvalidJob(sentence(error, value, cls, PARAMETERS)) from None
        spec._check_source()
        spec.parameters.check_data(spec.data)
        return spec

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote.

        Raises:
            InvalidJob: it is not a job.
        """
        import json

        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidJob(f"job: not JSON ({error})") from None
        return cls.parse(value)

    def seconds_allowed(self) -> int:
        """How long an attempt at this job may take, in seconds."""
        return self.time_limit or self.parameters.default_time_limit

    def to_json(self) -> str:
        """One line of JSON, the same for the same job."""
        return self.model_dump_json(by_alias=True)

    def _check_source(self) -> None:
        needed = self.parameters.source == "needed"
        if needed and self.source is None:
            raise InvalidJob(
                f"from: {self.model} {self.action} needs the training whose model it uses; "
                f"allowed: a training of {self.model} (its id, name or `latest`)"
            )
        if not needed and self.source is not None:
            raise InvalidJob(f"from: {self.model} {self.action} starts from nothing; allowed: no --from here")

    def needs(self) -> dict[str, tuple[str, str]]:
        """Finished trainings this job reads: field -> (job id, the model it must be of)."""
        values = {**dict(self.parameters), "from": self.source}
        models = self.parameters.needed_trainings()
        return {name: (values[name], model) for name, model in models.items() if values[name] is not None}
