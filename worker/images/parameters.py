"""What the specs of the image models share: parameters, datasets, and the forms of a person's own images."""

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from jobs.datasets import Dataset, Form, Original
from jobs.parameters import Evaluation, Generation, Parameters, Training, number

MNIST = Dataset(
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
)

DIGITS = Dataset(
    name="digits",
    kind="images",
    title="1,797 handwritten digits, 8 × 8, scaled to 28 × 28",
    origin="made from scikit-learn's load_digits",
    licence="CC BY 4.0, by E. Alpaydin and C. Kaynak (UCI Machine Learning Repository)",
)

IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _published(folder: str, address: str, files: dict[str, tuple[int, str]]) -> tuple[Original, ...]:
    """The IDX files of a dataset, by name their size and SHA-256; `address` ends in a slash."""
    return tuple(
        Original(f"{folder}/{name}", f"{address}{name}", size, sha256)
        for name, (size, sha256) in files.items()
    )


# Sizes and checksums as TensorFlow Datasets records them, here and below:
# https://github.com/tensorflow/datasets/blob/333639b/tensorflow_datasets/url_checksums/fashion_mnist.txt
FASHION_MNIST = Dataset(
    name="fashion-mnist",
    kind="images",
    title="Fashion-MNIST, 60,000 + 10,000 pictures of clothes, 28 × 28",
    origin="Zalando Research, as Keras publishes it",
    licence="MIT, by Zalando SE",
    classes=(
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    layouts=(("fashion-mnist/", *(f"fashion-mnist/{name}" for name in IDX_FILES)),),
    originals=_published(
        "fashion-mnist",
        # https://github.com/keras-team/keras/blob/master/keras/src/datasets/fashion_mnist.py
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        {
            "train-images-idx3-ubyte.gz": (
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            "train-labels-idx1-ubyte.gz": (
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            "t10k-images-idx3-ubyte.gz": (
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            "t10k-labels-idx1-ubyte.gz": (
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        },
    ),
)

# https://github.com/tensorflow/datasets/blob/333639b/tensorflow_datasets/url_checksums/kmnist.txt
KMNIST = Dataset(
    name="kmnist",
    kind="images",
    title="Kuzushiji-MNIST, 60,000 + 10,000 handwritten hiragana, 28 × 28",
    origin="CODH, Japan's Center for Open Data in the Humanities",
    licence="CC BY-SA 4.0, KMNIST Dataset by CODH, adapted from Kuzushiji Dataset by NIJL and others",
    classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    layouts=(("kmnist/", *(f"kmnist/{name}" for name in IDX_FILES)),),
    originals=_published(
        "kmnist",
        # https://github.com/rois-codh/kmnist
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        {
            "train-images-idx3-ubyte.gz": (
                18_165_135,
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            ),
            "train-labels-idx1-ubyte.gz": (
                29_497,
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            ),
            "t10k-images-idx3-ubyte.gz": (
                3_041_136,
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            ),
            "t10k-labels-idx1-ubyte.gz": (
                5_120,
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
        },
    ),
)

MOST_LOOKED_AT = 100_000
"""Entries of a folder that are looked at before a job is queued."""

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
"""Suffixes of image files."""


def without_suffix(name: str) -> str:
    """A file's name without the suffix of an image file, if it has one."""
    return next((name[: -len(each)] for each in PICTURES if name.lower().endswith(each)), name)


IDX_FILE = re.compile(
    r"(?P<set>.*?)(?P<part>train|t10k|test)[-_](?P<what>images|labels)[-.]idx\d-(?:ubyte|int)(?:\.gz)?",
    re.IGNORECASE,
)
"""The name of an IDX file as MNIST's, Fashion-MNIST's and EMNIST's are published, packed or unpacked."""


def entries_below(folder: Path, depth: int = 2) -> Iterator[os.DirEntry[str]]:
    """What is in a folder, in its sub-folders and in theirs, links to folders not followed."""
    try:
        with os.scandir(folder) as entries:
            below = []
            for entry in entries:
                yield entry
                if depth and entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
    except OSError:
        return
    for path in below:
        yield from entries_below(Path(path), depth - 1)


def _holds_images(folder: Path) -> bool:
    """Whether there is an image file or an IDX file in it, or an image file up to two levels below.

    Of a folder with more than `MOST_LOOKED_AT` entries this is not decided here: the reader looks at all.
    """
    entries = entries_below(folder)
    names = (entry.name for entry in islice(entries, MOST_LOOKED_AT))
    return any(_is_image(name) for name in names) or next(entries, None) is not None


def _is_image(name: str) -> bool:
    return name.lower().endswith(PICTURES) or IDX_FILE.fullmatch(name) is not None


NPZ = Form("an .npz file", (".npz",))
IDX = Form("an IDX file", (".gz", ".idx3-ubyte"))
PICTURE = Form("an image file", PICTURES)
IMAGE_FOLDER = Form(
    "a folder of image or IDX files", holds=_holds_images, content="a PNG, JPEG, TIFF, WebP or IDX file"
)


OnBadRow = Annotated[
    Literal["refuse", "skip"],
    Field(description="what to do with image files of a folder that cannot be read"),
]


class OnImages(Parameters):
    """Reads images."""

    data_kind = "images"
    datasets = (MNIST, DIGITS, FASHION_MNIST, KMNIST)
    forms: ClassVar[tuple[Form, ...]] = (NPZ, IDX, IMAGE_FOLDER)


class ImageTraining(Training, OnImages):
    """What the training jobs of the image models have."""

    learning_rate: float = number(
        3e-3,
        "Adam's largest step size, reached after 200 steps, or after two epochs if these are shorter",
        gt=0,
        le=1,
    )
    batch_size: int = number(256, "examples in one training step", "examples", ge=1, le=65_536)
    on_bad_row: OnBadRow = "refuse"


class ImageEvaluation(Evaluation, OnImages):
    """What the evaluations of the image models have."""

    on_bad_row: OnBadRow = "refuse"


class ImageGeneration(Generation, OnImages):
    """Images through the network, and points of its 32-dimensional code decoded."""

    forms = (NPZ, IDX, IMAGE_FOLDER, PICTURE)
    count: int | None = number(
        None, "images to take from a dataset; without it 10", "images", ge=1, le=10_000
    )
    limit: int | None = number(
        None, "images to take from your own data, the first ones; without it all", "images", ge=1, le=100_000
    )
    first_digit: int = number(3, "digit, or number of the class, an interpolation starts from", ge=0, le=9)
    second_digit: int = number(8, "digit, or number of the class, an interpolation ends at", ge=0, le=9)
    interpolations: int = number(
        9, "images on the way between two digits' codes, 0 for none", "images", ge=0, le=1_000
    )
    samples: int = number(20, "images decoded from random codes, 0 for none", "images", ge=0, le=10_000)
    on_bad_row: OnBadRow = "refuse"
