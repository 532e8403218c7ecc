"""`quartet run` and `quartet up` need no services, and leave nothing running."""

import json
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from jobs.settings import Settings
from tests.cli.program import QUARTET, TRAIN, environment, quartet
from tests.support.processes import until


@pytest.fixture
def alone(tmp_path: Path) -> Settings:
    """Settings of a person who has started nothing."""
    return Settings(
        results_dir=tmp_path / "results", data_dir=tmp_path / "data", state_dir=tmp_path / "state"
    )


def start(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    variables = environment(settings)
    del variables["QUARTET_REDIS_URL"]
    return subprocess.Popen(
        [QUARTET, *arguments], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def family(process: subprocess.Popen[str], at_least: int) -> list[psutil.Process]:
    """All processes below one, once there are enough."""
    return until(
        lambda: (
            (found := psutil.Process(process.pid).children(recursive=True))
            and len(found) >= at_least
            and found
        ),
        60,
        "the start of Redis and the worker",
    )


def all_gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != "zombie" for process in processes)


def test_run_does_a_job_with_nothing_started_and_leaves_nothing_running(alone: Settings) -> None:
    process = start(alone, "run", *TRAIN)
    below = family(process, 3)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert Path(out.strip()).is_file()
    assert all_gone(below)
    # The next one finds the first in the results folder alone.
    process = start(alone, "run", "autoencoder", "generate", "--from", "latest", "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["state"] == "succeeded"


def test_run_refuses_a_job_that_needs_one_that_has_not_ended(settings: Settings) -> None:
    job_id = quartet(settings, "submit", *TRAIN).stdout.strip()
    done = quartet(settings, "run", "autoencoder", "evaluate", "--from", job_id, code=2)
    assert done.stderr.splitlines() == [
        "quartet: from: expected an autoencoder train job that has succeeded, "
        f"got job {job_id}, which has not ended",
        "hint: `quartet submit` queues a job that waits for another one",
    ]


@pytest.mark.chaos
def test_interrupting_run_keeps_the_checkpoint_and_leaves_nothing_running(alone: Settings) -> None:
    process = start(alone, "run", "denoiser", "train", "--data", "digits", "--epochs", "100000")
    below = family(process, 3)
    until(lambda: list(alone.results_dir.glob(".staging/*/checkpoint.npz")), 90, "the first checkpoint")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert (Path(out.strip()).parent / "checkpoint.npz").is_file()
    assert all_gone(below)


@pytest.mark.chaos
def test_killing_run_leaves_nothing_running(alone: Settings) -> None:
    process = start(alone, "run", "denoiser", "train", "--data", "digits", "--epochs", "100000")
    below = family(process, 3)
    until(lambda: list(alone.results_dir.glob(".staging/*/checkpoint.npz")), 90, "the first checkpoint")
    process.kill()
    process.communicate(timeout=10)
    until(lambda: all_gone(below), 20, "the end of Redis and the worker")


@pytest.mark.chaos
def test_up_is_found_by_a_second_terminal_and_keeps_its_queue(alone: Settings) -> None:
    up = start(alone, "up", "--workers", "1")
    below = family(up, 3)
    until(lambda: alone.private_socket().exists(), 20)
    assert (
        "expected a folder that no other `quartet up` uses" in start(alone, "up").communicate(timeout=60)[1]
    )
    done = start(alone, "submit", *TRAIN, "--watch")
    done.communicate(timeout=120)
    assert done.returncode == 0
    long_training = ["denoiser", "train", "--data", "digits", "--epochs", "1500"]
    long = start(alone, "submit", *long_training).communicate()[0]
    until(lambda: list(alone.results_dir.glob(".staging/*/checkpoint.npz")), 60, "the first checkpoint")
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=60)
    assert all_gone(below)
    up = start(alone, "up", "--workers", "1")
    below = family(up, 3)
    try:
        until(lambda: alone.private_socket().exists(), 20)
        time.sleep(0.5)
        watched = start(alone, "watch", long.strip())
        assert watched.communicate(timeout=120)[0].strip().endswith("report.html")
    finally:
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=60)
    assert all_gone(below)
