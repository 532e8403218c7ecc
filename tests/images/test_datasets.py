"""Images by name: the datasets, what stays in memory, and which of them are refused."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.settings import Settings, read_settings
from jobs.store.atomic_files import sha256_of
from tests.images.files import LABELS, PIXELS, npz, png
from worker.images.datasets import load_images
from worker.images.inference_inputs import load_inputs


@pytest.mark.parametrize("name", ["shakespeare", "imdb", "toy-reviews"])
def test_a_dataset_of_another_kind_is_refused_by_the_worker_too(here: Settings, name: str) -> None:
    for load in (load_images, partial(load_inputs, count=3)):
        with pytest.raises(
            InvalidData,
            match=rf"^data: expected mnist, digits, fashion-mnist, kmnist, an \.npz file.*, got '{name}', which holds (text|reviews)$",
        ):
            load(name, here)


def test_digits_need_no_file_and_are_always_split_the_same(here: Settings) -> None:
    images = load_images("digits", here)
    assert images.train.shape == (1497, 28, 28)
    assert images.test.shape == (300, 28, 28)
    assert images.train.max() == 255
    assert images.train_labels is not None
    assert images.train_labels[:10].tolist() == list(range(10))
    assert images.record["sha256"].startswith("87ff0c9e40dc7e2c")
    assert images.notes[0] == "Images were resized from 8 × 8 to 28 × 28."
    inputs = load_inputs("digits", here, 5)
    np.testing.assert_array_equal(inputs.images, images.test[:5])
    assert inputs.names[:2] == ("digits 0", "digits 1")
    assert inputs.record["examples"] == 5
    assert not here.data_dir.exists()


def test_digits_are_made_once_in_a_process_and_no_job_can_change_them(here: Settings) -> None:
    digits = load_images("digits", here)
    assert load_images("digits", here) is digits
    with pytest.raises(ValueError, match="read-only"):
        digits.train[0] = 0


def test_the_last_data_stays_in_memory_until_its_file_changes(tmp_path: Path, here: Settings) -> None:
    path = npz(tmp_path / "a.npz", x_train=PIXELS, x_test=PIXELS)
    first = load_images(str(path), here)
    assert load_images(str(path), here) is first
    with pytest.raises(ValueError, match="read-only"):
        first.train[0] = 0
    npz(path, x_train=PIXELS[::-1], x_test=PIXELS)
    os.utime(path, ns=(0, 12345))
    changed = load_images(str(path), here)
    np.testing.assert_array_equal(changed.train, PIXELS[::-1])
    other = npz(tmp_path / "b.npz", x=PIXELS)
    load_images(str(other), here)
    assert load_images(str(path), here) is not changed


def test_another_file_of_the_same_size_and_time_is_read(tmp_path: Path, here: Settings) -> None:
    """Some archives and caches give one time to all their files."""
    path = tmp_path / "a.npz"
    for pixels in (PIXELS, PIXELS[::-1]):
        np.savez(path, x_train=pixels, x_test=PIXELS)
        os.utime(path, ns=(0, 12345))
        np.testing.assert_array_equal(load_images(str(path), here).train, pixels)


def test_a_folder_stays_in_memory_until_one_of_its_files_changes(tmp_path: Path, here: Settings) -> None:
    for index in range(20):
        png(tmp_path / f"d/{index}.png")
    first = load_images(str(tmp_path / "d"), here)
    assert load_images(str(tmp_path / "d"), here) is first
    png(tmp_path / "d/3.png", PIXELS[3][:20])
    assert load_images(str(tmp_path / "d"), here).record["sha256"] != first.record["sha256"]


def test_a_mnist_that_is_there_is_used_and_its_checksum_recorded(here: Settings) -> None:
    here.data_dir.mkdir()
    path = npz(here.data_dir / "mnist.npz", x_train=PIXELS, y_train=LABELS, x_test=PIXELS, y_test=LABELS)
    images = load_images(None, here)
    sha256 = sha256_of(path)
    assert images.name == "mnist"
    assert images.record == {
        "name": "mnist",
        "path": str(path),
        "sha256": sha256,
        "examples": {"train": 40, "test": 40},
        "original": False,
    }
    assert images.notes == (
        "mnist.npz in the data folder differs from the published file: "
        f"its SHA-256 begins with {sha256[:8]}, not 731c5ac6.",
    )
    assert sorted(file.name for file in here.data_dir.iterdir()) == ["mnist.npz"]


def test_the_real_mnist_is_read() -> None:
    if "QUARTET_TEST_DATA" not in os.environ:
        pytest.skip("QUARTET_TEST_DATA names no folder with the real datasets")
    images = load_images("mnist", read_settings(data_dir=Path(os.environ["QUARTET_TEST_DATA"])))
    assert images.train.shape == (60_000, 28, 28)
    assert images.test.shape == (10_000, 28, 28)
    assert images.test_labels is not None
    assert np.bincount(images.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    # https://keras.io/api/datasets/mnist: the mean that everyone normalizes by, 0.1307
    assert images.train.mean() / 255 == pytest.approx(0.1307, abs=5e-4)
    inputs = load_inputs(None, read_settings(data_dir=Path(os.environ["QUARTET_TEST_DATA"])), 5)
    assert inputs.labels is not None
    assert inputs.labels.tolist() == [7, 2, 1, 0, 4]


def test_images_are_read_without_tensorflow(tmp_path: Path) -> None:
    npz(tmp_path / "a.npz", x=PIXELS)
    code = (
        "import sys; from jobs.settings import read_settings; from worker.images.datasets import load_images; "
        "from worker.images.inference_inputs import load_inputs; "
        "light = {'PIL', 'sklearn'} & set(sys.modules); "
        f"load_images({str(tmp_path / 'a.npz')!r}, read_settings()); "
        "print(light | ({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
