"""Processes of our own: asked to end, killed if they do not listen, and judged frozen only by what was seen."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from jobs.local.processes import Lasting, end_process, ending, is_stopped, log_end, open_log, uninterrupted
from tests.support.processes import until


def test_a_process_is_ended_politely_or_killed(tmp_path: Path) -> None:
    polite = subprocess.Popen(["sleep", "600"], start_new_session=True)
    end_process(polite, 30)
    assert polite.returncode == -signal.SIGTERM
    end_process(polite, 30)
    ready = tmp_path / "ready"
    deaf = subprocess.Popen(
        ["/bin/sh", "-c", f"trap '' TERM; touch {ready}; while :; do sleep 0.1; done"], start_new_session=True
    )
    until(ready.exists, 30)
    end_process(deaf, 0.3)
    assert deaf.returncode == -signal.SIGKILL
    assert not psutil.pid_exists(deaf.pid)


def test_a_process_that_was_asked_already_is_only_waited_for() -> None:
    process = subprocess.Popen(["sleep", "0.2"], start_new_session=True)
    end_process(process, 30, ask=False)
    assert process.returncode == 0


def test_a_stopped_process_is_killed_without_waiting() -> None:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    assert not is_stopped(process.pid)
    process.send_signal(signal.SIGSTOP)
    until(lambda: is_stopped(process.pid), 30)
    end_process(process, 600)
    assert process.returncode == -signal.SIGKILL
    assert not is_stopped(process.pid)


def test_time_in_which_nobody_looked_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    frozen = Lasting(60)
    for _ in range(11):
        now += 3600  # a lid was closed, or this process was stopped
        assert not frozen.seen(True)
    now += 1
    assert not frozen.seen(False)
    for _ in range(59):
        now += 1
        assert not frozen.seen(True)
    now += 1
    assert frozen.seen(True)


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-9, "killed by SIGKILL"), (-99, "killed by signal 99")],
)
def test_the_end_of_a_process_is_said_in_words(code: int, words: str) -> None:
    assert ending(code) == words


def test_the_end_of_a_log_is_read_without_the_rest(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert log_end(log, 3) == "nothing that can be read (no such file or directory)"
    log.write_bytes(b"x" * 10_000_000 + b"\nb\nc\n\xff\n")
    assert log_end(log, 3) == "b / c / \ufffd"
    assert log_end(log, 3, log.stat().st_size) == "nothing"


def test_a_log_is_readable_by_its_owner_alone_and_never_written_through_a_link(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\n")
    log.chmod(0o666)
    with os.fdopen(open_log(log), "ab") as file:
        file.write(b"new\n")
    assert log.read_text() == "old\nnew\n"
    assert log.stat().st_mode & 0o777 == 0o600
    link = tmp_path / "link"
    link.symlink_to(log)
    with pytest.raises(OSError, match="symbolic"):
        open_log(link)


def test_a_signal_waits_until_what_was_started_is_known() -> None:
    done = []

    def start() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("started")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
