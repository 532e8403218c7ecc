"""The parameters of the review model's jobs, and the datasets that they read."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from jobs.datasets import Dataset, Form, Original, is_there
from jobs.errors import InvalidJob
from jobs.parameters import Evaluation, Generation, Parameters, Several, Training, number
from jobs.wording import shown

# Keras pins its own IMDB file and, by MD5 only, the word index beside it:
# https://github.com/keras-team/keras/blob/master/keras/src/datasets/imdb.py
KERAS_IMDB = Original(
    file="imdb.npz",
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz",
    size=17_464_789,
    sha256="69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
)
KERAS_IMDB_WORD_INDEX = "imdb_word_index.json"
KERAS_IMDB_WORD_INDEX_MD5 = "bfafd718b763782e994055a2d397834f"

IMDB = Dataset(
    name="imdb",
    kind="reviews",
    title="Large Movie Review Dataset, 25,000 + 25,000 reviews",
    origin="Maas et al. (2011), as Stanford publishes it",
    licence="none stated; its makers ask to cite Maas et al., ACL 2011",
    layouts=(
        ("aclImdb.tar.gz",),
        ("aclImdb_v1.tar.gz",),
        ("aclImdb/",),
        (KERAS_IMDB.file, KERAS_IMDB_WORD_INDEX),
    ),
    originals=(
        # Size and checksum as TensorFlow Datasets records them:
        # https://github.com/tensorflow/datasets/blob/333639b/tensorflow_datasets/url_checksums/imdb_reviews.txt
        Original(
            file="aclImdb_v1.tar.gz",
            url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
            size=84_125_825,
            sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
        ),
        KERAS_IMDB,
    ),
)

TOY_REVIEWS = Dataset(
    name="toy-reviews",
    kind="reviews",
    title="Short made-up reviews, for trying things out",
    origin="made by a grammar",
    licence="MIT, part of Quartet",
)


def _holds_reviews(folder: Path) -> bool:
    """Whether it has the folders pos/ and neg/, or a folder train/ that has them."""
    return any(
        all(is_there(part / label, folder=True) for label in ("pos", "neg"))
        for part in (folder, folder / "train")
    )


TABLE = Form("a .csv, .tsv, .jsonl or .parquet file", (".csv", ".tsv", ".jsonl", ".json", ".parquet"))
LINES = Form("a .txt file with one review a line", (".txt",))
LABELLED_LINES = Form("a .txt file with fastText's labels", (".txt",))
POS_AND_NEG = Form("a folder with pos/ and neg/", holds=_holds_reviews, content="pos/ and neg/")


def _at_commas(value: Any) -> Any:
    """Labels that were given as one text with commas, as several texts, or as numbers."""
    several = value if isinstance(value, list | tuple) else [value]
    parts = [str(each).split(",") if isinstance(each, str | int | float) else [each] for each in several]
    return [label.strip() if isinstance(label, str) else label for part in parts for label in part]


def _column(what: str) -> Any:
    text = f"the column of your own file with the {what}; without it, the one whose name says so"
    return Field(description=text, min_length=1, max_length=200)


Label = Annotated[str, Field(min_length=1, max_length=100)]
Labels = Annotated[tuple[Label, ...], BeforeValidator(_at_commas)]

TextColumn = Annotated[str | None, _column("text")]
LabelColumn = Annotated[str | None, _column("label")]
Positive = Annotated[
    Labels, Field(description="labels that count as positive, such as 4,5", max_length=1_000)
]
Negative = Annotated[
    Labels,
    Field(
        description="labels that count as negative, such as 1,2; all others are left out", max_length=1_000
    ),
]
OnBadRow = Annotated[
    Literal["refuse", "skip"],
    Field(description="what to do with rows of your own file that cannot be read"),
]


class OnReviews(Parameters):
    """Reads labelled reviews."""

    data_kind = "reviews"
    datasets = (IMDB, TOY_REVIEWS)
    forms: ClassVar[tuple[Form, ...]] = (TABLE, LABELLED_LINES, POS_AND_NEG)

    def check_data(self, data: str | None) -> None:
        """Refuse labels that contradict each other, and columns or labels without a file that has them.

        Raises:
            InvalidJob: they do.
        """
        positive, negative = (getattr(self, name, ()) for name in ("positive", "negative"))
        if bool(positive) != bool(negative):
            missing, other = ("negative", "positive") if positive else ("positive", "negative")
            raise InvalidJob(missing, expected=f"labels, since --{other} has some", given="none")
        if both := {label.lower() for label in positive} & {label.lower() for label in negative}:
            expected = "labels that --positive does not have"
            raise InvalidJob("negative", expected=expected, given=shown(min(both)))
        for name in ("text_column", "label_column", "positive"):
            if getattr(self, name, None) and (data is None or data in {each.name for each in self.datasets}):
                given = "none" if data is None else shown(data)
                raise InvalidJob(name, expected="--data with a file of your own beside it", given=given)


class Train(Training, OnReviews):
    """Train Embedding → LSTM 64 → Dense 1 on labelled reviews."""

    epochs: int = number(5, "passes over the training data", "epochs", ge=1, le=1_000_000)
    learning_rate: float = number(1e-3, "Adam's step size", gt=0, le=1)
    batch_size: int = number(128, "examples in one training step", "examples", ge=1, le=65_536)
    vocabulary: int = number(10_000, "most frequent words that the model knows", "words", ge=10, le=1_000_000)
    length: int = number(200, "words of a review that are read", "words", ge=2, le=10_000)
    text_column: TextColumn = None
    label_column: LabelColumn = None
    positive: Positive = ()
    negative: Negative = ()
    on_bad_row: OnBadRow = "refuse"


class Evaluate(Evaluation, OnReviews):
    """Measure balanced accuracy, precision, recall and F1 on the test reviews; choose a threshold."""

    target_precision: float | None = number(
        None,
        "choose the lowest threshold with this precision, at 95 % confidence by the validation reviews",
        gt=0,
        lt=1,
    )
    target_recall: float | None = number(
        None,
        "choose the highest threshold with this recall, at 95 % confidence by the validation reviews",
        gt=0,
        lt=1,
    )
    text_column: TextColumn = None
    label_column: LabelColumn = None
    positive: Positive = ()
    negative: Negative = ()
    on_bad_row: OnBadRow = "refuse"

    @field_validator("target_recall")
    @classmethod
    def _one_target(cls, recall: float | None, info: ValidationInfo) -> float | None:
        if recall is not None and info.data.get("target_precision") is not None:
            raise ValueError("either target_precision or target_recall")
        return recall


class Generate(Generation, OnReviews):
    """Label reviews, with probabilities and the words that moved each decision most."""

    forms = (TABLE, LINES)
    text: Annotated[
        tuple[Annotated[str, Field(max_length=64_000)], ...],
        Several,
        Field(description="a review to label; may be given several times", max_length=1_000),
    ] = ()
    threshold: float | None = number(
        None, "probability from which a review is called positive; without it 0.5", ge=0, le=1
    )
    limit: int | None = number(
        None, "label only the first so many reviews; without it all of them", ge=1, le=1_000_000_000
    )
    text_column: TextColumn = None
    on_bad_row: OnBadRow = "refuse"

    def check_data(self, data: str | None) -> None:
        """Refuse a job with two sources of reviews, or none.

        Raises:
            InvalidJob: there is nothing to label, or both --text and --data.
        """
        if (data is None) == (not self.text):
            raise InvalidJob(
                "text", expected="either --text or --data", given="none" if data is None else "both"
            )
        super().check_data(data)
