"""Workers beside a private Redis: restarted when they die, refused in a sentence where they cannot start."""

import fcntl
import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import psutil
import pytest

from jobs.errors import InvalidSetting, MissingPart, QuartetError
from jobs.ledger.drain_record import DrainRecord
from jobs.ledger.ledger import Ledger
from jobs.local import supervisor
from jobs.local.processes import is_stopped
from jobs.local.supervisor import (
    PARENT_VARIABLE,
    TEMPORARY_VARIABLE,
    LocalWorker,
    Service,
    check_worker_is_installed,
    end_workers,
    kept_service,
    start_worker,
    stopped_by_signals,
)
from jobs.settings import Settings, read_settings
from tests.support.processes import until, volume


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Lets a shell script stand in for the worker's interpreter; it gets the worker's arguments."""

    def write(script: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    return write


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that need no Redis."""
    return read_settings(state_dir=tmp_path / "state", redis_url="redis://unused", lease_seconds=27)


@pytest.mark.parametrize("package", ["celery", "tensorflow"])
def test_a_worker_without_its_packages_is_refused_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    find_spec = importlib.util.find_spec

    def find(name: str) -> ModuleSpec | None:
        return None if name == package else find_spec("json")

    monkeypatch.setattr(importlib.util, "find_spec", find)
    with pytest.raises(MissingPart) as caught:
        check_worker_is_installed()
    assert str(caught.value) == f"{package} is not installed, and a worker needs it"
    assert caught.value.hint == "install it: `pip install 'quartet[worker]'`"


def test_a_worker_gets_its_name_its_settings_and_its_parent(
    settings: Settings, stand_in: Callable[[str], None], tmp_path: Path
) -> None:
    told = f"$QUARTET_REDIS_URL $QUARTET_LEASE_SECONDS ${PARENT_VARIABLE} ${TEMPORARY_VARIABLE}"
    stand_in(f'echo "$@ {told}"')
    log = tmp_path / "log"
    for temporary, said in ((None, ""), (tmp_path, str(tmp_path))):
        with log.open("wb") as file:
            worker = start_worker(settings, "unix:///other.sock", "w1", file, temporary)
        assert worker.wait(30) == 0
        assert log.read_text() == f"-P -m worker.cli --name w1 unix:///other.sock 27.0 {os.getpid()} {said}\n"


def test_a_worker_that_died_is_restarted_and_one_that_keeps_dying_is_not(
    settings: Settings, stand_in: Callable[[str], None], tmp_path: Path
) -> None:
    stand_in("echo no such device; exit 3")
    log = tmp_path / "w1.log"
    worker = LocalWorker(settings, "unix:///other.sock", "w1", log)
    service = Service(settings, [worker])
    pids = set()
    for _ in range(2):
        worker.process.wait(30)
        pids.add(worker.process.pid)
        service.check()
    assert worker.process.pid not in pids
    worker.process.wait(30)
    with pytest.raises(QuartetError) as caught:
        service.check()
    end = " / ".join(["no such device"] * 3)
    assert str(caught.value) == f"worker w1 keeps dying at startup; {log} ends with: {end}"


def test_a_worker_that_was_ready_and_is_killed_from_outside_does_not_die_at_startup(
    settings: Settings, stand_in: Callable[[str], None], tmp_path: Path, redis_url: str
) -> None:
    stand_in("exec sleep 600")
    worker, ledger = LocalWorker(settings, redis_url, "w1", tmp_path / "w1.log"), Ledger(redis_url)
    name = f"w1@{os.uname().nodename}"
    ledger.announce_worker(name, {"kind": "test"}, 600)

    def killed() -> LocalWorker:
        worker.process.kill()
        worker.process.wait(30)
        return worker

    for _ in range(5):
        assert killed().check() == "worker w1 ended (killed by SIGKILL); it was started again"
    ledger.redis.delete(f"quartet:worker:{name}")
    for _ in range(2):
        killed().check()
    with pytest.raises(QuartetError, match="w1 keeps dying at startup"):
        killed().check()


def test_only_a_process_that_was_drained_and_ended_well_is_not_started_again(
    settings: Settings, stand_in: Callable[[str], None], tmp_path: Path, redis_url: str
) -> None:
    stand_in("exec sleep 0.1")
    worker, ledger = LocalWorker(settings, redis_url, "w1", tmp_path / "w1.log"), Ledger(redis_url)
    name, first = f"w1@{os.uname().nodename}", worker.process.pid
    worker.process.wait(30)
    ledger.end_drain(name, DrainRecord(f"{first + 1}-of another process"))
    assert worker.check() == "worker w1 ended (exit code 0); it was started again"
    worker.process.wait(30)
    ledger.end_drain(name, DrainRecord(f"{worker.process.pid}-of this one"))
    assert worker.check() == "worker w1 was drained; it is not started again"
    assert (worker.check(), worker.process.poll()) == ("", 0)


def test_a_worker_that_is_alive_is_left_alone_and_ends_with_the_others(
    settings: Settings, stand_in: Callable[[str], None], tmp_path: Path
) -> None:
    stand_in("exec sleep 600")
    workers = [LocalWorker(settings, "unix:///other.sock", name, tmp_path / name) for name in ("w1", "w2")]
    pids = [worker.process.pid for worker in workers]
    Service(settings, workers).check()
    assert [worker.process.pid for worker in workers] == pids
    until(lambda: all(psutil.Process(pid).name() == "sleep" for pid in pids), 30)
    end_workers([worker.process for worker in workers], 30)
    assert [worker.process.returncode for worker in workers] == [-signal.SIGTERM] * 2


def test_a_worker_whose_main_process_is_stopped_is_replaced_and_that_is_said(
    settings: Settings, stand_in: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FROZEN_SECONDS", 1.0)
    stand_in("sleep 600 & exec sleep 600")
    worker = LocalWorker(settings, "unix:///other.sock", "w1", tmp_path / "w1.log")
    said: list[str] = []
    service = Service(settings, [worker], None, said.append)
    first = psutil.Process(worker.process.pid)
    child = until(first.children, 30)[0]
    service.check()
    first.send_signal(signal.SIGSTOP)

    def is_replaced() -> bool:
        service.check()
        return worker.process.pid != first.pid

    until(is_replaced, 30)
    assert said == ["worker w1 was stopped for 1 seconds; it was started again"]
    until(lambda: not child.is_running() or child.status() == "zombie", 30)
    end_workers([worker.process], 30)


def test_a_worker_that_was_stopped_for_a_moment_is_left_alone(
    settings: Settings, stand_in: Callable[[str], None], tmp_path: Path
) -> None:
    stand_in("exec sleep 600")
    worker = LocalWorker(settings, "unix:///other.sock", "w1", tmp_path / "w1.log")
    worker.process.send_signal(signal.SIGSTOP)
    until(lambda: is_stopped(worker.process.pid), 30)
    assert worker.check() == ""
    worker.process.send_signal(signal.SIGCONT)
    assert worker.check() == ""
    end_workers([worker.process], 30)


@pytest.mark.parametrize(
    "folder", ["/proc/quartet", "/dev/null/quartet", "/dev/null", "file", "link", "f" * 300]
)
def test_a_state_folder_that_cannot_be_used_is_refused_in_a_sentence(
    tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "check_worker_is_installed", lambda: None)
    (tmp_path / "file").write_text("a person's own")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(InvalidSetting) as caught, kept_service(read_settings(state_dir=tmp_path / folder), 1):
        pass
    assert caught.value.field == "QUARTET_STATE_DIR"
    assert (tmp_path / "file").read_text() == "a person's own"


@pytest.mark.parametrize(
    ("options", "words"),
    [("size=8M", "at least 16 MB of free space"), ("size=64M,ro", "read-only file system")],
)
def test_a_volume_that_is_full_or_read_only_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, words: str
) -> None:
    monkeypatch.setattr(supervisor, "check_worker_is_installed", lambda: None)
    settings = read_settings(state_dir=tmp_path / "volume")
    with (
        volume(settings.state_dir, f"{options},mode=700"),
        pytest.raises(InvalidSetting, match=words),
        kept_service(settings, 1),
    ):
        pass


def test_only_one_service_at_a_time_uses_a_state_folder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "check_worker_is_installed", lambda: None)
    settings.state_dir.mkdir()
    with (settings.state_dir / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InvalidSetting) as caught, kept_service(settings, 1):
            pass
    error = caught.value
    assert (error.field, error.given) == ("QUARTET_STATE_DIR", str(settings.state_dir))
    assert error.expected == "a folder that no other `quartet up` uses"
    assert error.hint == "stop the other one first"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_block_as_ctrl_c_does(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), stopped_by_signals():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before
