"""`quartet fetch` copies a published folder, whole and compared with its manifest, from either kind of store."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from jobs.client import Client
from jobs.errors import DamagedFolder, JobConflict, StoreUnreachable, UnknownJob
from jobs.settings import Settings
from jobs.store.bucket_results import BucketResults
from tests.cli.program import environment, quartet_here
from tests.support.ended_jobs import end, publish


def test_a_folder_is_copied_whole_and_a_second_time_nothing_is_done(
    in_process: Callable[..., Result], client: Client, tmp_path: Path
) -> None:
    job = client.submit("autoencoder", "train", data="digits", epochs=1)
    with pytest.raises(JobConflict):
        client.fetch(job, tmp_path / "to")
    published = publish(client, job, "succeeded", checkpoint="weights")
    for _ in range(2):
        said = in_process("fetch", job.id, "--to", str(tmp_path / "to"))
        assert (said.exit_code, said.stdout) == (0, f"{tmp_path}/to/{job.id}\n")
    copy = tmp_path / "to" / job.id
    assert {path.name for path in copy.iterdir()} == {path.name for path in published.iterdir()}
    assert in_process("fetch", job.id).stdout == f"{published}\n"
    (copy / "checkpoint.npz").write_text("others")
    said = in_process("fetch", job.id, "--to", str(tmp_path / "to"))
    assert isinstance(said.exception, DamagedFolder)
    assert "checkpoint.npz was changed after it was published" in str(said.exception)
    assert isinstance(in_process("fetch", "20260101-000000-000-aaaa").exception, UnknownJob)


def test_what_cannot_be_written_is_one_sentence(
    in_process: Callable[..., Result], client: Client, tmp_path: Path
) -> None:
    job = client.submit("autoencoder", "train", data="digits", epochs=1)
    publish(client, job, "succeeded")
    (tmp_path / "file").write_text("in the way")
    said = in_process("fetch", job.id, "--to", str(tmp_path / "file" / "below"))
    assert str(said.exception).endswith("file/below (not a directory)")


def test_another_hosts_job_is_listed_shown_and_fetched_from_the_bucket(
    settings: Settings, s3: str, tmp_path: Path
) -> None:
    worker = Client(settings.model_copy(update={"store": s3, "results_dir": tmp_path / "worker"}))
    job = worker.submit("autoencoder", "train", data="digits", epochs=1)
    publish(worker, job, "succeeded", checkpoint="weights")
    laptop = settings.model_copy(update={"store": s3, "results_dir": tmp_path / "laptop"})
    assert job.id in quartet_here(laptop, "list").stdout
    assert not (tmp_path / "laptop" / job.id / "checkpoint.npz").exists()
    path = Path(quartet_here(laptop, "fetch", job.id).stdout.strip())
    assert (path / "checkpoint.npz").read_text() == "weights"
    assert "matches its manifest" in quartet_here(laptop, "verify", job.id).stdout
    quartet_here(laptop, "tag", job.id, "+paper")
    assert worker.job(job.id).tags == ("paper",)


def test_a_job_of_another_host_is_resumed_reused_and_deleted_whole_or_not_at_all(
    settings: Settings, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Client(settings.model_copy(update={"store": s3, "results_dir": tmp_path / "worker"}))
    job = worker.submit("autoencoder", "train", data="digits", epochs=1)
    end(worker, job, "succeeded", checkpoint="weights")
    laptop = Client(settings.model_copy(update={"store": s3, "results_dir": tmp_path / "laptop"}))
    found = laptop._known.folder_with_checkpoint(laptop.job(job.id))
    assert found is not None
    assert found.verify() == []

    def refuse(*_: object) -> None:
        raise StoreUnreachable("away")

    with monkeypatch.context() as away:
        away.setattr(BucketResults, "deleted", refuse)
        with pytest.raises(StoreUnreachable):
            laptop.delete(job.id)
    assert laptop.job(job.id).in_redis
    assert laptop.folder(job.id).verify() == []
    laptop.delete(job.id)
    with pytest.raises(UnknownJob):
        worker.job(job.id)


def test_a_store_that_cannot_be_used_ends_a_command_with_a_sentence(
    settings: Settings, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    away = settings.model_copy(update={"store": s3, "results_dir": tmp_path / "laptop"})
    said = quartet_here(away, "show", "20260101-000000-000-aaaa", code=3).stderr
    assert said.splitlines()[-1] == f"quartet: the store {s3} cannot be used: it does not answer"
    with pytest.raises(StoreUnreachable):
        Client(away).folder("20260101-000000-000-aaaa")
    listed = quartet_here(away, "list")
    assert "jobs that other hosts published lately are not listed" in listed.stderr
    refused = quartet_here(settings.model_copy(update={"store": "results"}), "list", code=2).stderr
    assert refused.startswith(
        "quartet: QUARTET_STORE: expected s3://bucket/prefix, gs://bucket/prefix or az://"
    )


def test_a_worker_does_not_start_in_the_folder_of_another_store(settings: Settings, tmp_path: Path) -> None:
    results = tmp_path / "store"
    results.mkdir()
    (results / ".store-id").write_text("0" * 32)
    wrong = environment(settings.model_copy(update={"store": "s3://bucket", "results_dir": results}))
    worker = Path(sys.executable).with_name("quartet-worker")
    done = subprocess.run([worker], env=wrong, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == [
        "quartet-worker: QUARTET_RESULTS_DIR: expected a folder for this host's copy of s3://bucket, got "
        f"{results}, which is a store itself",
        "hint: name a new folder",
    ]
