"""IDX files are read as they are published: a folder of four, or one file of images; a hostile one costs a sentence."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from jobs.data_check import check_data
from jobs.errors import InvalidData
from jobs.models import parameters_of
from jobs.settings import Settings
from jobs.store.atomic_files import sha256_of
from tests.images.files import LABELS, PIXELS
from tests.tasks.hostile_files import Change, at_most, changes, damaged, mutations, read_or_refused
from worker.images.class_names import EMNIST_CLASSES
from worker.images.datasets import load_images
from worker.images.idx import read_array
from worker.images.inference_inputs import load_inputs

TYPES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def idx(array: Any, kind: str = "u1") -> bytes:
    array = np.asarray(array).astype(kind)
    return struct.pack(f">HBB{array.ndim}I", 0, TYPES[kind], array.ndim, *array.shape) + array.tobytes()


def write_set(folder: Path, start: str = "", test: str = "t10k", packed: bool = True) -> Path:
    """Four files as they are published."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, rows in (("train", slice(0, 30)), (test, slice(30, 40))):
        for what, array in (("images-idx3", PIXELS[rows]), ("labels-idx1", LABELS[rows])):
            name = f"{start}{part}-{what}-ubyte"
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array), mtime=0))
            else:
                (folder / name).write_bytes(idx(array))
    return folder


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_of_four_files_is_a_training_part_and_a_test_part(
    tmp_path: Path, here: Settings, packed: bool
) -> None:
    folder = write_set(tmp_path / "d", packed=packed)
    for action in ("train", "evaluate", "generate"):
        assert check_data(parameters_of("autoencoder", action), str(folder)) == str(folder)
    images = load_images(str(folder), here)
    np.testing.assert_array_equal(images.train, PIXELS[:30])
    np.testing.assert_array_equal(images.test, PIXELS[30:])
    assert images.train_labels is not None
    assert images.test_labels is not None
    assert images.train_labels.tolist() == LABELS[:30].tolist()
    assert images.test_labels.tolist() == LABELS[30:].tolist()
    assert (images.notes, images.classes, images.record["examples"]) == ((), (), {"train": 30, "test": 10})
    assert load_images(str(folder), here) is images
    inputs = load_inputs(str(folder), here, 3)
    np.testing.assert_array_equal(inputs.images, PIXELS[30:33])
    assert (inputs.names, inputs.total) == (("test[0]", "test[1]", "test[2]"), 10)


def test_a_packed_file_is_read_before_an_unpacked_one(tmp_path: Path, here: Settings) -> None:
    folder = write_set(tmp_path / "d")
    record = load_images(str(folder), here).record
    write_set(folder, packed=False)
    assert load_images(str(folder), here).record == record


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, here: Settings) -> None:
    folder = write_set(tmp_path / "d")
    outside = (folder / "t10k-images-idx3-ubyte.gz").rename(tmp_path / "outside.gz")
    (folder / "t10k-images-idx3-ubyte.gz").symlink_to(outside)
    assert len(load_images(str(folder), here).test) == 3, "a tenth is set aside"


def test_one_file_of_images_is_read_without_labels(tmp_path: Path, here: Settings) -> None:
    folder = write_set(tmp_path / "d")
    train, test = folder / "train-images-idx3-ubyte.gz", folder / "t10k-images-idx3-ubyte.gz"
    images = load_images(str(train), here)
    assert (len(images.train), len(images.test), images.train_labels) == (27, 3, None)
    assert images.record["sha256"] == sha256_of(train)
    np.testing.assert_array_equal(load_images(str(test), here, frozenset()).test, PIXELS[30:])
    np.testing.assert_array_equal(load_inputs(str(test), here, 4).images, PIXELS[30:34])
    kaggle = tmp_path / "train-images.idx3-ubyte"
    kaggle.write_bytes(idx(PIXELS))
    assert len(load_inputs(str(kaggle), here, None).images) == 40
    for path, found in ((folder / "t10k-labels-idx1-ubyte.gz", "one of labels"), (test, "10")):
        for refuse in (
            lambda path=path: load_images(str(path), here),
            lambda path=path: check_data(parameters_of("denoiser", "train"), str(path)),
        ):
            with pytest.raises(InvalidData, match=f"got {found}$"):
                refuse()


def test_emnist_is_turned_upright_and_its_classes_are_named(tmp_path: Path, here: Settings) -> None:
    folder = write_set(tmp_path / "d", "emnist-letters-", "test")
    images = load_images(str(folder), here)
    np.testing.assert_array_equal(images.test, PIXELS[30:].transpose(0, 2, 1))
    assert images.notes == ("EMNIST's images are stored on their side; rows and columns were exchanged.",)
    assert images.classes[1] == "A"
    assert images.record["classes"] == list(images.classes)
    single = folder / "emnist-letters-test-images-idx3-ubyte.gz"
    np.testing.assert_array_equal(load_inputs(str(single), here, None).images, images.test)
    write_set(folder, "emnist-digits-", "test")
    with pytest.raises(
        InvalidData, match=r"the IDX files of one set of images, got 2 sets: emnist-digits, emnist-letters$"
    ):
        load_images(str(folder), here)
    assert len(EMNIST_CLASSES["emnist-balanced"]) == 47
    assert len(EMNIST_CLASSES["emnist-byclass"]) == 62


def test_a_catalogued_set_is_read_from_the_data_folder(here: Settings) -> None:
    folder = write_set(here.data_dir / "fashion-mnist")
    images = load_images("fashion-mnist", here)
    assert images.classes[9] == "Ankle boot"
    assert images.record["original"] is False
    assert images.notes[0].startswith(
        "fashion-mnist/train-images-idx3-ubyte.gz in the data folder differs from the"
    )
    assert (images.record["name"], images.record["path"]) == ("fashion-mnist", str(folder))
    inputs = load_inputs("fashion-mnist", here, 2)
    assert (inputs.names, inputs.classes) == (("fashion-mnist 0", "fashion-mnist 1"), images.classes)


def test_labels_that_do_not_fit_are_left_out_with_a_note(tmp_path: Path, here: Settings) -> None:
    folder = write_set(tmp_path / "d")
    labels = folder / "train-labels-idx1-ubyte.gz"
    for content in (b"", gzip.compress(idx(LABELS[:3])), gzip.compress(idx(LABELS[:30] + 99))):
        labels.write_bytes(content)
        images = load_images(str(folder), here)
        assert images.train_labels is None
        assert images.notes[0].startswith(f"The labels in {labels} ")
        assert images.test_labels is not None


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_number_is_read(tmp_path: Path, kind: str) -> None:
    array = np.arange(24).reshape(2, 3, 4)
    (tmp_path / "a").write_bytes(idx(array, kind))
    np.testing.assert_array_equal(read_array(tmp_path / "a"), array)
    np.testing.assert_array_equal(
        read_array(tmp_path / "a", 100), array[: max(1, 100 // (12 * np.dtype(kind).itemsize))]
    )


WHOLE = idx(PIXELS)
DAMAGED, IDX = (
    "one that is damaged or was cut off",
    "an IDX file as MNIST and Fashion-MNIST are published, got",
)
BAD = {
    "empty": (b"", f"{IDX} an empty file"),
    "text": (gzip.compress(b"hello"), f"{IDX} a gzip file of something else"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(40), f"{IDX} a PNG file"),
    "cut": (gzip.compress(WHOLE)[:-9], f"{IDX} {DAMAGED}"),
    "short": (gzip.compress(WHOLE[:-1]), f"{IDX} {DAMAGED}"),
    "long": (gzip.compress(WHOLE + b"\0"), f"{IDX} {DAMAGED}"),
    "checksum": (gzip.compress(WHOLE)[:-6] + b"\1\2\3\4\5\6", f"{IDX} {DAMAGED}"),
    "members": (gzip.compress(WHOLE) + gzip.compress(b"") * 3, f"{IDX} {DAMAGED}"),
    "dimensions": (gzip.compress(b"\0\0\x08\xff" + bytes(4_000)), f"{IDX} a gzip file of something else"),
    "type": (gzip.compress(b"\0\0\x07\x03" + WHOLE[4:]), f"{IDX} a gzip file of something else"),
    "claim": (
        gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 28)),
        "an array of at most 4 GiB, got 481,036,336,928.0 GiB",
    ),
    "lie": (gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 4_000_000, 28, 28) + bytes(99)), f"{IDX} {DAMAGED}"),
    "flat": (gzip.compress(idx(PIXELS.reshape(40, 784))), "shape (images, height, width), grey levels only, got shape (40, 784)"),
    "none": (gzip.compress(idx(PIXELS[:0])), "at least one image, got shape (0, 28, 28)"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_gets_one_sentence(tmp_path: Path, here: Settings, name: str) -> None:
    content, sentence = BAD[name]
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    for place in (path, tmp_path):
        for read in (
            lambda place=place: check_data(parameters_of("autoencoder", "train"), str(place)),
            lambda place=place: load_images(str(place), here),
            lambda place=place: load_inputs(str(place), here, None),
        ):
            with at_most(20), pytest.raises(InvalidData) as raised:
                read()
            assert str(raised.value) == f"{path}: expected {sentence}"


def test_what_unpacks_to_more_than_it_says_is_not_unpacked(tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=31)
    bomb = (
        packer.compress(WHOLE) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(12)) + packer.flush()
    )
    (tmp_path / "a.gz").write_bytes(bomb)
    with at_most(6), pytest.raises(InvalidData, match="damaged"):
        read_array(tmp_path / "a.gz")


@pytest.mark.quality
@pytest.mark.parametrize("packed", [True, False])
@mutations
@given(done=changes)
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, done: list[Change], packed: bool) -> None:
    content = damaged(gzip.compress(WHOLE) if packed else WHOLE, done)
    (tmp_path / "a.gz").write_bytes(content)
    with read_or_refused(40):
        read_array(tmp_path / "a.gz")
