"""`quartet run` and `quartet up` need no services, and leave nothing running."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jobs.local.redis_lock import responds
from jobs.settings import Settings
from tests.cli.program import QUARTET, TRAIN, environment, quartet
from tests.notifying.webhook_server import webhook
from tests.support.processes import until

LONG = ("denoiser", "train", "--data", "digits", "--epochs", "100000")
"""A training that somebody ends."""


@pytest.fixture
def alone(tmp_path: Path) -> Settings:
    """Settings of a person who has started nothing."""
    return Settings(
        results_dir=tmp_path / "results", data_dir=tmp_path / "data", state_dir=tmp_path / "state"
    )


_started: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def ended_in_any_case() -> Iterator[None]:
    """What a failed test leaves running would slow down all that come after it."""
    yield
    while _started:
        process = _started.pop()
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=90)


def start(settings: Settings, *arguments: str, **more: str) -> subprocess.Popen[str]:
    variables = environment(settings, **more)
    del variables["QUARTET_REDIS_URL"]
    process = subprocess.Popen(
        [QUARTET, *arguments], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _started.append(process)
    return process


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


@pytest.mark.chaos
def test_run_does_a_job_with_nothing_started_and_leaves_nothing_running(alone: Settings) -> None:
    with webhook() as hook:
        process = start(alone, "run", *TRAIN, QUARTET_NOTIFY=hook.url)
        below = family(process, 3)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert Path(out.strip()).is_file()
    assert all_gone(below)
    # Its worker did not wait for Celery to leave Redis, and yet wrote the index, told of the job's end and
    # removed what was its own.
    assert Path(out.strip()).parent.name in (alone.results_dir / "index.html").read_text()
    assert [message["job"]["report"] for message in hook.messages] == [out.strip()]
    assert not any((alone.state_dir / "workers").iterdir())
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
    process = start(alone, "run", *LONG)
    below = family(process, 3)
    until(lambda: list(alone.results_dir.glob(".staging/*/checkpoint.npz")), 90, "the first checkpoint")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert (Path(out.strip()).parent / "checkpoint.npz").is_file()
    assert all_gone(below)


@pytest.mark.chaos
def test_closing_the_terminal_of_run_keeps_the_checkpoint_and_leaves_nothing_running(alone: Settings) -> None:
    variables = environment(alone)
    del variables["QUARTET_REDIS_URL"]
    terminal, end = os.openpty()
    process = subprocess.Popen([QUARTET, "run", *LONG], env=variables, stdout=end, stderr=end, text=True)
    _started.append(process)
    os.close(end)
    below = family(process, 3)
    until(lambda: list(alone.results_dir.glob(".staging/*/checkpoint.npz")), 90, "the first checkpoint")
    os.close(terminal)
    process.send_signal(signal.SIGHUP)  # as whoever has it as its own terminal gets it
    process.wait(60)
    assert [path.parent.name[:2] for path in alone.results_dir.glob("*/checkpoint.npz")] == ["20"]
    assert all_gone(below)


@pytest.mark.chaos
@pytest.mark.parametrize("begun", [True, False])
def test_killing_run_leaves_nothing_running(alone: Settings, begun: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="quartet-", dir="/tmp") as short:  # it is to hold a socket
        process = start(alone, "run", *LONG, TMPDIR=short)
        # Without its pool's process, the worker has yet to load what it needs.
        below = family(process, 3 if begun else 2)
        if begun:
            until(lambda: list(alone.results_dir.glob(".staging/*/checkpoint.npz")), 90, "a checkpoint")
        process.kill()
        process.communicate(timeout=10)
        until(lambda: all_gone(below), 20, "the end of Redis and the worker")
        assert not list(Path(short).iterdir())


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
    long_training = ["denoiser", "train", "--data", "digits", "--epochs", "400"]
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


def submit_and_watch(settings: Settings) -> None:
    """Do one job by the service that runs."""
    done = start(settings, "submit", *TRAIN, "--fresh", "--watch")
    out, err = done.communicate(timeout=180)
    assert done.returncode == 0, err
    assert out.strip().endswith("report.html")


def redis_of(settings: Settings) -> int:
    """The process id of the private Redis; 0 while there is none."""
    return int((settings.state_dir / "redis.lock").read_text() or "0")


@pytest.mark.chaos
def test_up_starts_its_redis_again_and_workers_and_jobs_live_through_it(alone: Settings) -> None:
    up = start(alone, "up", "--workers", "1")
    below = family(up, 3)
    worker = next(process for process in below if "worker.cli" in " ".join(process.cmdline()))
    try:
        submit_and_watch(alone)
        for _ in range(2):
            killed = redis_of(alone)
            os.kill(killed, signal.SIGKILL)
            until(lambda pid=killed: redis_of(alone) not in (0, pid), 60, "the restart of Redis")
            until(lambda: responds(alone.private_socket()), 60, "the restart of Redis")
            submit_and_watch(alone)
        assert worker.is_running()
        below.append(psutil.Process(redis_of(alone)))
    finally:
        up.send_signal(signal.SIGTERM)
        out, err = up.communicate(timeout=90)
    assert up.returncode == 0, err
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    said = "Redis ended (killed by SIGKILL); it was started again on the same queue"
    assert len(re.findall(f"^{when} {re.escape(said)}$", out, re.M)) == 2
    assert all_gone(below)


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("number", "moments"),
    # The last two are handled alike.
    [
        (signal.SIGINT, (0.2, 0.5, 1.0, 2.0)),
        (signal.SIGTERM, (0.2, 1.0)),
        (signal.SIGHUP, (0.5, 2.0)),
    ],
)
def test_stopping_up_at_any_moment_of_its_start_leaves_nothing_running(
    alone: Settings, number: signal.Signals, moments: tuple[float, ...]
) -> None:
    for moment in moments:
        up = start(alone, "up", "--workers", "2")
        lock = alone.state_dir / "redis.lock"
        lock.unlink(missing_ok=True)
        until(lock.exists, 60, "the start of Redis")
        time.sleep(moment)
        below = psutil.Process(up.pid).children(recursive=True)
        up.send_signal(number)
        _, err = up.communicate(timeout=90)
        assert "Traceback" not in err
        assert all_gone(below)


def test_up_refuses_a_state_folder_with_a_hint(alone: Settings) -> None:
    alone.state_dir.mkdir(mode=0o755)
    (alone.state_dir / "thesis.tex").touch()
    up = start(alone, "up")
    _, err = up.communicate(timeout=60)
    assert up.returncode == 2
    assert err.splitlines() == [
        "quartet: QUARTET_STATE_DIR: expected a folder of this user's that nobody else may enter, "
        f"got {alone.state_dir}, open to other users, with files that are not Quartet's",
        f"hint: `chmod 700 {alone.state_dir}` if it is meant for Quartet, or name another folder",
    ]
