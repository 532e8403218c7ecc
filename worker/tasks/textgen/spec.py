"""The parameters of the character model's jobs, and the texts that it knows by name."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from jobs.datasets import Dataset, Form, Original
from jobs.parameters import Evaluation, Generation, Parameters, Several, Training, number
from jobs.wording import counted

SHAKESPEARE = Dataset(
    name="shakespeare",
    kind="text",
    title="Lines from Shakespeare's plays, 1.1 million characters",
    origin="Andrej Karpathy's tinyshakespeare, as TensorFlow's tutorials publish it",
    licence="public domain",
    layouts=(("shakespeare.txt",),),
    originals=(
        Original(
            file="shakespeare.txt",
            url="https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
            size=1_115_394,
            sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        ),
    ),
)

PYDOC = Dataset(
    name="pydoc",
    kind="text",
    title="English prose about the Python language",
    origin="made from the pydoc_data.topics of the running Python",
    licence="PSF licence, part of Python",
)


class OnText(Parameters):
    """Reads one text."""

    data_kind = "text"
    datasets = (SHAKESPEARE, PYDOC)
    forms = (Form("a .txt file", (".txt",)),)


class Train(Training, OnText):
    """Train an LSTM to predict the next character, at every position of a window."""

    epochs: int = number(15, "passes over the training data", "epochs", ge=1, le=1_000_000)
    learning_rate: float = number(1.6e-2, "Adam's largest step size", gt=0, le=1)
    batch_size: int = number(64, "streams of text read in parallel", "streams", ge=1, le=65_536)
    window: int = number(25, "characters before the gradient is cut", "characters", ge=2, le=10_000)
    layers: int = number(1, "LSTM layers, one on the other", "layers", ge=1, le=8)
    units: int = number(128, "units in each LSTM layer", "units", ge=1, le=4_096)


class Evaluate(Evaluation, OnText):
    """Measure nats, bits, perplexity and accuracy per character on the last tenth of a text."""


class Generate(Generation):
    """Write text after a prompt, at one or several temperatures."""

    prompt: Annotated[
        str | None,
        Field(
            description="the text to continue; without it the beginning of the text the model was trained on",
            min_length=1,
            max_length=10_000,
        ),
    ] = None
    length: int = number(400, "characters to write", "characters", ge=1, le=1_000_000)
    temperature: Annotated[
        tuple[Annotated[float, Field(ge=0, le=10)], ...],
        Several,
        Field(
            description="0 takes the likeliest character, 1 the model's own odds; may be given several times",
            min_length=1,
            max_length=20,
        ),
    ] = (0.2, 0.5, 1.0)
    top_k: int = number(0, "sample from the k likeliest characters only, 0 for all", ge=0, le=100_000)
    top_p: float = number(
        1.0, "sample from the likeliest characters that make up this probability", gt=0, le=1
    )
    samples: int = number(1, "texts for each temperature", "texts", ge=1, le=1_000)
    on_unknown: Annotated[
        Literal["error", "drop"],
        Field(description="what to do with characters of the prompt that the model has never seen"),
    ] = "error"

    most_characters: ClassVar[int] = 20_000_000
    """In one job, over all temperatures and samples."""

    @field_validator("samples")
    @classmethod
    def _not_too_many(cls, samples: int, info: ValidationInfo) -> int:
        length, temperatures = info.data.get("length", 1), info.data.get("temperature", ())
        if samples * length * len(temperatures) > cls.most_characters:
            raise ValueError(
                f"at most {cls.most_characters:,} characters in all, "
                f"with {length:,} in a text and {counted(len(temperatures), 'temperature')}"
            )
        return samples
