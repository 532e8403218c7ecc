"""Two hosts with a results folder each on one Redis: the second says so and takes no job until it has the store."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.errors import JobConflict
from jobs.local.supervisor import LocalWorker, end_workers
from jobs.settings import Settings
from jobs.store.store_id import read_store_id
from tests.support.processes import Workers, ended, until

pytestmark = pytest.mark.chaos


def test_workers_with_another_store_take_no_job_until_the_right_one_is_mounted(
    client: Client, workers: Workers, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.start()
    first = client.submit("autoencoder", "train", data="digits", epochs=1)
    assert ended(client, first.id).state == "succeeded", workers.logs()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    changes = {"results_dir": elsewhere / "results", "state_dir": elsewhere / "state"}
    other_settings = settings.model_copy(update=changes)
    log = elsewhere / "worker.log"
    other = LocalWorker(other_settings, settings.redis_address(), "elsewhere", log)
    try:
        store = read_store_id(settings.results_dir)

        until(lambda: "waits for the right store" in log.read_text(), 60, "the line in the log")
        workers.end()
        until(lambda: len(client.ledger.workers()) == 1, 30, "the end of the first host")
        job = client.submit("autoencoder", "train", data="digits", epochs=1, seed=1)
        other_client = Client(other_settings)
        with pytest.raises(JobConflict, match=f"succeeded elsewhere: .* in the store {store}"):
            other_client.folder(first.id)
        for name, value in (("REDIS_URL", settings.redis_address()), ("RESULTS_DIR", elsewhere / "results")):
            monkeypatch.setenv(f"QUARTET_{name}", str(value))
        command = [sys.executable, "-c", "from jobs.cli.launch import main; main()", "list"]
        listed = subprocess.run(command, capture_output=True, text=True)
        assert f"the jobs of this Redis are in the store {store}" in listed.stderr
        [about] = client.ledger.workers().values()
        assert "for the right store" in about["waiting"]
        assert client.job(job.id).state == "queued"
        assert client.job(job.id).attempt == 0
        assert read_store_id(elsewhere / "results") is None
        # As if it were mounted.
        shutil.copytree(settings.results_dir, elsewhere / "results", dirs_exist_ok=True)
        assert ended(other_client, job.id).state == "succeeded", log.read_text()
        assert other.process.poll() is None
        assert other_client.folder(job.id).verify() == []
        assert other_client.folder(first.id).verify() == []
    finally:
        end_workers([other.process], 5)
