"""A job's folder is published atomically, by the attempt that holds the job."""

import os
import stat
from pathlib import Path

import pytest

from jobs.errors import LeaseLost, UnknownJob
from jobs.ids import new_job_id
from jobs.store.atomic_files import write_json
from jobs.store.bucket_results import BucketResults
from jobs.store.job_folder import CHECKPOINT, MANIFEST
from jobs.store.objects.elsewhere import Elsewhere
from jobs.store.results import Results
from jobs.store.staging import STAGING
from tests.store.folders import claim, staged


@pytest.fixture(params=["folder", "object store"])
def results(request: pytest.FixtureRequest, tmp_path: Path) -> Results:
    """An empty store of each kind, all of which keep the same promises."""
    root = tmp_path / "results"
    if request.param == "folder":
        return Results(root)
    address = request.getfixturevalue("s3")
    return BucketResults(root, objects=Elsewhere(address), address=address)


def test_nothing_is_listed_before_it_is_published(results: Results) -> None:
    job_id = new_job_id()
    staged(results, job_id)
    assert results.ids() == []
    assert results.find(job_id) is None
    results.publish(claim(job_id), 0o022)
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
    results.publish(claim(job_id), 0o022)
    assert before >= {path.stat().st_ino for path in (final, *final.rglob("*"))}
    index = {path.stat().st_ino for path in (results.root / ".history").rglob("*")}
    assert after - index - {(results.root / ".history").stat().st_ino} == {results.root.stat().st_ino}


def test_a_later_attempt_takes_the_checkpoint_and_nothing_else(results: Results) -> None:
    job_id = new_job_id()
    first = staged(results, job_id, 1)
    (first / CHECKPOINT).write_bytes(b"weights")
    second = results.stage(claim(job_id, 2))
    assert [path.name for path in second.iterdir()] == [CHECKPOINT]
    assert (second / CHECKPOINT).read_bytes() == b"weights"
    assert results.staged(job_id) == [second]


def test_an_attempt_whose_staging_was_taken_over_publishes_nothing(results: Results) -> None:
    job_id = new_job_id()
    staged(results, job_id, 1)
    staged(results, job_id, 2)
    with pytest.raises(LeaseLost) as caught:
        results.publish(claim(job_id), 0o022)
    assert str(caught.value) == f"attempt 1 of job {job_id} is no longer the current one"
    assert results.ids() == []
    results.publish(claim(job_id, 2), 0o022)
    assert results.ids() == [job_id]


def test_the_second_attempt_to_publish_finds_the_name_taken(results: Results) -> None:
    job_id = new_job_id()
    staged(results, job_id, 1)
    results.publish(claim(job_id), 0o022)
    staged(results, job_id, 2)
    with pytest.raises(LeaseLost):
        results.publish(claim(job_id, 2), 0o022)


def test_files_get_the_permissions_that_the_umask_leaves(results: Results) -> None:
    job_id = new_job_id()
    staged(results, job_id)
    folder = results.publish(claim(job_id), 0o027).path
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
def test_a_text_that_is_not_an_id_never_becomes_a_path(results: Results, reference: str) -> None:
    for use in (
        results.find,
        lambda text: results.stage(claim(text)),
        lambda text: results.publish(claim(text), 0),
    ):
        with pytest.raises(UnknownJob) as caught:
            use(reference)
        assert caught.value.expected == "a job id like 20261123-221530-042-k7qd"
        assert caught.value.given == repr(reference)
