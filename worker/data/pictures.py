"""Images to reconstruct or to denoise: a dataset's, or a person's own, be it a single one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.datasets import DATASETS
from jobs.settings import Settings
from worker.data.image_files import OwnImages, is_folder, read_folder, read_npz, read_png
from worker.data.images import load_images
from worker.data.pixels import Labels, Pixels, polarity_notes


@dataclass(frozen=True)
class Pictures:
    """Grey images of 28 × 28 pixels.

    Attributes:
        images: uint8 (k, 28, 28), 0 to 255.
        names: one for each, to be shown: `mnist 0`, `x[3]`, `3/seven.png`.
        labels: int64 (k,), digits 0 to 9; None where there are none.
        record: where they come from, for `job.json`.
        notes: what was done to them, sentences for the report.
    """

    images: Pixels
    names: tuple[str, ...]
    labels: Labels | None
    record: dict[str, Any]
    notes: tuple[str, ...]


def load_pictures(value: str | None, settings: Settings, count: int) -> Pictures:
    """Load the first `count` images, or all if there are fewer.

    They are the first test images of a dataset; the first of an .npz file's `x_test`, `x`, `images`
    or `x_train`, whichever it has, in this order; a single .png; or the first of a folder of PNG by
    their names.

    Args:
        value: a dataset's name or a path; None is `mnist`.
        settings: of this worker; datasets are kept in its `data_dir`.
        count: at least 1.

    Raises:
        InvalidData: there is nothing of that name, it cannot be downloaded, or it cannot be used.
    """
    name = value or "mnist"
    if name in DATASETS:
        return _of_dataset(name, settings, count)
    path = Path(name)
    own = _read(path, count)
    images, labels = own.labelled
    notes = [*own.notes, *polarity_notes(images)]
    if len(images) < own.found:
        notes.append(f"Of {own.found:,} images the first {len(images):,} were used.")
    record = {"name": path.name, "path": str(path), "sha256": own.sha256, "examples": len(images)}
    return Pictures(images, own.names, labels, record, tuple(notes))


def _of_dataset(name: str, settings: Settings, count: int) -> Pictures:
    dataset = load_images(name, settings)
    images = dataset.test[:count]
    labels = None if dataset.test_labels is None else dataset.test_labels[:count]
    names = tuple(f"{name} {index}" for index in range(len(images)))
    return Pictures(images, names, labels, dataset.record | {"examples": len(images)}, dataset.notes)


def _read(path: Path, count: int) -> OwnImages:
    if is_folder(path):
        return read_folder(path, count)
    if path.suffix.lower() == ".png":
        return read_png(path)
    return read_npz(path, ("x_test", "x", "images", "x_train"), count)
