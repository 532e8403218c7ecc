"""A published folder can be read and checked, by people's tools as well as by ours."""

import subprocess

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
        ("job.json", "[" * 100_000, "job", "{}/job.json cannot be read (RecursionError)"),
        ("metrics.json", "{", "metrics", "{}/metrics.json cannot be read (JSONDecodeError)"),
        ("history.csv", "epoch,loss\n1,low\n", "history", "{}/history.csv cannot be read (ValueError)"),
        ("history.csv", "epoch,loss\n1\n", "history", "{}/history.csv cannot be read (TypeError)"),
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


def test_what_a_job_did_not_write_is_empty(results: Results) -> None:
    folder = published(results)
    assert (folder.metrics, folder.history) == ({}, [])


def test_a_table_is_read_as_texts_and_as_numbers(results: Results) -> None:
    folder = published(results)
    (folder.path / "history.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n")
    assert folder.table("history.csv") == [{"epoch": "1", "loss": "0.5"}, {"epoch": "2", "loss": "0.25"}]
    assert folder.history == [{"epoch": 1.0, "loss": 0.5}, {"epoch": 2.0, "loss": 0.25}]
