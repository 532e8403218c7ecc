"""What `--data` names on this machine: a dataset, made on the spot or in the data folder, or a path."""

from pathlib import Path

import pytest

from jobs.errors import InvalidData
from jobs.models import parameters_of
from jobs.settings import read_settings
from jobs.store.own_data import OwnData
from jobs.store.own_data_files import OwnFiles
from worker.datasets.locate import Located, locate


def test_a_dataset_that_is_made_on_the_spot_has_no_path(tmp_path: Path) -> None:
    kind = parameters_of("textgen", "train")
    found = locate(kind, "pydoc", read_settings(data_dir=tmp_path / "data"))
    assert (found.name, found.path) == ("pydoc", None)
    assert found.dataset is not None
    assert not (tmp_path / "data").exists()


def test_a_dataset_is_found_in_the_data_folder(tmp_path: Path) -> None:
    kind = parameters_of("textgen", "train")
    (tmp_path / "shakespeare.txt").touch()
    found = locate(kind, "shakespeare", read_settings(data_dir=tmp_path))
    assert found == Located("shakespeare", kind.datasets[0], tmp_path / "shakespeare.txt")


def test_a_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").touch()
    found = locate(parameters_of("textgen", "train"), "mine.txt", read_settings())
    assert found == Located(str(tmp_path / "mine.txt"), None, tmp_path / "mine.txt")


def test_a_dataset_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidData, match=r"^data: expected shakespeare, pydoc or a \.txt file, got 'digits'"
    ):
        locate(parameters_of("textgen", "train"), "digits", read_settings(data_dir=tmp_path))


def test_stored_data_is_found_in_the_results_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("text")
    store, files = OwnData(tmp_path / "results"), OwnFiles.of(tmp_path / "mine.txt")
    pin = store.add(files, "novel", files.sha256(), ["textgen train"]).pin
    settings = read_settings(results_dir=tmp_path / "results")
    assert locate(parameters_of("textgen", "train"), str(pin), settings) == Located(
        "novel", None, store.find(pin)
    )
    with pytest.raises(InvalidData, match=r"got novel \(sha256 [0-9a-f]{12}…\), a \.txt file$"):
        locate(parameters_of("autoencoder", "train"), str(pin), settings)
