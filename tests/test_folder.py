"""A job's folder is published whole or not at all, by the attempt that holds the job."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from jobs.errors import DamagedFolder, LeaseLost, UnknownJob
from jobs.files import whole_file, write_json
from jobs.folder import CHECKPOINT, MANIFEST, STAGING, JobFolder, Results
from jobs.job_id import is_job_id, new_job_id


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def staged(results: Results, job_id: str, attempt: int = 1) -> Path:
    folder = results.stage(job_id, attempt)
    (folder / "job.json").write_text("{}")
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "loss.png").write_bytes(b"png")
    return folder


def published(results: Results) -> JobFolder:
    job_id = new_job_id()
    staged(results, job_id)
    return results.publish(job_id, 1, 0o022)


def test_nothing_is_listed_before_it_is_published(results: Results) -> None:
    job_id = new_job_id()
    staged(results, job_id)
    assert results.ids() == []
    assert results.find(job_id) is None
    results.publish(job_id, 1, 0o022)
    assert results.ids() == [job_id]
    assert not any((results.root / STAGING).iterdir())


def test_what_is_published_is_durable_before_it_is_seen(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = new_job_id()
    write_json(staged(results, job_id) / "metrics.json", {}, durable=False)
    final, fsync = results.root / job_id, os.fsync
    before: set[int] = set()
    after: set[int] = set()

    def noting_fsync(descriptor: int) -> None:
        (after if final.exists() else before).add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    results.publish(job_id, 1, 0o022)
    assert before >= {path.stat().st_ino for path in (final, *final.rglob("*"))}
    assert after == {results.root.stat().st_ino}


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


def test_a_later_attempt_takes_the_checkpoint_and_nothing_else(results: Results) -> None:
    job_id = new_job_id()
    first = staged(results, job_id, 1)
    (first / CHECKPOINT).write_bytes(b"weights")
    second = results.stage(job_id, 2)
    assert [path.name for path in second.iterdir()] == [CHECKPOINT]
    assert (second / CHECKPOINT).read_bytes() == b"weights"
    assert results.staged_attempts(job_id) == [2]


def test_an_attempt_whose_staging_was_taken_over_publishes_nothing(results: Results) -> None:
    job_id = new_job_id()
    staged(results, job_id, 1)
    staged(results, job_id, 2)
    with pytest.raises(LeaseLost):
        results.publish(job_id, 1, 0o022)
    assert results.ids() == []
    results.publish(job_id, 2, 0o022)
    assert results.ids() == [job_id]


def test_whoever_comes_second_finds_the_name_taken(results: Results) -> None:
    job_id = new_job_id()
    staged(results, job_id, 1)
    results.publish(job_id, 1, 0o022)
    staged(results, job_id, 2)
    with pytest.raises(LeaseLost):
        results.publish(job_id, 2, 0o022)


def test_files_get_the_permissions_that_the_umask_leaves(results: Results) -> None:
    job_id = new_job_id()
    staged(results, job_id)
    folder = results.publish(job_id, 1, 0o027).path
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert modes == {
        job_id: 0o750,
        "figures": 0o750,
        "loss.png": 0o640,
        "job.json": 0o640,
        MANIFEST: 0o640,
    }


@pytest.mark.parametrize(
    "reference", ["..", "../x", "/etc", "", ".", "20261123-221530-042-k7qd/..", "x\0y", "latest", "~root"]
)
def test_what_is_no_id_never_becomes_a_path(results: Results, reference: str) -> None:
    for use in (results.find, lambda text: results.stage(text, 1), lambda text: results.publish(text, 1, 0)):
        with pytest.raises(UnknownJob):
            use(reference)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(b"before")

    def fail_in_the_middle() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        fail_in_the_middle()
    assert path.read_bytes() == b"before"
    assert [left.name for left in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_ids_sort_by_time_also_within_a_millisecond() -> None:
    ids = [new_job_id() for _ in range(2000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 2000
    assert all(is_job_id(job_id) for job_id in ids)
