"""What may be given as --data, and what is said about everything else, before anything is queued."""

import os
from pathlib import Path

import pytest

from jobs.data_check import check_data, check_named, dataset_names, expected_data
from jobs.errors import InvalidData
from jobs.models import datasets, model_names, parameters_of
from jobs.parameters import Evaluation, Generation, Parameters


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


def kind_of(job: str) -> type[Parameters]:
    return parameters_of(*job.split())


def check(job: str, value: str, base: Path | None = None) -> str:
    return check_named(kind_of(job), value, base=base)


IMAGES = "mnist, digits, fashion-mnist, kmnist, an .npz file, an IDX file or a folder of image or IDX files"
IMAGES_OR_ONE = "mnist, digits, fashion-mnist, kmnist, an .npz file, an IDX file, a folder of image or IDX files or an image file"
TEXT = "shakespeare, pydoc or a .txt file"
LABELLED = "imdb, toy-reviews, a .csv, .tsv, .jsonl or .parquet file, a .txt file with fastText's labels or a folder with pos/ and neg/"
REVIEWS = "imdb, toy-reviews, a .csv, .tsv, .jsonl or .parquet file or a .txt file with one review a line"
EXPECTED = {
    "autoencoder train": IMAGES,
    "autoencoder evaluate": IMAGES,
    "autoencoder generate": IMAGES_OR_ONE,
    "denoiser train": IMAGES,
    "denoiser evaluate": IMAGES,
    "denoiser generate": IMAGES_OR_ONE,
    "textgen train": TEXT,
    "textgen evaluate": TEXT,
    "sentiment train": LABELLED,
    "sentiment evaluate": LABELLED,
    "sentiment generate": REVIEWS,
}


@pytest.mark.parametrize("job", EXPECTED)
def test_a_job_that_reads_data_says_what_it_expects(job: str) -> None:
    assert kind_of(job).takes_data()
    assert expected_data(kind_of(job)) == EXPECTED[job]


NUL = "which is not a valid path, since it holds a NUL"
BAD = [
    ("autoencoder train", "{}/gone.npz", "{}/gone.npz, which does not exist"),
    ("autoencoder train", "{}/nowhere.npz", "{}/nowhere.npz, which does not exist"),
    ("autoencoder train", "{}/a.npz/b.npz", "{}/a.npz/b.npz, which cannot be read (not a directory)"),
    (
        "autoencoder train",
        "{}/circle.npz",
        "{}/circle.npz, which cannot be read (too many levels of symbolic links)",
    ),
    ("autoencoder train", "{}/pipe.npz", "{}/pipe.npz, which is neither a file nor a folder"),
    ("autoencoder train", "/dev/zero", "/dev/zero, which is neither a file nor a folder"),
    ("autoencoder train", "{}/a.png", "{}/a.png, a .png file"),
    ("denoiser evaluate", "{}/a.pdf", "{}/a.pdf, a .pdf file"),
    ("denoiser generate", "{}/a.csv", "{}/a.csv, a .csv file"),
    ("autoencoder train", "{}/noending", "{}/noending, a file without a suffix"),
    ("autoencoder train", "{}/empty", "{}/empty, a folder without a PNG, JPEG, TIFF, WebP or IDX file"),
    ("autoencoder generate", "{}/other", "{}/other, a folder without a PNG, JPEG, TIFF, WebP or IDX file"),
    ("textgen train", "{}/a.npz", "{}/a.npz, an .npz file"),
    ("textgen train", "{}/a.pdf", "{}/a.pdf, a .pdf file"),
    ("textgen evaluate", "{}/other", "{}/other, a folder"),
    ("textgen train", "{}/a\0b.txt", f"'{{}}/a\\x00b.txt', {NUL}"),
    ("textgen train", "{}/a\nb.txt", "'{}/a\\nb.txt', which does not exist"),
    (
        "textgen train",
        "/" + "x" * 4096,
        f"/{'x' * 199}…{'x' * 99}, which cannot be read (file name too long)",
    ),
    (
        "textgen train",
        "~no-such-person/a.txt",
        "~no-such-person/a.txt, which names the home folder of an unknown user",
    ),
    ("sentiment train", "{}/a.pdf", "{}/a.pdf, a .pdf file"),
    ("sentiment train", "{}/half", "{}/half, a folder without pos/ and neg/"),
    ("sentiment generate", "{}/reviews", "{}/reviews, a folder"),
    ("sentiment generate", "{}/a.pdf", "{}/a.pdf, a .pdf file"),
]


def refused(job: str, value: str) -> InvalidData:
    """The error of a wrong `--data`, which has the form of all errors about input."""
    with pytest.raises(InvalidData) as raised:
        check(job, value)
    error = raised.value
    assert str(error) == f"data: expected {error.expected}, got {error.given}"
    assert str(error).isprintable()
    assert error.field == "data"
    return error


@pytest.mark.parametrize(("job", "value", "given"), BAD, ids=[f"{row[0]} {row[1][:20]}" for row in BAD])
def test_a_path_that_cannot_be_used_gets_one_sentence(folder: Path, job: str, value: str, given: str) -> None:
    error = refused(job, value.replace("{}", str(folder)))
    assert (error.expected, error.hint) == (EXPECTED[job], None)
    assert error.given == given.replace("{}", str(folder))


@pytest.mark.parametrize(
    ("job", "value", "names", "hint"),
    [
        ("autoencoder train", "MNIST", "mnist, digits, fashion-mnist, kmnist", "did you mean 'mnist'?"),
        ("denoiser evaluate", "digit", "mnist, digits, fashion-mnist, kmnist", "did you mean 'digits'?"),
        ("textgen train", "Hamlet", "shakespeare, pydoc", None),
        ("sentiment train", "toy", "imdb, toy-reviews", None),
        ("sentiment train", "toy-review", "imdb, toy-reviews", "did you mean 'toy-reviews'?"),
    ],
)
def test_an_unknown_dataset_gets_the_names_and_the_one_that_is_spelled_alike(
    folder: Path, monkeypatch: pytest.MonkeyPatch, job: str, value: str, names: str, hint: str | None
) -> None:
    monkeypatch.chdir(folder)
    error = refused(job, value)
    forms = EXPECTED[job].removeprefix(names).removeprefix(", ").removeprefix(" or ")
    assert error.expected == f"one of {names}, or the path of {forms}"
    assert (error.given, error.hint) == (repr(value), hint)


def test_a_name_that_is_too_long_for_a_file_is_refused_in_a_short_sentence() -> None:
    error = refused("textgen train", "x" * 4096)
    assert error.given.endswith("xxx, which cannot be read (file name too long)")
    assert len(str(error)) < 450


@pytest.mark.parametrize(
    ("job", "dataset", "holds"),
    [
        ("autoencoder train", "shakespeare", "text"),
        ("denoiser generate", "toy-reviews", "reviews"),
        ("textgen evaluate", "mnist", "images"),
        ("sentiment train", "pydoc", "text"),
    ],
)
def test_a_dataset_of_another_kind_gets_one_sentence(job: str, dataset: str, holds: str) -> None:
    error = refused(job, dataset)
    assert (error.expected, error.hint) == (EXPECTED[job], None)
    assert error.given == f"{dataset!r}, which holds {holds}"


@pytest.mark.parametrize("value", ["shakespeare", "mnist", "a.txt"])
def test_generating_text_takes_no_data(value: str) -> None:
    error = refused("textgen generate", value)
    assert error.expected == "nothing, since textgen generate reads none"
    assert (error.given, error.hint) == (repr(value), "leave out --data")


def test_a_model_without_named_datasets_or_without_forms_has_sentences_as_well(folder: Path) -> None:
    class OnlyFiles(Evaluation):
        data_kind = "text"
        forms = parameters_of("textgen", "train").forms

    class OnlyNames(Generation):
        data_kind = "text"
        datasets = parameters_of("textgen", "train").datasets[:1]

    for kind, value, expected in [
        (OnlyFiles, "hamlet", "the path of a .txt file"),
        (OnlyFiles, str(folder / "a.csv"), "a .txt file"),
        (OnlyNames, "hamlet", "shakespeare"),
        (OnlyNames, str(folder / "a.csv"), "shakespeare"),
        (OnlyNames, str(folder / "empty"), "shakespeare"),
    ]:
        with pytest.raises(InvalidData) as raised:
            check_data(kind, value)
        assert raised.value.expected == expected


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
    assert check("textgen train", "./a.txt") == str(folder / "a.txt")


def test_the_home_folder_may_be_written_as_a_tilde(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert check("textgen train", "~/a.txt") == str(folder / "a.txt")


def test_a_symbolic_link_that_was_given_is_kept(folder: Path) -> None:
    (folder / "link.npz").symlink_to("a.npz")
    assert check("autoencoder train", "link.npz", base=folder) == str(folder / "link.npz")


@pytest.mark.parametrize("model", model_names())
def test_every_model_takes_its_default_dataset_and_one_that_needs_no_network(model: str) -> None:
    kind = parameters_of(model, "train")
    names = dataset_names(kind)
    assert kind.default_data() in names
    assert any(datasets()[name].offline for name in names)
    for name in names:
        assert check_data(kind, name, base=Path("/nowhere")) == name


def test_a_datasets_name_means_the_dataset_and_a_path_is_written_with_a_slash(folder: Path) -> None:
    (folder / "mnist").mkdir()
    (folder / "mnist/a.png").touch()
    assert check("autoencoder train", "mnist", base=folder) == "mnist"
    assert check("autoencoder train", "./mnist", base=folder) == str(folder / "mnist")
