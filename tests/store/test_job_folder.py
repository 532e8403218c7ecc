"""A published folder can be read and checked, by people's tools as well as by ours."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from jobs.errors import DamagedFolder
from jobs.store.job_folder import MANIFEST
from jobs.store.results import Results
from tests.store.folders import published


def test_the_manifest_is_one_that_sha256sum_checks(results: Results) -> None:
    folder = published(results)
    checked = subprocess.run(
        ["sha256sum", "--check", MANIFEST], cwd=folder.path, capture_output=True, text=True, check=True
    )
    assert checked.stdout.splitlines() == ["figures/loss.png: OK", "job.json: OK"]
    assert folder.verify() == []


def test_verify_names_what_was_changed_added_or_taken_away(results: Results) -> None:
    folder = published(results)
    (folder.path / "job.json").write_text("[]")
    (folder.path / "extra.txt").write_text("x")
    (folder.path / "figures" / "loss.png").unlink()
    assert folder.verify() == [
        "figures/loss.png is missing",
        "extra.txt is not in MANIFEST.sha256",
        "job.json was changed after it was published",
    ]
    with pytest.raises(DamagedFolder, match=r"figures/loss\.png is missing"):
        folder.check()


def test_a_folder_without_a_manifest_is_damaged(results: Results) -> None:
    folder = published(results)
    (folder.path / MANIFEST).unlink()
    assert folder.verify() == ["MANIFEST.sha256 is missing"]


def test_a_symbolic_link_is_named(results: Results) -> None:
    folder = published(results)
    (folder.path / "link.json").symlink_to("job.json")
    assert folder.verify() == ["link.json is a symbolic link, and no job writes one"]


@pytest.mark.parametrize(
    ("name", "text", "read", "sentence"),
    [
        ("job.json", None, "job", "{}/job.json cannot be read (FileNotFoundError)"),
        ("job.json", "{", "job", "{}/job.json cannot be read (JSONDecodeError)"),
        ("job.json", "[" * 100_000, "job", "{}/job.json cannot be read (ValueError)"),
        ("job.json", "[]", "job", "{}/job.json cannot be read (it is not a JSON object)"),
        ("job.json", '{"seconds": 1e309}', "job", "{}/job.json cannot be read (ValueError)"),
        ("job.json", '{"seconds": NaN}', "job", "{}/job.json cannot be read (ValueError)"),
        ("job.json", '{"seconds": ' + "9" * 5_000 + "}", "job", "{}/job.json cannot be read (ValueError)"),
        ("metrics.json", "[]", "metrics", "{}/metrics.json cannot be read (it is not a JSON object)"),
        ("metrics.json", '{"a": "b"}', "metrics", "{}/metrics.json cannot be read (a value is not a number)"),
        (
            "metrics.json",
            '{"a": 1' + "0" * 400 + "}",
            "metrics",
            "{}/metrics.json cannot be read (a value is not a number)",
        ),
        ("history.csv", '"', "history", "{}/history.csv cannot be read (Error)"),
        ("metrics.json", "{", "metrics", "{}/metrics.json cannot be read (JSONDecodeError)"),
        ("history.csv", "epoch,loss\n1,low\n", "history", "{}/history.csv cannot be read (ValueError)"),
        ("history.csv", "epoch,loss\n1\n", "history", "{}/history.csv cannot be read (ValueError)"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    results: Results, name: str, text: str | None, read: str, sentence: str
) -> None:
    folder = published(results)
    (folder.path / name).unlink(missing_ok=True)
    if text is not None:
        (folder.path / name).write_text(text)
    with pytest.raises(DamagedFolder) as caught:
        getattr(folder, read)
    assert str(caught.value) == sentence.format(folder.path)


def in_place_of(path: Path, kind: str) -> None:
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(2 * 2**30)


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "2 GB"])
@pytest.mark.parametrize("read", ["job", "timeline", "metrics", "history"])
def test_whatever_lies_in_place_of_a_file_is_refused_at_once(results: Results, kind: str, read: str) -> None:
    folder = published(results)
    name = {"metrics": "metrics.json", "history": "history.csv"}.get(read, "job.json")
    in_place_of(folder.path / name, kind)
    began = time.monotonic()
    with pytest.raises(DamagedFolder, match=r"(?i)not a regular file|larger than"):
        getattr(folder, read)
    assert time.monotonic() - began < 5


@pytest.mark.quality
def test_a_table_of_empty_cells_takes_no_memory(results: Results) -> None:
    folder = published(results)
    (folder.path / "history.csv").write_text("a\n" + "1\n" * 6_000_000)
    with pytest.raises(DamagedFolder):
        _ = folder.history
    (folder.path / "history.csv").write_text("epoch,loss\n1,0.5,7\n")
    with pytest.raises(DamagedFolder):
        _ = folder.history


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "2 GB"])
def test_verify_opens_no_manifest_that_is_none(results: Results, kind: str) -> None:
    folder = published(results)
    in_place_of(folder.path / MANIFEST, kind)
    [problem] = folder.verify()
    assert problem.startswith("MANIFEST.sha256 cannot be read (")


def test_verify_opens_regular_files_alone(results: Results) -> None:
    folder = published(results)
    in_place_of(folder.path / "job.json", "pipe")
    in_place_of(folder.path / "figures" / "loss.png", "folder")
    assert folder.verify() == [
        "figures/loss.png is missing",
        "job.json is missing",
        "job.json is no regular file, and no job writes one",
    ]


def test_verify_names_what_is_wrong_in_a_manifest(results: Results) -> None:
    folder = published(results)
    text = (folder.path / MANIFEST).read_text()
    digest = "0" * 64
    more = f"{digest}  /etc/passwd\n{digest}  ../x\n{digest}  job.json\nnot a line\n\x1b[31m\n"
    (folder.path / MANIFEST).write_text(text + more)
    assert folder.verify() == [
        "job.json is listed twice in MANIFEST.sha256",
        "line 6 of MANIFEST.sha256 is not a checksum and a name",
        "line 7 of MANIFEST.sha256 is not a checksum and a name",
        "../x is missing",
        "/etc/passwd is missing",
    ]


def test_verify_of_a_folder_with_very_many_files_ends_soon_and_says_little(results: Results) -> None:
    folder = published(results)
    for number in range(500):
        (folder.path / f"line\nbreak {number}").touch()
    (folder.path / os.fsdecode(b"\xff\xfe")).touch()
    problems = folder.verify()
    assert len(problems) == 21
    assert problems[0] == "line break 0 is not in MANIFEST.sha256"
    assert problems[-1] == "481 more differences"
    for number in range(10_001):
        (folder.path / "figures" / str(number)).touch()
    assert folder.verify() == ["it has more than 10,000 files and folders"]


def test_what_a_job_did_not_write_is_empty(results: Results) -> None:
    folder = published(results)
    assert (folder.metrics, folder.history) == ({}, [])


def test_a_table_is_read_as_texts_and_as_numbers(results: Results) -> None:
    folder = published(results)
    (folder.path / "history.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n")
    assert folder.table("history.csv") == [{"epoch": "1", "loss": "0.5"}, {"epoch": "2", "loss": "0.25"}]
    assert folder.history == [{"epoch": 1.0, "loss": 0.5}, {"epoch": 2.0, "loss": 0.25}]
