"""The scripts of the losses: what they hold, when they are written, and that they go with their jobs."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from jobs.store import day_parts
from jobs.store.history import FOLDER as HISTORY
from jobs.store.history import History
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results
from tests.report.test_index_data import given, id_of, publish
from tests.support.report_folders import job_record, write_folder
from worker.report.index_page import write_index
from worker.report.loss_scripts import MOST_POINTS, losses_of

DAY = "20261123"
HISTORY_CSV = "epoch,loss,validation_loss,seconds\n1,0.5,0.75,1\n2,0.25123456789,nan,1\n3,inf,0.5,1\n"
LOSSES = {
    "epochs": 3,
    "x": [1.0, 2.0, 3.0],
    "y": {"training": [0.5, 0.251235, None], "validation": [0.75, None, 0.5]},
}


def trained(root: Path, job_id: str, history: str | None = HISTORY_CSV) -> Path:
    folder = publish(root, job_id)
    if history is not None:
        (folder / "history.csv").write_text(history)
    return folder


def scripts(root: Path) -> set[str]:
    return {path.relative_to(root / "index").as_posix() for path in (root / "index").glob("*/*")}


def drop(root: Path, folder: Path) -> None:
    folder.rename(root / "elsewhere")
    History(Results(root)).drop(folder.name)
    shutil.rmtree(root / "elsewhere")


def test_a_training_job_has_a_script_of_its_losses_and_no_other_job_has(tmp_path: Path) -> None:
    trained(tmp_path, id_of(1))
    other = job_record({"model": "autoencoder", "action": "evaluate", "parameters": {}}, job_id=id_of(2))
    write_folder(tmp_path, other, {"history.csv": HISTORY_CSV})
    History(Results(tmp_path)).catch_up()
    write_index(Results(tmp_path))
    assert scripts(tmp_path) == {f"{DAY}/{id_of(1)}.js"}
    assert given(tmp_path / "index" / DAY / f"{id_of(1)}.js") == {"id": id_of(1)} | LOSSES
    assert given(tmp_path / "index" / "contents.js")["loss_units"]["autoencoder"] == "nats per pixel"


@pytest.mark.parametrize(
    ("history", "epochs", "names"),
    [
        (None, 0, []),
        ("", 0, []),
        ("epoch,loss\n", 0, []),
        ("epoch,loss\n1,low\n", 0, []),
        ("\x00\xff", 0, []),
        ("loss\n0.5\n", 0, []),
        ("epoch\n1\n", 1, []),
        ("epoch,loss\n1,0.5\nnan,0.25\n", 1, ["training"]),
        ("epoch,validation_loss,loss\n1,1e308,-1e308\n", 1, ["training", "validation"]),
    ],
)
def test_whatever_the_history_is_the_script_says_what_is_known(
    tmp_path: Path, history: str | None, epochs: int, names: list[str]
) -> None:
    losses = losses_of(JobFolder(trained(tmp_path, id_of(1), history)))
    assert (losses["epochs"], list(losses["y"])) == (epochs, names)
    assert json.dumps(losses, allow_nan=False)


def test_of_a_long_history_the_first_the_last_and_the_lowest_are_kept(tmp_path: Path) -> None:
    values = [(epoch, 1 + epoch % 7, 1 / epoch) for epoch in range(1, 20_001)]
    values[12_345] = (12_346, 0.125, 5)
    rows = "".join(f"{epoch},{loss},{validation}\n" for epoch, loss, validation in values)
    losses = losses_of(JobFolder(trained(tmp_path, id_of(1), "epoch,loss,validation_loss\n" + rows)))
    assert losses["epochs"] == 20_000
    assert MOST_POINTS <= len(losses["x"]) <= MOST_POINTS + 2
    assert losses["x"] == sorted(losses["x"])
    assert (losses["x"][0], losses["x"][-1]) == (1, 20_000)
    assert losses["y"]["training"][losses["x"].index(12_346)] == 0.125


def test_a_history_is_read_once_and_one_more_job_reads_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_parts, "PART_BYTES", 10_000)
    for number in range(6):
        trained(tmp_path, id_of(number), None if number % 2 else HISTORY_CSV)
    write_index(Results(tmp_path))
    before = {name: (tmp_path / "index" / name).stat().st_ino for name in scripts(tmp_path)}
    assert len(before) == 6
    read: list[str] = []
    history = JobFolder.history.fget
    assert history is not None

    def noting(folder: JobFolder) -> Any:
        read.append(folder.id)
        return history(folder)

    monkeypatch.setattr(JobFolder, "history", property(noting))
    trained(tmp_path, id_of(6))
    write_index(Results(tmp_path))
    assert read == [id_of(6)]
    after = {name: (tmp_path / "index" / name).stat().st_ino for name in scripts(tmp_path)}
    assert before.items() <= after.items()
    assert len(after) == 7


def test_the_script_goes_with_its_job_and_the_folder_with_its_day(tmp_path: Path) -> None:
    folders = [trained(tmp_path, id_of(number)) for number in range(3)]
    of_another_day = trained(tmp_path, id_of(1, "20261124"))
    write_index(Results(tmp_path))
    drop(tmp_path, folders[1])
    drop(tmp_path, of_another_day)
    write_index(Results(tmp_path))
    assert scripts(tmp_path) == {f"{DAY}/{id_of(number)}.js" for number in (0, 2)}
    assert not (tmp_path / "index" / "20261124").exists()


@pytest.mark.parametrize("lost", ["index", "index/.marks.json"])
def test_what_was_lost_is_made_anew_and_what_is_stale_goes(tmp_path: Path, lost: str) -> None:
    folders = [trained(tmp_path, id_of(number)) for number in range(2)]
    of_another_day = trained(tmp_path, id_of(1, "20261124"))
    write_index(Results(tmp_path))
    if lost == "index":
        shutil.rmtree(tmp_path / lost)
    else:
        (tmp_path / lost).unlink()
        (tmp_path / "index" / f"{DAY}-7.js").write_text("of an index that was longer")
    drop(tmp_path, folders[0])
    drop(tmp_path, of_another_day)
    write_index(Results(tmp_path))
    assert scripts(tmp_path) == {f"{DAY}/{id_of(1)}.js"}
    names = {path.name for path in (tmp_path / "index").iterdir() if path.name[0] == "2"}
    assert names == {DAY, f"{DAY}-0.js"}


def test_a_link_or_a_pipe_in_place_of_the_scripts_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "results", tmp_path / "outside"
    outside.mkdir()
    secret = outside / f"{id_of(9)}.js"
    secret.touch()
    trained(root, id_of(1))
    os.mkfifo(trained(root, id_of(2), None) / "history.csv")
    (root / "index").mkdir()
    (root / "index" / DAY).symlink_to(outside)
    write_index(Results(root))
    assert list(outside.iterdir()) == [secret]
    assert given(root / "index" / DAY / f"{id_of(2)}.js")["epochs"] == 0
    shutil.rmtree(root / "index" / DAY)
    (root / "index" / DAY).symlink_to(outside)
    (root / HISTORY / "2026-11-23.jsonl").unlink()
    write_index(Results(root))
    assert list(outside.iterdir()) == [secret]
