"""Images for `generate`: a dataset's, or a person's own, or a single one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.data_check import check_data
from jobs.models import datasets
from jobs.settings import Settings
from jobs.wording import counted
from worker.images.datasets import load_images
from worker.images.image_sets import LabelledImages
from worker.images.parameters import ImageGeneration
from worker.images.pixels import Labels, Pixels, polarity_notes
from worker.images.user_files import UserImages, is_folder, read_folder, read_npz, read_png


@dataclass(frozen=True)
class InferenceInputs:
    """Grey images of 28 × 28 pixels.

    Attributes:
        images: uint8 (k, 28, 28), 0 to 255.
        names: k names for the report: `x[3]`, `3/seven.png`.
        labels: int64 (k,), digits 0 to 9; None where there are none.
        record: where they come from, for `job.json`.
        notes: sentences for the report about what was done to them.
    """

    images: Pixels
    names: tuple[str, ...]
    labels: Labels | None
    record: dict[str, Any]
    notes: tuple[str, ...]


def load_inputs(data: str | None, settings: Settings, count: int) -> InferenceInputs:
    """Load the first `count` images, or all if there are fewer.

    They are the first test images of a dataset; the first of an .npz file's `x_test`, `x`, `images`
    or `x_train`, whichever it has, in this order; a single .png; or the first of a folder of PNG files
    by name.

    Args:
        data: a dataset's name or a path; None is the default dataset.
        settings: of this worker; its `data_dir` holds the datasets.
        count: at least 1.

    Returns:
        k ≤ `count` images, with labels if there are any.

    Raises:
        InvalidData: nothing has that name, it cannot be downloaded, or it cannot be used.
    """
    name = check_data(ImageGeneration, data or ImageGeneration.default_data())
    if name in datasets():
        return _of_dataset(name, settings, count)
    path = Path(name)
    found = _read(path, count)
    images, labels = found.labelled
    notes = [*found.notes, *polarity_notes(images)]
    if len(images) < found.total:
        notes.append(f"Only the first {len(images):,} of {counted(found.total, 'image')} were used.")
    record = {"name": path.name, "path": str(path), "sha256": found.sha256, "examples": len(images)}
    return InferenceInputs(images, found.names, labels, record, tuple(notes))


def _of_dataset(name: str, settings: Settings, count: int) -> InferenceInputs:
    dataset = load_images(name, settings)
    images, labels = LabelledImages(dataset.test, dataset.test_labels).rows(slice(count))
    names = tuple(f"{name} {index}" for index in range(len(images)))
    return InferenceInputs(images, names, labels, dataset.record | {"examples": len(images)}, dataset.notes)


def _read(path: Path, count: int) -> UserImages:
    if is_folder(path):
        return read_folder(path, count)
    if path.suffix.lower() == ".png":
        return read_png(path)
    return read_npz(path, ("x_test", "x", "images", "x_train"), count)
