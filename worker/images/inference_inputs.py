"""Images for `generate`: a dataset's, or a person's own, or a single one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.settings import Settings
from jobs.wording import counted
from worker.datasets.locate import locate
from worker.images.appearance import empty_notes
from worker.images.datasets import load_images
from worker.images.image_sets import LabelledImages
from worker.images.parameters import ImageGeneration
from worker.images.pixels import Labels, Pixels
from worker.images.user_files import (
    UserImages,
    choose_array,
    is_folder,
    is_idx,
    is_picture,
    read_folder,
    read_idx,
    read_parts,
    read_picture,
)

MOST_INPUTS = 100_000
"""The most images of one job: all that is computed of so many takes 2.5 GB."""


@dataclass(frozen=True)
class InferenceInputs:
    """Grey images of 28 × 28 pixels.

    Attributes:
        images: uint8 (k, 28, 28), 0 to 255.
        names: k names for the report: `x[3]`, `3/seven.png`.
        labels: int64 (k,), digits 0 to 9 or numbers of classes; None where there are none.
        total: how many images there are, of which these are the first.
        record: where they come from, for `job.json`.
        notes: sentences for the report about what was done to them.
        classes: names of the classes, by label; empty where labels are digits, or there are none.
    """

    images: Pixels
    names: tuple[str, ...]
    labels: Labels | None
    total: int
    record: dict[str, Any]
    notes: tuple[str, ...]
    classes: tuple[str, ...] = ()


def load_inputs(
    data: str | None, settings: Settings, count: int | None, *, skip: bool = False
) -> InferenceInputs:
    """Load the first `count` images, or all if there are fewer.

    They are the first test images of a dataset; the first of an .npz file's `x_test`, `x`, `images`
    or `x_train`, whichever it has, in this order; the first of an IDX file; a single image file; or the
    first of a folder, of its test part if it has one.

    Args:
        data: a dataset's name or a path; None is the default dataset.
        settings: of this worker; its `data_dir` holds the datasets.
        count: at least 1; None for all, of a dataset's as well.
        skip: whether image files of a folder that cannot be read are left out.

    Returns:
        k ≤ `count` images, with labels if there are any.

    Raises:
        InvalidData: nothing has that name, it cannot be downloaded, it cannot be used, or it is all of more
            than `MOST_INPUTS` images.
    """
    name, dataset, path = locate(ImageGeneration, data or ImageGeneration.default_data(), settings)
    if dataset is not None or path is None:
        return _of_dataset(name, settings, count)
    found = _read(path, count or MOST_INPUTS, skip)
    images, labels = found.labelled
    if count is None and found.total > MOST_INPUTS:
        raise InvalidData(
            shown_path(path),
            expected=f"at most {counted(MOST_INPUTS, 'image')} in one job",
            given=f"{found.total:,}",
            hint=f"take the first with --limit {MOST_INPUTS}, or give the others to a job of their own",
        )
    notes = [*found.notes, *empty_notes(images, found.names)]
    if (count or MOST_INPUTS) < found.total:
        notes.append(f"Only the first {count or MOST_INPUTS:,} of {counted(found.total, 'image')} were used.")
    record = {"name": path.name, "path": str(path), "sha256": found.sha256, "examples": len(images)}
    return InferenceInputs(images, found.names, labels, found.total, record, tuple(notes), found.classes)


def _of_dataset(name: str, settings: Settings, count: int | None) -> InferenceInputs:
    dataset = load_images(name, settings)
    images, labels = LabelledImages(dataset.test, dataset.test_labels).rows(slice(count))
    names = tuple(f"{name} {index}" for index in range(len(images)))
    record = dataset.record | {"examples": len(images)}
    return InferenceInputs(images, names, labels, len(dataset.test), record, dataset.notes, dataset.classes)


def _read(path: Path, count: int, skip: bool) -> UserImages:
    if is_folder(path):
        return read_folder(path, count, to_send=True, skip=skip).to_send
    if is_picture(path):
        return read_picture(path)
    if is_idx(path):
        return read_idx(path, count).to_send
    return read_parts(path, arrays_to_send(path), count)[0]


def arrays_to_send(path: Path) -> list[str]:
    """The name of the one array in an .npz file that holds the images to send through a network.

    Raises:
        InvalidData: the file cannot be read, or has none.
    """
    return [choose_array(path, ("x_test", "x", "images", "x_train"))[0]]
