"""What is known of each dataset, and where its files are looked for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.datasets import shown_path
from jobs.models import all_parameters, datasets
from jobs.store.atomic_files import sha256_of
from worker.images.parameters import IDX_FILES


def test_a_dataset_is_of_the_kind_that_its_readers_take() -> None:
    assert {"mnist", "digits", "imdb", "toy-reviews", "shakespeare", "pydoc"} <= set(datasets())
    for kind in all_parameters():
        assert {dataset.kind for dataset in kind.datasets} <= {kind.data_kind}


def test_the_catalogue_has_one_checksum_for_each_download() -> None:
    for dataset in datasets().values():
        assert dataset.offline == (not dataset.originals)
        assert {original.file for original in dataset.originals} <= {
            name for layout in dataset.layouts for name in layout
        }
        assert dataset.offline or dataset.downloads[0] == dataset.originals[0]
        for original in dataset.originals:
            assert re.fullmatch("[0-9a-f]{64}", original.sha256)
            assert original.url.startswith("https://")
            assert dataset.pinned(original.file) == original.sha256
        assert dataset.pinned("another.txt") is None


@pytest.mark.parametrize(
    ("name", "files", "found"),
    [
        ("mnist", ["mnist.npz"], "mnist.npz"),
        ("mnist", ["mnist.npz/x"], None),
        ("mnist", ["shakespeare.txt"], None),
        ("shakespeare", ["shakespeare.txt"], "shakespeare.txt"),
        ("imdb", ["aclImdb.tar.gz", "aclImdb/x"], "aclImdb.tar.gz"),
        ("imdb", ["aclImdb_v1.tar.gz"], "aclImdb_v1.tar.gz"),
        ("imdb", ["aclImdb/x"], "aclImdb"),
        ("imdb", ["aclImdb"], None),
        ("imdb", ["imdb.npz"], None),
        ("imdb", ["imdb.npz", "imdb_word_index.json"], "imdb.npz"),
        ("digits", ["digits", "digits.npz"], None),
        ("kmnist", [f"kmnist/{name}" for name in IDX_FILES], "kmnist"),
        ("kmnist", [f"kmnist/{name}" for name in IDX_FILES[:3]], None),
    ],
)
def test_a_file_in_the_data_folder_is_found_by_its_name(
    tmp_path: Path, name: str, files: list[str], found: str | None
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert datasets()[name].find(tmp_path) == (tmp_path / found if found else None)


def test_a_data_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert datasets()["mnist"].find(tmp_path / "gone") is None


def test_the_pinned_shakespeare_is_the_one_that_tensorflow_publishes(real_data: Path) -> None:
    original = datasets()["shakespeare"].originals[0]
    assert sha256_of(real_data / "shakespeare.txt") == original.sha256
    assert (real_data / "shakespeare.txt").stat().st_size == original.size


@pytest.fixture
def real_data() -> Path:
    if "QUARTET_TEST_DATA" not in os.environ:
        pytest.skip("QUARTET_TEST_DATA names no folder with the real datasets")
    return Path(os.environ["QUARTET_TEST_DATA"])


def test_a_shown_path_is_one_short_printable_line() -> None:
    assert shown_path("/a/b.npz") == "/a/b.npz"
    assert shown_path("a\x1b[31m\n") == r"'a\x1b[31m\n'"
    assert shown_path(os.fsdecode(b"\xff.png")) == r"'\udcff.png'"
    assert len(shown_path("x" * 5000)) == 300


def test_the_catalogue_needs_neither_numpy_nor_tensorflow() -> None:
    code = "import sys, jobs.models; jobs.models.datasets(); print(sorted({'numpy', 'tensorflow', 'keras', 'matplotlib', 'celery'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
