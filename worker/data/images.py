"""Images to train and test on: a dataset's, or a person's own."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from jobs.datasets import DATASETS, check_kind, shown_path
from jobs.errors import InvalidData
from jobs.settings import Settings
from worker.data.digits import load_digits
from worker.data.download import obtain
from worker.data.image_files import LabelledImages, OwnImages, is_folder, read_folder, read_npz
from worker.data.npz import array_names
from worker.data.pixels import Labels, Pixels, polarity_notes
from worker.data.png import list_folder

FEWEST = 20
"""Fewer images than this train nothing worth a report."""

TEST_SHARE = 0.1
DIGITS_TO_TRAIN = 1_497

Stamp = tuple[tuple[str, int, int], ...]
"""Name, size and time of the last change, in nanoseconds, of each file that data is read from."""


@dataclass(frozen=True)
class Images:
    """Grey images of 28 × 28 pixels, read-only.

    Attributes:
        name: the dataset's name, or the name of the file or folder.
        train: uint8 (n, 28, 28), 0 to 255.
        train_labels: int64 (n,), digits 0 to 9; None where there are none.
        test: uint8 (m, 28, 28).
        test_labels: int64 (m,); None where there are none.
        record: where they come from, for `job.json`.
        notes: what was done to them, sentences for the report.
    """

    name: str
    train: Pixels
    train_labels: Labels | None
    test: Pixels
    test_labels: Labels | None
    record: dict[str, Any]
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        # The next job may be handed the same arrays.
        for array in (self.train, self.train_labels, self.test, self.test_labels):
            if array is not None:
                array.setflags(write=False)


def load_images(value: str | None, settings: Settings) -> Images:
    """Load the images of a dataset, of an .npz file or of a folder of PNG.

    An .npz file has Keras' layout (`x_train` and, if there are any, `y_train`, `x_test`, `y_test`),
    or `x` or `images` with `y` or `labels` if there are any. Without a test part, a tenth is set
    aside, always the same. The data that was loaded last is kept in memory until its files change.

    Args:
        value: a dataset's name or a path; None is `mnist`.
        settings: of this worker; datasets are kept in its `data_dir`.

    Raises:
        InvalidData: there is nothing of that name, it cannot be downloaded, or it cannot be used.
    """
    name = value or "mnist"
    if name == "digits":
        return _digits()
    if name in DATASETS:
        check_kind(name, "images")
        path = obtain(name, settings)
        return _load(path, _stamp(path), name)
    return _load(Path(name), _stamp(Path(name)), None)


def _stamp(path: Path) -> Stamp:
    files = [path / name for name in list_folder(path).files] if is_folder(path) else [path]
    statuses = [(str(file), file.stat()) for file in files]
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in statuses)


@lru_cache(maxsize=1)
def _load(path: Path, stamp: Stamp, dataset: str | None) -> Images:  # noqa: ARG001 - part of the cache's key
    own, test = _read(path)
    train = own.labelled
    notes = list(own.notes)
    if len(train.images) < FEWEST:
        raise InvalidData(
            f"{shown_path(path)} has {len(train.images)} to train on; allowed: at least {FEWEST} images"
        )
    if test is None:
        train, test = _set_aside(train)
        notes.append(
            f"There is no test part, so {len(test.images):,} of {own.found:,} images were set aside as one, "
            "always the same."
        )
    record = _record(dataset or path.name, str(path), own.sha256, train, test)
    pinned = DATASETS[dataset].pinned(path.name) if dataset else None
    if pinned is not None:
        record["original"] = pinned == own.sha256
        if pinned != own.sha256:
            notes.append(
                f"{path.name} in the data folder is not the file that is offered for download: "
                f"its SHA-256 begins with {own.sha256[:8]}, not {pinned[:8]}."
            )
    notes += polarity_notes(train.images)
    return Images(record["name"], *train, *test, record, tuple(notes))


def _read(path: Path) -> tuple[OwnImages, LabelledImages | None]:
    """The training part, or everything, and the test part if there is one."""
    if is_folder(path):
        return read_folder(path), None
    own = read_npz(path, ("x_train", "x", "images"))
    if not own.names[0].startswith("x_train") or "x_test" not in array_names(path):
        return own, None
    test = read_npz(path, ("x_test",))
    return own._replace(notes=list(dict.fromkeys([*own.notes, *test.notes]))), test.labelled


def _set_aside(whole: LabelledImages) -> tuple[LabelledImages, LabelledImages]:
    """Split a test part off; both parts keep the order of the whole."""
    # RandomState, whose stream is frozen for good, and not default_rng, whose is not (NEP 19): a
    # later evaluation, perhaps with a later numpy, must not test on what was trained on.
    order = np.random.RandomState(0).permutation(len(whole.images))
    aside = np.zeros(len(order), bool)
    aside[order[: round(TEST_SHARE * len(order))]] = True
    return _rows(whole, ~aside), _rows(whole, aside)


def _rows(whole: LabelledImages, rows: Any) -> LabelledImages:
    return LabelledImages(whole.images[rows], None if whole.labels is None else whole.labels[rows])


def _digits() -> Images:
    pixels, labels, sha256 = load_digits()
    whole = LabelledImages(pixels, labels)
    train, test = _rows(whole, slice(DIGITS_TO_TRAIN)), _rows(whole, slice(DIGITS_TO_TRAIN, None))
    notes = (
        "Images were resized from 8 × 8 to 28 × 28.",
        f"The first {len(train.images):,} of scikit-learn's digits are to train on, "
        f"the last {len(test.images):,} to test on.",
    )
    return Images("digits", *train, *test, _record("digits", None, sha256, train, test), notes)


def _record(
    name: str, path: str | None, sha256: str, train: LabelledImages, test: LabelledImages
) -> dict[str, Any]:
    examples = {"train": len(train.images), "test": len(test.images)}
    return {"name": name, "path": path, "sha256": sha256, "examples": examples}
