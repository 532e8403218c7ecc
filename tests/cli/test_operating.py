"""The commands of docs/operating.md that need no containers, with what `quartet up` starts."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from jobs.client import Client
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.specs.stored_spec import StoredSpec
from tests.cli.program import QUARTET, environment, quartet
from tests.support.processes import ended, until
from tests.support.readme import script

QUICK = {"QUARTET_LEASE_SECONDS": "4", "QUARTET_HEARTBEAT_SECONDS": "0.5", "QUARTET_SWEEP_SECONDS": "0.5"}


@contextmanager
def up(settings: Settings) -> Iterator[Client]:
    """`quartet up` with one worker; it and all below it are killed in the end, as a host is that loses power."""
    variables = environment(settings, QUARTET_CHECKPOINT_SECONDS="1", QUARTET_GPU="none", **QUICK)
    del variables["QUARTET_REDIS_URL"]
    process = subprocess.Popen(
        [QUARTET, "up", "--workers", "1"], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        client = Client(settings)
        until(lambda: client.redis_answers() and client.workers(), 90, "the worker")
        yield client
    finally:
        below = psutil.Process(process.pid).children(recursive=True)
        for each in (process, *below):
            each.send_signal(signal.SIGKILL)
        process.wait()
        psutil.wait_procs(below, 10)


def shell(settings: Settings, containing: str) -> str:
    """What a block of the page prints, run in the folder that has `results/`."""
    variables = environment(settings, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    del variables["QUARTET_REDIS_URL"]
    done = subprocess.run(
        ["sh", "-ec", script("operating.md", containing)],
        cwd=settings.results_dir.parent, env=variables, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@pytest.mark.chaos
def test_a_host_that_is_lost_is_rebuilt_from_its_results_and_what_they_lack_is_run_again(
    tmp_path: Path,
) -> None:
    settings = Settings(
        results_dir=tmp_path / "results", data_dir=tmp_path / "data", state_dir=tmp_path / "state"
    )
    with up(settings) as client:
        first = client.submit("autoencoder", "train", data="digits", epochs=1)
        assert ended(client, first.id).state == "succeeded"
        training = client.submit("autoencoder", "train", data="digits", epochs=400, batch_size=64)
        evaluation = client.submit("autoencoder", "evaluate", source=training)
        until(lambda: list(client.results.root.glob(".staging/*/checkpoint.npz")), 60, "a checkpoint")
        until(lambda: len(list((client.results.root / ".accepted").iterdir())) >= 2, 30, "both records")
        shell(settings, "results/.accepted results")
        assert client.job(training.id).state == "running", "the backup was made meanwhile"
    # The host is gone, with all that it had.
    shutil.rmtree(settings.results_dir)
    shutil.rmtree(settings.state_dir)
    subprocess.run(["tar", "-xf", "backup.tar"], cwd=tmp_path, check=True)
    with up(settings) as client:
        assert "restored 2 jobs: " in shell(settings, "quartet rebuild")
        jobs = [first, training, evaluation]
        assert [ended(client, job.id).state for job in jobs] == ["succeeded"] * 3
        assert {job.id for job in client.jobs()} == {job.id for job in jobs}
        assert "resumed from" in str([entry["text"] for entry in client.timeline(training.id)])
        # The results alone are lost: the backup has the first job, and Redis knows all three.
        shutil.rmtree(settings.results_dir, ignore_errors=True)  # the worker may write there at this moment
        subprocess.run(["tar", "-xf", "backup.tar"], cwd=tmp_path, check=True)
        new, kept = shell(settings, "quartet verify").splitlines()
        assert kept == f"{settings.results_dir / first.id} matches its manifest"
        rerun = client.rerun(evaluation.id, source=new)
        assert [ended(client, job_id).state for job_id in (new, rerun.id)] == ["succeeded"] * 2
        assert client.folder(new).verify() == []


def test_the_new_version_says_which_jobs_it_does_not_understand(client: Client) -> None:
    job = client.submit("autoencoder", "train", data="digits")
    settings = client.settings
    checks = quartet(settings, "doctor", code=1).stdout
    assert "unfinished jobs   this version understands all 1" in checks
    odd = StoredSpec({**job.stored.fields, "parameters": {"speed": 3}})
    Ledger(settings.redis_address()).redis.hset(f"quartet:job:{job.id}", "spec", odd.to_json())
    checks = quartet(settings, "doctor", code=1).stdout
    assert f"this version does not understand 1 of 1: {job.id} (parameter of autoencoder train:" in checks
