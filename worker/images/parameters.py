"""What the specs of the image models share: parameters, datasets, and the forms of a person's own images."""

from pathlib import Path
from typing import ClassVar

from jobs.datasets import Dataset, Form, Original
from jobs.parameters import Generation, Parameters, Training, number

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


def _holds_png(folder: Path) -> bool:
    """Whether there is a .png file in it, or in one of its sub-folders 0 to 9."""
    return any(path.suffix.lower() == ".png" for pattern in ("*", "[0-9]/*") for path in folder.glob(pattern))


NPZ = Form("an .npz file", (".npz",))
PNG = Form("a .png file", (".png",))
PNG_FOLDER = Form("a folder of PNG files", holds=_holds_png, content="a .png file")


class OnImages(Parameters):
    """Reads images."""

    data_kind = "images"
    datasets = (MNIST, DIGITS)
    forms: ClassVar[tuple[Form, ...]] = (NPZ, PNG_FOLDER)


class ImageTraining(Training, OnImages):
    """What the training jobs of the image models have."""

    learning_rate: float = number(3e-3, "Adam's largest step size, reached after 200 steps", gt=0, le=1)
    batch_size: int = number(256, "examples in one training step", "examples", ge=1, le=65_536)


class ImageGeneration(Generation, OnImages):
    """Images through the network, and points of its 32-dimensional code decoded."""

    forms = (NPZ, PNG_FOLDER, PNG)
    count: int = number(10, "images to take from the data", "images", ge=1, le=10_000)
    first_digit: int = number(3, "digit an interpolation starts from", ge=0, le=9)
    second_digit: int = number(8, "digit an interpolation ends at", ge=0, le=9)
    interpolations: int = number(
        9, "images on the way between two digits' codes, 0 for none", "images", ge=0, le=1_000
    )
    samples: int = number(20, "images decoded from random codes, 0 for none", "images", ge=0, le=10_000)
