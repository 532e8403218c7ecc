"""Images to train and test on: a dataset's, or a person's own."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from jobs.datasets import Dataset, shown_path
from jobs.errors import InvalidData
from jobs.settings import Settings
from jobs.wording import counted
from worker.datasets.locate import locate
from worker.images.digits import load_digits
from worker.images.image_sets import Images, LabelledImages, image_record
from worker.images.npz import array_names
from worker.images.parameters import OnImages
from worker.images.pixels import polarity_notes
from worker.images.png import list_folder
from worker.images.user_files import UserImages, is_folder, read_folder, read_npz

FEWEST = 20
"""Fewer training images than this lead to nothing worth a report."""

TEST_SHARE = 0.1

Stamp = tuple[tuple[str, int, int], ...]
"""Name, size and time of the last change, in nanoseconds, of each file that data is read from."""


def load_images(data: str | None, settings: Settings) -> Images:
    """Load the images of a dataset, of an .npz file or of a folder of PNG files.

    An .npz file has Keras' layout (`x_train` and, if there are any, `y_train`, `x_test`, `y_test`),
    or `x` or `images` with `y` or `labels` if there are any. Without a test part, a tenth is set
    aside, always the same. What was loaded last stays in memory until its files change.

    Args:
        data: a dataset's name or a path; None is the default dataset.
        settings: of this worker; its `data_dir` holds the datasets.

    Returns:
        uint8 (n, 28, 28) to train on and uint8 (m, 28, 28) to test on, with labels if there are any.

    Raises:
        InvalidData: nothing has that name, it cannot be downloaded, or it cannot be used.
    """
    found = locate(OnImages, data or OnImages.default_data(), settings)
    if found.path is None:
        return load_digits()
    return _load(found.path, _stamp(found.path), found.dataset)


def _stamp(path: Path) -> Stamp:
    files = [path / name for name in list_folder(path).files] if is_folder(path) else [path]
    statuses = [(str(file), file.stat()) for file in files]
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in statuses)


@lru_cache(maxsize=1)
def _load(path: Path, stamp: Stamp, dataset: Dataset | None) -> Images:  # noqa: ARG001 - part of the cache's key
    found, test = _read(path)
    train, notes = found.labelled, list(found.notes)
    if len(train.images) < FEWEST:
        raise InvalidData(
            shown_path(path), expected=f"at least {FEWEST} images to train on", given=f"{len(train.images)}"
        )
    if test is None:
        train, test = _set_aside(train)
        notes.append(
            f"The data has no test part; {len(test.images):,} of {counted(found.total, 'image')} were set "
            "aside as one, always the same ones."
        )
    record = image_record(dataset.name if dataset else path.name, str(path), found.sha256, train, test)
    pinned = dataset.pinned(path.name) if dataset else None
    if pinned is not None:
        record["original"] = pinned == found.sha256
        if pinned != found.sha256:
            notes.append(
                f"{path.name} in the data folder differs from the published file: "
                f"its SHA-256 begins with {found.sha256[:8]}, not {pinned[:8]}."
            )
    notes += polarity_notes(train.images)
    return Images(record["name"], *train, *test, record, tuple(notes))


def _read(path: Path) -> tuple[UserImages, LabelledImages | None]:
    """The training part, or everything, and the test part if there is one."""
    if is_folder(path):
        return read_folder(path), None
    found = read_npz(path, ("x_train", "x", "images"))
    if not found.names[0].startswith("x_train") or "x_test" not in array_names(path):
        return found, None
    test = read_npz(path, ("x_test",))
    return found._replace(notes=list(dict.fromkeys([*found.notes, *test.notes]))), test.labelled


def _set_aside(whole: LabelledImages) -> tuple[LabelledImages, LabelledImages]:
    """Split a test part off; both parts keep the order of the whole."""
    # RandomState, whose stream is frozen for good, and not default_rng, whose is not (NEP 19): a
    # later evaluation, perhaps with a later numpy, must not test on what was trained on.
    order = np.random.RandomState(0).permutation(len(whole.images))
    aside = np.zeros(len(order), bool)
    aside[order[: round(TEST_SHARE * len(order))]] = True
    return whole.rows(~aside), whole.rows(aside)
