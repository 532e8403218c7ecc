"""What may be given as --data, and what is said about everything else, before anything is queued."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.datasets import (
    DATASETS,
    check_data,
    datasets_of,
    find,
    shown_path,
)
from jobs.errors import InvalidData
from jobs.files import sha256_of
from jobs.spec import MODELS, PARAMETERS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files and folders of every form; what is in the files does not matter here."""
    for name in ("a.npz", "a.png", "A.PNG", "a.txt", "a.csv", "a.tsv", "a.jsonl", "a.pdf", "noending"):
        (tmp_path / name).touch()
    for name in (
        "pictures/0/b.png",
        "flat/c.png",
        "reviews/pos/1.txt",
        "reviews/neg/1.txt",
        "other/a.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for part in ("pos", "neg"):
        (tmp_path / "nested/train" / part).mkdir(parents=True)
    (tmp_path / "half/pos").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "nowhere.npz").symlink_to("gone.npz")
    (tmp_path / "circle.npz").symlink_to("circle.npz")
    os.mkfifo(tmp_path / "pipe.npz")
    return tmp_path


def check(job: str, value: str, base: Path | None = None) -> str:
    model, action = job.split()
    return check_data(model, action, value, base=base)


IMAGES = "mnist, digits, or a path to an .npz file or a folder of PNG files"
TEXT = "shakespeare, pydoc, or a path to a .txt file"
TABLES = "imdb, toy-reviews, or a path to a .csv, .tsv or .jsonl file"
ALLOWED = {
    "autoencoder train": IMAGES,
    "autoencoder generate": f"{IMAGES} or a .png file",
    "denoiser evaluate": IMAGES,
    "denoiser generate": f"{IMAGES} or a .png file",
    "textgen train": TEXT,
    "textgen evaluate": TEXT,
    "sentiment train": f"{TABLES} or a folder with pos/ and neg/",
    "sentiment generate": f"{TABLES} or a .txt file with one review a line",
}

BAD = [
    ("autoencoder train", "MNIST", "dataset 'MNIST' is unknown; did you mean 'mnist'?"),
    ("denoiser evaluate", "digit", "dataset 'digit' is unknown; did you mean 'digits'?"),
    ("textgen train", "Hamlet", "dataset 'Hamlet' is unknown;"),
    ("sentiment train", "toy", "dataset 'toy' is unknown;"),
    ("autoencoder train", "{}/gone.npz", "{}/gone.npz does not exist;"),
    ("autoencoder train", "{}/nowhere.npz", "{}/nowhere.npz does not exist;"),
    ("autoencoder train", "{}/a.npz/b.npz", "{}/a.npz/b.npz cannot be looked at (not a directory);"),
    (
        "autoencoder train",
        "{}/circle.npz",
        "{}/circle.npz cannot be looked at (too many levels of symbolic links);",
    ),
    ("autoencoder train", "{}/pipe.npz", "{}/pipe.npz is neither a file nor a folder;"),
    ("autoencoder train", "/dev/zero", "/dev/zero is neither a file nor a folder;"),
    ("autoencoder train", "{}/a.png", "{}/a.png is a file ending in .png, which {job} does not take;"),
    ("denoiser evaluate", "{}/a.pdf", "{}/a.pdf is a file ending in .pdf, which {job} does not take;"),
    ("denoiser generate", "{}/a.csv", "{}/a.csv is a file ending in .csv, which {job} does not take;"),
    (
        "autoencoder train",
        "{}/noending",
        "{}/noending is a file without an ending, which {job} does not take;",
    ),
    ("autoencoder train", "{}/empty", "{}/empty is a folder without a .png file;"),
    ("autoencoder generate", "{}/other", "{}/other is a folder without a .png file;"),
    ("textgen train", "{}/a.pdf", "{}/a.pdf is a file ending in .pdf, which {job} does not take;"),
    ("textgen evaluate", "{}/other", "{}/other is a folder, which {job} does not take;"),
    ("textgen train", "{}/a\0b.txt", "/a\\x00b.txt' cannot be looked at (embedded null byte);"),
    ("textgen train", "{}/a\nb.txt", "/a\\nb.txt' does not exist;"),
    ("textgen train", "x" * 4096, "xxx cannot be looked at (file name too long);"),
    (
        "textgen train",
        "~no-such-person/a.txt",
        "~no-such-person/a.txt cannot be looked at (could not determine home directory);",
    ),
    ("sentiment train", "{}/a.txt", "{}/a.txt is a file ending in .txt, which {job} does not take;"),
    ("sentiment train", "{}/half", "{}/half is a folder without pos/ and neg/;"),
    ("sentiment generate", "{}/reviews", "{}/reviews is a folder, which {job} does not take;"),
    ("sentiment generate", "{}/a.pdf", "{}/a.pdf is a file ending in .pdf, which {job} does not take;"),
]


@pytest.mark.parametrize(("job", "value", "problem"), BAD, ids=[f"{row[0]} {row[1][:20]}" for row in BAD])
def test_data_that_cannot_be_used_gets_one_sentence(folder: Path, job: str, value: str, problem: str) -> None:
    with pytest.raises(InvalidData) as raised:
        check(job, value.replace("{}", str(folder)))
    message = str(raised.value)
    assert problem.replace("{}", str(folder)).replace("{job}", job) + " allowed: " in message
    assert message.startswith("data: ")
    assert message.endswith(ALLOWED[job])
    assert message.isprintable()


@pytest.mark.parametrize(
    ("job", "dataset", "sentence"),
    [
        (
            "autoencoder train",
            "shakespeare",
            "holds text, not images; allowed: mnist, digits, or a path to images of your own",
        ),
        (
            "denoiser generate",
            "toy-reviews",
            "holds reviews, not images; allowed: mnist, digits, or a path to images of your own",
        ),
        (
            "textgen evaluate",
            "mnist",
            "holds images, not text; allowed: shakespeare, pydoc, or a path to text of your own",
        ),
        (
            "sentiment train",
            "pydoc",
            "holds text, not reviews; allowed: imdb, toy-reviews, or a path to reviews of your own",
        ),
    ],
)
def test_a_dataset_of_another_kind_gets_one_sentence(job: str, dataset: str, sentence: str) -> None:
    with pytest.raises(InvalidData) as raised:
        check(job, dataset)
    assert str(raised.value) == f"data: {dataset} {sentence}"


@pytest.mark.parametrize("value", ["shakespeare", "mnist", "a.txt"])
def test_generating_text_takes_no_data(value: str) -> None:
    with pytest.raises(InvalidData) as raised:
        check_data("textgen", "generate", value)
    assert str(raised.value) == ("data: textgen generate reads no data; allowed: no --data here")


GOOD = [
    ("autoencoder train", "a.npz"),
    ("denoiser train", "pictures"),
    ("denoiser evaluate", "flat"),
    ("autoencoder generate", "a.png"),
    ("autoencoder generate", "A.PNG"),
    ("denoiser generate", "a.npz"),
    ("denoiser generate", "flat"),
    ("textgen train", "a.txt"),
    ("textgen evaluate", "a.txt"),
    ("sentiment train", "a.csv"),
    ("sentiment train", "a.tsv"),
    ("sentiment evaluate", "a.jsonl"),
    ("sentiment train", "reviews"),
    ("sentiment train", "nested"),
    ("sentiment generate", "a.txt"),
    ("sentiment generate", "a.csv"),
]


@pytest.mark.parametrize(("job", "name"), GOOD)
def test_a_path_of_the_right_form_becomes_absolute(folder: Path, job: str, name: str) -> None:
    assert check(job, name, base=folder) == str(folder / name)
    assert check(job, str(folder / name)) == str(folder / name)


def test_a_relative_path_starts_from_the_working_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert check_data("textgen", "train", "./a.txt") == str(folder / "a.txt")


def test_the_home_folder_may_be_written_as_a_tilde(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert check_data("textgen", "train", "~/a.txt") == str(folder / "a.txt")


def test_a_symbolic_link_that_was_given_is_kept(folder: Path) -> None:
    (folder / "link.npz").symlink_to("a.npz")
    assert check_data("autoencoder", "train", "link.npz", base=folder) == str(folder / "link.npz")


@pytest.mark.parametrize("model", MODELS)
def test_every_model_takes_its_default_dataset_and_one_that_needs_no_network(model: str) -> None:
    job = PARAMETERS[model, "train"]
    names = datasets_of(job.data_kind)
    assert job.default_data in names
    assert any(DATASETS[name].offline for name in names)
    for name in names:
        assert check_data(model, "train", name, base=Path("/nowhere")) == name


def test_a_datasets_name_means_the_dataset_and_a_path_is_written_with_a_slash(folder: Path) -> None:
    (folder / "mnist").mkdir()
    (folder / "mnist/a.png").touch()
    assert check_data("autoencoder", "train", "mnist", base=folder) == "mnist"
    assert check_data("autoencoder", "train", "./mnist", base=folder) == str(folder / "mnist")


def test_the_catalogue_has_one_checksum_for_each_download() -> None:
    for dataset in DATASETS.values():
        assert dataset.offline == (not dataset.originals)
        assert {original.file for original in dataset.originals} <= {layout[0] for layout in dataset.layouts}
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
    ],
)
def test_a_file_in_the_data_folder_is_found_by_its_name(
    tmp_path: Path, name: str, files: list[str], found: str | None
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert find(name, tmp_path) == (tmp_path / found if found else None)


def test_a_data_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert find("mnist", tmp_path / "gone") is None


def test_the_pinned_shakespeare_is_the_one_that_tensorflow_publishes(real_data: Path) -> None:
    original = DATASETS["shakespeare"].originals[0]
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
    code = "import jobs.datasets, sys; print(sorted({'numpy', 'tensorflow', 'keras'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
