"""A process of a worker that no longer runs is noticed by the other one, and nothing else ever ends one."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.errors import InvalidInput, InvalidSetting, QuartetError
from jobs.settings import Settings
from tests.support.processes import until
from worker import health
from worker.engine import liveness
from worker.engine.liveness import Silence
from worker.engine.watchdog import watched

pytestmark = pytest.mark.chaos

WORKER = """
import ctypes, os, sys, threading, time
import billiard
from jobs.settings import read_settings
from worker.engine import liveness, watchdog

settings = read_settings(lease_seconds=3)

def child(what):
    main = os.getppid()
    if what == "comes late":
        print("started", flush=True)
        while os.getppid() == main:
            time.sleep(0.05)
    liveness.watch_main(settings)
    if what != "idle":
        liveness.hold("0123456789abcdef")
    if what == "holds Python's lock":
        time.sleep(2)
        ctypes.PyDLL(None).sleep(1000)
    while not (what == "hands back" and liveness.is_stopping()):
        time.sleep(0.1)
    print("handed back", flush=True)
    liveness.release("0123456789abcdef")
    time.sleep(1000)

def main(what, loop=True):
    watchdog.IDLE_SECONDS = watchdog.STUCK_SECONDS = 6.0
    watchdog.PING_SECONDS = 2.0
    with watchdog.watched(settings, "w1@here") as dog:
        billiard.set_start_method("spawn")
        process = billiard.Process(target=child, args=(what,), daemon=True)
        if what:
            process.start()
        print(process.pid, liveness.folder(), flush=True)
        dog.loop_runs()
        while True:
            time.sleep(0.1)
            if loop:
                dog.loop_runs()
            if what and not process.is_alive():
                print("the child is dead", process.pid in dog.killed, flush=True)
                what = ""

if __name__ == "__main__":
    main(*eval(sys.argv[1]))
"""
"""A worker's two processes, without Celery and TensorFlow."""


class Pair:
    """A running `WORKER`."""

    def __init__(self, folder: Path, environment: dict[str, str], arguments: tuple[object, ...]) -> None:
        program = folder / "program.py"
        program.write_text(WORKER)
        self.log = folder / "log.txt"
        command = [sys.executable, str(program), repr(arguments)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        first = until(lambda: "\n" in self.said() and self.said().splitlines()[0], 60, "its start")
        pid, path = first.split()
        self.child, self.folder = int(pid) if pid != "None" else None, Path(path)

    def said(self) -> str:
        return self.log.read_text()


@pytest.fixture
def pair(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Pair]]:
    started: list[Pair] = []

    def start(*arguments: object, **changes: object) -> Pair:
        chosen = settings.model_copy(update=changes).environment()
        root = {"PYTHONPATH": str(Path(__file__).parents[2])}
        started.append(Pair(tmp_path, os.environ | chosen | root, arguments))
        return started[-1]

    yield start
    for found in started:
        if found.process.poll() is None:
            os.killpg(found.process.pid, signal.SIGKILL)
        found.process.wait(10)
        liveness.remove_folder(found.folder)


def test_a_process_that_holds_pythons_lock_during_a_job_is_killed_and_the_worker_goes_on(
    pair: Callable[..., Pair],
) -> None:
    worker = pair("holds Python's lock")
    until(lambda: "the child is dead" in worker.said(), 60, "the end of the process")
    assert "the child is dead True" in worker.said()
    # The stamps of a dead process do not hang over the next one.
    until(lambda: [path.name for path in worker.folder.iterdir()] == ["main"], 10, "an empty folder")


def test_a_stopped_process_is_killed_too(pair: Callable[..., Pair]) -> None:
    worker = pair("holds a job")
    until(lambda: (worker.folder / f"child-{worker.child}").exists(), 60, "the child's start")
    os.kill(worker.child or 0, signal.SIGSTOP)
    until(lambda: "the child is dead True" in worker.said(), 60, "the end of the process")


def test_a_process_that_runs_is_left_alone_whatever_was_suspended(pair: Callable[..., Pair]) -> None:
    worker = pair("holds a job")
    until(lambda: (worker.folder / f"child-{worker.child}").exists(), 60, "the child's start")
    os.killpg(worker.process.pid, signal.SIGSTOP)  # as a lid that closes
    time.sleep(10)  # more than any of its limits
    os.killpg(worker.process.pid, signal.SIGCONT)
    time.sleep(2)
    assert worker.process.poll() is None
    assert "dead" not in worker.said()
    assert "frozen" not in worker.said()


def test_processes_that_cannot_stamp_are_not_taken_for_silent(pair: Callable[..., Pair]) -> None:
    worker = pair("holds a job")
    until(lambda: (worker.folder / f"child-{worker.child}").exists(), 60, "the child's start")
    shutil.rmtree(worker.folder)
    time.sleep(10)  # more than any of its limits
    assert worker.process.poll() is None
    assert "dead" not in worker.said()
    assert "frozen" not in worker.said()


def test_without_a_temporary_folder_a_worker_says_so(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(QuartetError, match="no temporary folder can be made"), watched(settings, "w1@here"):
        pass


@pytest.mark.parametrize("what", ["idle", "hands back"])
def test_a_frozen_main_process_is_ended_once_its_job_was_handed_back(
    pair: Callable[..., Pair], what: str
) -> None:
    worker = pair(what)
    until(lambda: (worker.folder / f"child-{worker.child}").exists(), 60, "the child's start")
    os.kill(worker.process.pid, signal.SIGSTOP)
    assert worker.process.wait(60) == -signal.SIGKILL
    assert "main process is frozen" in worker.said()
    assert ("handed back" in worker.said()) == (what == "hands back")
    assert not worker.folder.exists()


def test_a_main_process_without_a_pool_ends(pair: Callable[..., Pair]) -> None:
    worker = pair("")
    assert worker.process.wait(60) == 1
    assert "the pool has no process" in worker.said()
    assert not worker.folder.exists()


def test_a_main_process_whose_event_loop_is_stuck_ends(pair: Callable[..., Pair]) -> None:
    worker = pair("idle", False)
    assert worker.process.wait(60) == 1
    assert "event loop is stuck" in worker.said()


def test_an_event_loop_that_waits_for_redis_is_not_stuck(pair: Callable[..., Pair], tmp_path: Path) -> None:
    from pydantic import SecretStr

    worker = pair("idle", False, redis_url=SecretStr(f"unix://{tmp_path}/none.sock"))
    time.sleep(12)
    assert worker.process.poll() is None, worker.said()


def test_a_child_ends_when_its_main_process_was_killed(pair: Callable[..., Pair]) -> None:
    worker = pair("holds a job")
    until(lambda: (worker.folder / f"child-{worker.child}").exists(), 60, "the child's start")
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait(10)
    until(lambda: not Path(f"/proc/{worker.child}").exists(), 20, "the child's end")


def test_a_child_ends_whose_main_process_was_killed_before_it_came_to_look(pair: Callable[..., Pair]) -> None:
    worker = pair("comes late")
    until(lambda: "started" in worker.said(), 60, "the child's start")
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait(10)
    until(lambda: not health.is_alive(worker.child or 0), 20, "the child's end")


def test_silence_counts_only_while_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(liveness.time, "monotonic", lambda: now)
    silence = Silence()
    assert silence.look("a") == 0
    for second in range(1, 6):
        now = float(second)
        assert silence.look("a") == second
    now += 3600
    assert silence.look("a") == 5 + 2 * liveness.LOOK_SECONDS
    assert silence.look("b") == 0


def test_a_second_worker_of_a_name_is_refused_in_a_sentence(settings: Settings) -> None:
    host = os.uname().nodename
    with watched(settings, f"w1@{host}"):
        done = subprocess.run(
            [sys.executable, "-m", "worker.cli", "--name", "w1"],
            env=os.environ | settings.environment(),
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 2
        assert done.stderr.splitlines() == [
            "quartet-worker: --name: expected a name that no other worker of this host has, got 'w1'",
            "hint: start each worker with a --name of its own",
        ]
        with pytest.raises(InvalidInput), watched(settings, f"w1@{host}"):
            pass
        with watched(settings, f"w2@{host}"):
            pass
    with watched(settings, f"w1@{host}"):  # the first has ended
        pass


def test_two_private_services_may_use_the_same_names(settings: Settings) -> None:
    from pydantic import SecretStr

    other = settings.model_copy(update={"redis_url": SecretStr("unix:///tmp/other.sock")})
    with watched(settings, "quartet-1@here"), watched(other, "quartet-1@here"):
        pass


def test_a_worker_leaves_nothing_behind_and_removes_what_a_killed_one_left(
    settings: Settings, pair: Callable[..., Pair]
) -> None:
    killed = pair("idle")
    state = settings.state_dir / health.WORKERS
    until(lambda: list(state.glob("*.json")), 30, "its state")
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.process.wait(10)
    assert killed.folder.exists()
    until(lambda: not health.is_alive(killed.child or 0), 30, "the child's end")
    with watched(settings, "w1@here"):
        assert not killed.folder.exists()
        mine = liveness.folder()
        assert mine is not None
        assert mine.stat().st_mode & 0o777 == 0o700
    assert not mine.exists()
    assert list(state.glob("*.json")) == []


def test_a_state_folder_that_cannot_be_used_is_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    broken = settings.model_copy(update={"state_dir": tmp_path / "file"})
    with pytest.raises(InvalidSetting, match="QUARTET_STATE_DIR"), watched(broken, "w1@here"):
        pass
