"""Images to train and test on: a dataset's, or a person's own."""

from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from jobs.datasets import Dataset, shown_path
from jobs.errors import InvalidData
from jobs.settings import Settings
from jobs.store.atomic_files import sha256_of
from jobs.wording import counted
from worker.datasets.locate import locate
from worker.images.appearance import empty_notes
from worker.images.digits import load_digits
from worker.images.image_sets import Images, LabelledImages, image_record
from worker.images.parameters import OnImages
from worker.images.user_files import (
    Parts,
    choose_array,
    files_of,
    is_folder,
    is_idx,
    read_folder,
    read_idx,
    read_parts,
)

FEWEST = 20
"""Fewer training images than this lead to nothing worth a report."""

TEST_SHARE = 0.1

TRAINING_ARRAYS = ("x_train", "x", "images")
"""In an .npz file, the preferred name first."""

Stamp = tuple[tuple[str, int, int, int], ...]
"""Name, size and, in nanoseconds, the times of the last change of each file that data is read from: that of
its content, which can be set at will, and that of its status, which cannot."""


def load_images(
    data: str | None, settings: Settings, trained_on: frozenset[str] | None = None, *, skip: bool = False
) -> Images:
    """Load the images of a dataset, of an .npz file, of IDX files or of a folder of image files.

    An .npz file has Keras' layout (`x_train` and, if there are any, `y_train`, `x_test`, `y_test`),
    or `x` or `images` with `y` or `labels` if there are any. Without a test part, a tenth is set
    aside, always the same, or all images are the test part where a network is evaluated that was trained on
    other data. What was loaded last stays in memory until its files change.

    Args:
        data: a dataset's name or a path; None is the default dataset.
        settings: of this worker; its `data_dir` holds the datasets.
        trained_on: the SHA-256 of what the network that is evaluated was trained on; None to train one.
        skip: whether image files of a folder that cannot be read are left out.

    Returns:
        uint8 (n, 28, 28) to train on and uint8 (m, 28, 28) to test on, with labels if there are any.

    Raises:
        InvalidData: nothing has that name, it cannot be downloaded, or it cannot be used.
    """
    found = locate(OnImages, data or OnImages.default_data(), settings)
    if found.path is None:
        return load_digits()
    loaded = _load(found.path, _stamp(found.path), found.dataset, skip)
    other = trained_on is not None and loaded.found.sha256 not in trained_on
    if trained_on is None:
        refuse_too_few(found.path, len(loaded.found.labelled.images))
    return loaded.whole if other and None in loaded.parts else loaded.split


def _stamp(path: Path) -> Stamp:
    files = [path / name for name in files_of(path)] if is_folder(path) else [path]
    statuses = [(str(file), file.stat()) for file in files]
    return tuple((name, status.st_size, status.st_mtime_ns, status.st_ctime_ns) for name, status in statuses)


@lru_cache(maxsize=1)
def _load(path: Path, stamp: Stamp, dataset: Dataset | None, skip: bool) -> "_Loaded":  # noqa: ARG001 - the cache's key
    return _Loaded(path, dataset, skip)


class _Loaded:
    """What a file or folder holds: the training part, or everything, and the test part if there is one."""

    def __init__(self, path: Path, dataset: Dataset | None, skip: bool) -> None:
        self.path, self.dataset = path, dataset
        self.parts = _read(path, dataset, skip)
        found = self.parts.train or self.parts.test
        assert found is not None
        self.found = found

    @cached_property
    def split(self) -> Images:
        """To train a network on, or to evaluate one that was trained on it."""
        if self.parts.train is None:
            raise _no_training_part(self.path)
        train, test = self.parts.train.labelled, self.parts.test
        if test is not None:
            return self._images(train, test.labelled)
        count = counted(len(train.images), "image")
        train, aside = _set_aside(train)
        return self._images(
            train,
            aside,
            f"The data has no test part; {len(aside.images):,} of {count} were set aside as one, always the "
            "same ones.",
        )

    @cached_property
    def whole(self) -> Images:
        """To evaluate a network that was trained on other data: all images are the test part."""
        everything = self.found.labelled
        count = len(everything.images)
        said = [f"The data has no test part; the test images are all its {count:,} images."]
        said *= count > 1 and self.parts.test is None
        return self._images(everything, everything, *said)

    def _images(self, train: LabelledImages, test: LabelledImages, *said: str) -> Images:
        sha256, dataset, classes = self.found.sha256, self.dataset, self.found.classes
        name = dataset.name if dataset else self.path.name
        record = image_record(name, str(self.path), sha256, train, test, classes)
        notes = [*self.found.notes, *said]
        differing = _differences(dataset, self.path, sha256) if dataset else []
        if dataset and dataset.originals:
            record["original"] = not differing
        notes += [
            f"{name} in the data folder differs from the published file: "
            f"its SHA-256 begins with {given[:8]}, not {published[:8]}."
            for name, given, published in differing
        ]
        if differing or not record.get("original"):  # there is nothing to say about the published files
            if train is not test:
                notes += empty_notes(train.images, noun="training image")
            notes += empty_notes(test.images, noun="test image")
        return Images(name, *train, *test, record, tuple(notes), classes)


def _differences(dataset: Dataset, path: Path, sha256: str) -> list[tuple[str, str, str]]:
    """Name, SHA-256 and published SHA-256 of each file of a dataset that is not the published one."""
    given = {
        original: sha256_of(path / Path(original.file).name) if is_folder(path) else sha256
        for original in dataset.originals
        if is_folder(path) or original.file == path.name
    }
    return [
        (original.file, found, original.sha256)
        for original, found in given.items()
        if found != original.sha256
    ]


def refuse_too_few(path: Path, count: int) -> None:
    """Refuse to train on fewer than `FEWEST` images.

    Raises:
        InvalidData: there are fewer.
    """
    if count < FEWEST:
        raise InvalidData(
            shown_path(path), expected=f"at least {FEWEST} images to train on", given=f"{count}"
        )


def _read(path: Path, dataset: Dataset | None, skip: bool) -> Parts:
    if is_folder(path):
        return read_folder(path, skip=skip, classes=dataset.classes if dataset else ())
    if is_idx(path):
        return read_idx(path)
    return _parts_of_npz(path)


def _parts_of_npz(path: Path) -> Parts:
    names = arrays_to_evaluate_on(path)
    found, *test = read_parts(path, names)
    if names[0] == "x_test":
        return Parts(None, found)
    if not test:
        return Parts(found, None)
    return Parts(found._replace(notes=list(dict.fromkeys([*found.notes, *test[0].notes]))), test[0])


def _no_training_part(path: Path) -> InvalidData:
    """Return the error for data that is a test part alone."""
    if is_folder(path) or is_idx(path):
        return no_training_files(path)
    try:
        arrays_to_train_on(path)
    except InvalidData as error:
        return error  # says what is missing
    raise AssertionError(path)


def no_training_files(path: Path) -> InvalidData:
    """Return the error for IDX files, or a folder, without a training part."""
    return InvalidData(
        shown_path(path),
        expected="a training part",
        given="a test part alone",
        hint="name the file of training images, or the folder that has both parts",
    )


def arrays_to_train_on(path: Path) -> list[str]:
    """The names of the arrays in an .npz file with the training part and, if there is one, the test part.

    Raises:
        InvalidData: the file cannot be read, or has none.
    """
    return _with_test_part(*choose_array(path, TRAINING_ARRAYS))


def arrays_to_evaluate_on(path: Path) -> list[str]:
    """As `arrays_to_train_on`, but of a file with a test part alone that part."""
    return _with_test_part(*choose_array(path, (*TRAINING_ARRAYS, "x_test")))


def _with_test_part(chosen: str, names: list[str]) -> list[str]:
    return [chosen, *(["x_test"] if chosen == "x_train" and "x_test" in names else [])]


def _set_aside(whole: LabelledImages) -> tuple[LabelledImages, LabelledImages]:
    """Split a test part off; both parts keep the order of the whole."""
    # RandomState, whose stream is frozen for good, and not default_rng, whose is not (NEP 19): a
    # later evaluation, perhaps with a later numpy, must not test on what was trained on.
    order = np.random.RandomState(0).permutation(len(whole.images))
    aside = np.zeros(len(order), bool)
    aside[order[: round(TEST_SHARE * len(order))]] = True
    return whole.rows(~aside), whole.rows(aside)
