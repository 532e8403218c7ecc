"""The catalogue: which datasets there are, what they are called on disk, which model takes which.

Facts and names only, so that `quartet submit` can refuse a wrong `--data` before anything is
queued. What is in a file is looked at by `worker.data`, on the machine that does the job.
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from jobs.errors import InvalidData
from jobs.sentences import unknown_choice
from jobs.spec import PARAMETERS, DataKind


@dataclass(frozen=True)
class Original:
    """A file as its publisher offers it; `size` is in bytes, `sha256` is pinned."""

    file: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """One dataset that has a name.

    Attributes:
        origin: where it comes from, in words.
        licence: what is known about its licence or its makers' wishes.
        layouts: what it may be in the data folder, the preferred first: names that must all be
            there, of which the first is the one to open; a folder's name ends in `/`.
        originals: files whose checksum is known; the first is the one that is downloaded.
    """

    name: str
    kind: DataKind
    title: str
    origin: str
    licence: str
    layouts: tuple[tuple[str, ...], ...] = ()
    originals: tuple[Original, ...] = ()

    @property
    def offline(self) -> bool:
        """Whether it is made on the spot and needs neither a file nor a network."""
        return not self.layouts

    def pinned(self, file: str) -> str | None:
        """The SHA-256 that a file of this name has as its publisher offers it, if that is known."""
        return next((original.sha256 for original in self.originals if original.file == file), None)


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

_ALL = (
    Dataset(
        name="mnist",
        kind="images",
        title="MNIST, 60,000 + 10,000 handwritten digits, 28 × 28",
        origin="Yann LeCun and Corinna Cortes, as Keras publishes it",
        licence="CC BY-SA 3.0, by Yann LeCun and Corinna Cortes, after NIST",
        layouts=(("mnist.npz",),),
        originals=(
            # https://github.com/keras-team/keras/blob/master/keras/src/datasets/mnist.py
            Original(
                file="mnist.npz",
                url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
                size=11_490_434,
                sha256="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            ),
        ),
    ),
    Dataset(
        name="digits",
        kind="images",
        title="1,797 handwritten digits, 8 × 8, scaled to 28 × 28",
        origin="made from scikit-learn's load_digits",
        licence="CC BY 4.0, by E. Alpaydin and C. Kaynak (UCI Machine Learning Repository)",
    ),
    Dataset(
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
    ),
    Dataset(
        name="pydoc",
        kind="text",
        title="English prose about the Python language",
        origin="made from the pydoc_data.topics of the running Python",
        licence="PSF licence, part of Python",
    ),
    Dataset(
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
    ),
    Dataset(
        name="toy-reviews",
        kind="reviews",
        title="Short made-up reviews, for trying things out",
        origin="made by a grammar",
        licence="MIT, part of Quartet",
    ),
)

DATASETS: Mapping[str, Dataset] = MappingProxyType({dataset.name: dataset for dataset in _ALL})
"""Every dataset that has a name."""


@dataclass(frozen=True)
class _Form:
    """One form in which data may be given by path."""

    words: str
    suffixes: tuple[str, ...] = ()
    folder: bool = False


_NPZ = _Form("an .npz file", (".npz",))
_PNG = _Form("a .png file", (".png",))
_PNG_FOLDER = _Form("a folder of PNG files", folder=True)
_TXT = _Form("a .txt file", (".txt",))
_TABLE = _Form("a .csv, .tsv or .jsonl file", (".csv", ".tsv", ".jsonl"))
_LINES = _Form("a .txt file with one review a line", (".txt",))
_POS_AND_NEG = _Form("a folder with pos/ and neg/", folder=True)


def datasets_of(kind: DataKind) -> tuple[str, ...]:
    """Names of the datasets of one kind."""
    return tuple(dataset.name for dataset in _ALL if dataset.kind == kind)


def find(name: str, data_dir: Path) -> Path | None:
    """The file or folder of a dataset that is in the data folder already, if there is one.

    Only names and types are looked at. Offline samples have no file, so there is never one.
    """
    for layout in DATASETS[name].layouts:
        if all(_is_there(data_dir / part, folder=part.endswith("/")) for part in layout):
            return data_dir / layout[0]
    return None


def check_data(model: str, action: str, value: str, *, base: Path | None = None) -> str:
    """Check what a person gave as `--data`: a dataset's name, or a path on this machine.

    Args:
        model: a model's name, as in `JobSpec`.
        action: train, evaluate or generate.
        value: a dataset's name, or a path.
        base: the folder that a relative path starts from; without it, the working folder.

    Returns:
        The name as it is, or the path made absolute; symbolic links in it are kept.

    Raises:
        InvalidData: the dataset is of another kind, there is no such path, or what is there has
            a form that this model and action do not take.
    """
    job = PARAMETERS[model, action]
    if not job.takes_data:
        raise InvalidData(f"data: {model} {action} reads no data; allowed: no --data here")
    kind = job.data_kind
    if value in DATASETS:
        check_kind(value, kind)
        return value
    forms = _forms(kind, generate=action == "generate")
    paths = f"a path to {' or '.join(form.words for form in forms)}"
    allowed = f"allowed: {', '.join(datasets_of(kind))}, or {paths}"
    path = Path(value)
    try:
        path = ((base or Path()) / path.expanduser()).absolute()
        problem = _problem(path, path.stat().st_mode, forms, f"{model} {action}")
    except FileNotFoundError:
        if not {"/", "."} & set(value):
            unknown = unknown_choice("dataset", value, datasets_of(kind))
            raise InvalidData(f"data: {unknown}, or {paths}") from None
        problem = "does not exist"
    except (OSError, ValueError, RuntimeError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problem = f"cannot be looked at ({text.rstrip('.').lower()})"
    if problem:
        raise InvalidData(f"data: {shown_path(path)} {problem}; {allowed}")
    return str(path)


def check_kind(name: str, kind: DataKind) -> None:
    """Raise InvalidData if a dataset is of another kind than the one that is needed."""
    if DATASETS[name].kind != kind:
        raise InvalidData(
            f"data: {name} holds {DATASETS[name].kind}, not {kind}; "
            f"allowed: {', '.join(datasets_of(kind))}, or a path to {kind} of your own"
        )


def shown_path(path: str | Path) -> str:
    """A path for a message: as it is if it is short and printable, else escaped and shortened."""
    text = str(path)
    if not text.isprintable():
        text = ascii(text)
    return text if len(text) <= 300 else f"{text[:200]}…{text[-99:]}"


def _forms(kind: DataKind, *, generate: bool) -> tuple[_Form, ...]:
    if kind == "images":
        return (_NPZ, _PNG_FOLDER, _PNG) if generate else (_NPZ, _PNG_FOLDER)
    if kind == "text":
        return (_TXT,)
    return (_TABLE, _LINES) if generate else (_TABLE, _POS_AND_NEG)


def _problem(path: Path, mode: int, forms: tuple[_Form, ...], job: str) -> str | None:
    """What is wrong with a path that exists, to be read after the path."""
    if stat.S_ISDIR(mode):
        if not any(form.folder for form in forms):
            return f"is a folder, which {job} does not take"
        if _PNG_FOLDER in forms and not _holds_png(path):
            return "is a folder without a .png file"
        if _POS_AND_NEG in forms and not any(_holds_reviews(part) for part in (path, path / "train")):
            return "is a folder without pos/ and neg/"
    elif not stat.S_ISREG(mode):
        return "is neither a file nor a folder"
    elif path.suffix.lower() not in (suffix for form in forms for suffix in form.suffixes):
        ending = f"a file ending in {path.suffix}" if path.suffix else "a file without an ending"
        return f"is {ending}, which {job} does not take"
    return None


def _holds_png(folder: Path) -> bool:
    """Whether there is a .png file in it, or in one of its sub-folders 0 to 9."""
    return any(path.suffix.lower() == ".png" for pattern in ("*", "[0-9]/*") for path in folder.glob(pattern))


def _holds_reviews(folder: Path) -> bool:
    return all(_is_there(folder / part, folder=True) for part in ("pos", "neg"))


def _is_there(path: Path, *, folder: bool) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)
