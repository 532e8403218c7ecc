"""Folders by class name, with a training part and a test part, and with files that cannot be read."""

from pathlib import Path

import numpy as np
import pytest

from jobs.data_check import check_data
from jobs.errors import InvalidData
from jobs.models import parameters_of
from jobs.settings import Settings
from jobs.store.atomic_files import write_json
from tests.images.files import PIXELS, png
from tests.images.jobs import as_trained_on, context_for
from worker.images.datasets import load_images
from worker.images.inference_inputs import load_inputs
from worker.images.job_data import classes_of_training, images_for, inputs_for
from worker.images.picture_folder import list_folder

NAMES = ("boot", "shirt", "coat")


def by_class(folder: Path, count: int = 30, names: tuple[str, ...] = NAMES) -> Path:
    for number in range(count):
        png(folder / names[number % len(names)] / f"{number:02d}.png", PIXELS[number])
    return folder


def test_a_folder_by_class_name_has_labels_and_their_names(tmp_path: Path, here: Settings) -> None:
    folder = by_class(tmp_path / "d")
    png(folder / "boot/old/1.png")
    images = load_images(str(folder), here)
    assert images.classes == ("boot", "coat", "shirt")
    assert images.record["classes"] == ["boot", "coat", "shirt"]
    assert images.notes[0] == "Skipped other sub-folders: 1 (boot/old)."
    inputs = load_inputs(str(folder), here, 12)
    assert inputs.names[0] == "boot/00.png"
    assert inputs.labels is not None
    assert inputs.labels.tolist() == [0] * 10 + [1] * 2
    np.testing.assert_array_equal(inputs.images[0], PIXELS[0])


@pytest.mark.parametrize(
    ("names", "labels", "classes"),
    [
        (("7", "12", "3"), [3, 7, 12], ()),
        (("0", "a", "01"), [0, 1, 2], ("0", "01", "a")),
        (("images",), None, ()),
        (tuple(map(str, range(101, 104))), [0, 1, 2], ("101", "102", "103")),
    ],
)
def test_a_sub_folder_named_by_a_number_is_that_label(
    tmp_path: Path, names: tuple[str, ...], labels: list[int] | None, classes: tuple[str, ...]
) -> None:
    found = list_folder(by_class(tmp_path / "d", names=names))
    assert found.classes == classes
    assert (None if found.labels is None else np.unique(found.labels).tolist()) == labels


def test_too_many_classes_are_no_labels(tmp_path: Path) -> None:
    for number in range(101):
        png(tmp_path / f"d/c{number}/a.png")
    found = list_folder(tmp_path / "d")
    assert (found.labels, len(found.files)) == (None, 101)
    assert found.notes == (
        "The images lie in 101 sub-folders; their names were ignored, since at most 100 classes serve as labels.",
    )


@pytest.mark.parametrize(("train", "test"), [("training", "testing"), ("Train", "test")])
def test_a_split_folder_is_used_as_it_is_split(tmp_path: Path, here: Settings, train: str, test: str) -> None:
    folder = tmp_path / "d"
    by_class(folder / train, 30)
    for number in range(5):
        png(folder / test / "coat" / f"{number}.png", PIXELS[30 + number])
    png(folder / "val/coat/0.png")
    for action in ("train", "evaluate", "generate"):
        check_data(parameters_of("autoencoder", action), str(folder))
    images = load_images(str(folder), here)
    assert (len(images.train), len(images.test)) == (30, 5)
    np.testing.assert_array_equal(images.test, PIXELS[30:35])
    assert images.test_labels is not None
    assert [images.classes[label] for label in images.test_labels] == ["coat"] * 5
    assert images.notes == ("Skipped other sub-folders: 1 (val).",)
    inputs = load_inputs(str(folder), here, 2)
    assert (inputs.names, inputs.total) == ((f"{test}/coat/0.png", f"{test}/coat/1.png"), 5)
    flat = tmp_path / "flat"
    for number in range(30):
        png(flat / f"{'train' if number < 25 else 'test'}/{number}.png", PIXELS[number])
    images = load_images(str(flat), here)
    assert (len(images.train), len(images.test), images.train_labels) == (25, 5, None)


def test_files_that_cannot_be_read_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    folder = by_class(tmp_path / "d", 40)
    bad = sorted(folder.rglob("*.png"))[3:10]
    for path in bad:
        path.write_bytes(b"")
    kind = parameters_of("autoencoder", "train")
    with pytest.raises(InvalidData) as raised:
        check_data(kind, str(folder), parameters=kind())
    assert (
        raised.value.hint
        == "not usable either: 12.png, 15.png, …; --on-bad-row skip leaves out what cannot be read"
    )
    skipping = kind(on_bad_row="skip")
    assert check_data(kind, str(folder), parameters=skipping) == str(folder)
    context = context_for(tmp_path / "job", "autoencoder", "train", data=str(folder), on_bad_row="skip")
    images = images_for(context)
    assert len(images.train) + len(images.test) == 33
    note = (
        "Skipped 7 of 40 image files, which cannot be read: boot/09.png, an empty file; boot/12.png, an empty file; "
        "boot/15.png, an empty file; boot/18.png, an empty file; boot/21.png, an empty file; …."
    )
    assert note in context.notes
    labels = np.concatenate([images.train_labels, images.test_labels])  # type: ignore[arg-type]
    assert np.bincount(labels).tolist() == [7, 13, 13]
    # What a training job read, jobs with its model read likewise.
    source = as_trained_on(tmp_path / "source", images.train, str(folder), images.record["sha256"])
    record = source.job
    record["spec"]["parameters"] = {"on_bad_row": "skip"}
    write_json(source.path / "job.json", record)
    evaluation = context_for(tmp_path / "other", "autoencoder", "evaluate", {"from": source})
    assert images_for(evaluation) is images
    inputs = inputs_for(context_for(tmp_path / "third", "autoencoder", "generate", {"from": source}), 5)
    assert inputs.names == ("boot/00.png", "boot/03.png", "boot/06.png")


def test_a_folder_without_a_file_that_can_be_read_is_refused(tmp_path: Path, here: Settings) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02d}.jpg").write_bytes(b"hello")
    kind = parameters_of("autoencoder", "train")
    for refuse in (
        lambda: load_images(str(folder), here, skip=True),
        lambda: check_data(kind, str(folder), parameters=kind(on_bad_row="skip")),
    ):
        with pytest.raises(InvalidData, match=r"00\.jpg: expected a PNG, JPEG, TIFF or WebP file"):
            refuse()


def test_the_classes_of_a_training_job_are_found(tmp_path: Path) -> None:
    source = as_trained_on(tmp_path / "source", PIXELS)
    assert classes_of_training(source) == ()
    record = source.job
    record["data"]["digits"]["classes"] = ["a", "b"]
    write_json(source.path / "job.json", record)
    assert classes_of_training(source) == ("a", "b")
