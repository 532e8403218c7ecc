"""A results volume that is full, read-only or gone: the job says so, nothing half is seen, the worker lives."""

import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from jobs.client import Client
from jobs.settings import Settings
from jobs.store.job_folder import CHECKPOINT
from jobs.store.staging import STAGING
from tests.support.processes import Workers, ended, until, volume

pytestmark = pytest.mark.chaos
LONG = {"data": "digits", "epochs": 1_000_000}
"""Each of these is to fail long before its end."""


@pytest.fixture
def workers(one_worker: Workers) -> Workers:
    """The one that all of them share."""
    return one_worker


@pytest.fixture
def settings(one_worker: Workers) -> Settings:
    return one_worker.settings


def fill(root: Path) -> Path:
    """Write until the volume has not a byte left."""
    filler = root / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(64 * 1024))
        except OSError:
            return filler


def checkpointed(client: Client, job_id: str) -> None:
    def look() -> bool:
        try:
            [staging] = client.results.staged(job_id)
            with np.load(staging / CHECKPOINT) as stored:
                return len(stored["history"]) > 0
        except (FileNotFoundError, ValueError):
            return False

    until(look, 60, f"a checkpoint of {job_id} with an epoch in it")


def works(client: Client) -> None:
    """The worker does the next job."""
    after = client.submit("autoencoder", "train", data="digits", epochs=1, fresh=True)  # not an earlier one
    assert ended(client, after.id).state == "succeeded"
    assert client.folder(after.id).verify() == []
    until(lambda: not client.ledger.unpublished(), 30, "a folder for each failure, before the volume goes")


def test_a_full_disk_fails_the_job_and_its_checkpoint_is_published_when_there_is_room(
    client: Client, workers: Workers
) -> None:
    root = client.results.root
    with volume(root, "size=8m"):
        job = client.submit("autoencoder", "train", **LONG)
        checkpointed(client, job.id)
        filler = fill(root)
        failed = ended(client, job.id)
        assert (failed.state, failed.error) == ("failed", f"the results volume {root} is full")
        assert client.results.ids() == []
        assert [path.name for path in (root / STAGING).rglob(CHECKPOINT)] == [CHECKPOINT]
        # A job that comes while it is full fails as well, and not the worker.
        second = ended(client, client.submit("denoiser", "train", data="digits", epochs=1).id)
        assert second.error == failed.error
        filler.unlink()
        for failure in (failed, second):
            until(lambda failure=failure: client.results.find(failure.id), 30, "the folder of the failure")
            assert client.folder(failure.id).verify() == []
            assert client.folder(failure.id).job["error"] == failed.error
        works(client)
        done = len(np.load(client.folder(job.id).path / CHECKPOINT)["history"])
        assert done > 0
        again = client.resume(job.id, done + 10)
        assert ended(client, again.id).state == "succeeded", workers.logs()
        texts = [entry["text"] for entry in client.timeline(again.id)]
        assert any(text.startswith(f"resumed from epoch {done + 1}") for text in texts), texts
        until(lambda: not any((root / STAGING).iterdir()), 20, "the removal of staging")


def test_a_volume_without_a_single_inode_left_fails_the_job(client: Client) -> None:
    root = client.results.root
    with volume(root, "size=8m,nr_inodes=4"):
        failed = ended(client, client.submit("autoencoder", "train", data="digits", epochs=1).id)
        assert (failed.state, failed.error) == ("failed", f"the results volume {root} is full")
        assert client.results.ids() == []
        subprocess.run(["mount", "-o", "remount,nr_inodes=1000", str(root)], check=True)
        works(client)


def test_a_volume_that_became_read_only_fails_the_job_and_not_the_worker(client: Client) -> None:
    root = client.results.root
    with volume(root, "size=8m"):
        job = client.submit("denoiser", "train", **LONG)
        checkpointed(client, job.id)
        # Mounted once more on top of itself: a volume with a file open for writing cannot be remounted.
        subprocess.run(["mount", "--bind", str(root), str(root)], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(root)], check=True)
        failed = ended(client, job.id)
        assert (failed.state, failed.error) == ("failed", f"the results volume {root} is read-only")
        assert client.results.ids() == []
        second = ended(client, client.submit("autoencoder", "train", data="digits", epochs=1).id)
        assert second.error == failed.error
        subprocess.run(["umount", "-l", str(root)], check=True)
        until(lambda: client.results.find(second.id), 30, "the folder of the failure")
        works(client)


def test_a_volume_that_went_away_fails_the_job_and_not_the_worker(client: Client) -> None:
    root = client.results.root
    with volume(root, "size=8m"):
        job = client.submit("autoencoder", "train", **LONG)
        checkpointed(client, job.id)
        subprocess.run(["umount", "-l", str(root)], check=True)
        failed = ended(client, job.id)
        assert failed.state == "failed"
        assert (failed.error or "").startswith(f"the results volume {root} cannot be used: No such file")
        works(client)


def test_a_results_folder_that_was_removed_fails_the_job_and_is_made_anew(client: Client) -> None:
    job = client.submit("autoencoder", "train", **LONG)
    checkpointed(client, job.id)
    client.results.root.rename(client.results.root.with_name("moved"))
    failed = ended(client, job.id)
    assert (failed.error or "").startswith(f"the results volume {client.results.root} cannot be used: ")
    works(client)


def put_file_in_place_of(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.write_text("a file where the folder should be")
    except IsADirectoryError:  # a worker wrote something there meanwhile
        return False
    return True


def test_a_results_folder_that_cannot_be_used_fails_the_job_and_not_the_worker(client: Client) -> None:
    # A worker would refuse to start with such a folder.
    until(client.ledger.workers, 60, "the worker's announcement")
    until(lambda: put_file_in_place_of(client.results.root), 20, "the end of what the start writes there")
    job = client.submit("autoencoder", "train", data="digits", epochs=1)
    failed = ended(client, job.id)
    assert (failed.state, failed.report) == ("failed", None)
    assert (failed.error or "").startswith(f"the results volume {client.results.root} cannot be used")
    client.results.root.unlink()
    works(client)


def test_a_full_disk_for_the_report_alone_fails_no_finished_weeks_work(
    client: Client, workers: Workers
) -> None:
    """The disk is full when all epochs are done: the checkpoint of the last epoch is kept and resumed from."""
    root = client.results.root
    with volume(root, "size=8m"):
        epochs = 60
        job = client.submit("autoencoder", "train", data="digits", epochs=epochs)

        def trained() -> bool:
            return any((staged / "history.csv").exists() for staged in client.results.staged(job.id))

        until(trained, 90, "the end of the training")
        child = workers.child_of(workers.started[0])
        child.suspend()
        fill(root)
        child.resume()
        failed = ended(client, job.id)
        assert failed.error == f"the results volume {root} is full"
        (root / "filler").unlink()
        until(lambda: client.results.find(job.id), 30, "the folder of the failure")
        began = time.monotonic()
        again = client.retry(job.id)
        assert ended(client, again.id).state == "succeeded", workers.logs()
        assert time.monotonic() - began < 60
        assert len(client.folder(again.id).history) == epochs
        texts = [entry["text"] for entry in client.timeline(again.id)]
        assert f"resumed from the end of epoch {epochs}" in texts
