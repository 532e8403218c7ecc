"""The heartbeat keeps a job alive, stops it when it should stop, and outlives every error on the way."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.claim import Claim
from jobs.errors import LeaseLost, RedisUnreachable
from jobs.settings import Settings, read_settings
from tests.support.processes import until
from worker.engine import heartbeat, liveness
from worker.engine.heartbeat import LOST, Heartbeat

CLAIM = Claim("20261123-221530-042-k7qd", 1, "0123456789abcdef")


class ScriptedLedger:
    """Answers what a test wants, by name of the method; an error is raised."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {"renew": "", "asked": ""}
        self.calls: list[str] = []
        self.events: list[str] = []

    def renew(self, claim: Claim) -> Any:  # noqa: ARG002
        return self._answer("renew")

    def asked(self, claim: Claim) -> Any:  # noqa: ARG002
        return self._answer("asked")

    def log_event(self, claim: Claim, text: str) -> None:  # noqa: ARG002
        self.events.append(text)

    def _answer(self, name: str) -> Any:
        self.calls.append(name)
        if isinstance(self.answers[name], Exception):
            raise self.answers[name]
        return self.answers[name]


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> ScriptedLedger:
    scripted = ScriptedLedger()
    monkeypatch.setattr(heartbeat, "Ledger", lambda _: scripted)
    return scripted


@pytest.fixture
def worker_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A worker's own folder, as its processes share it."""
    monkeypatch.setenv(liveness.FOLDER_VARIABLE, "")  # for the end
    path = liveness.make_folder()
    yield path
    liveness.remove_folder(path)


@pytest.fixture
def quick() -> Settings:
    return read_settings(heartbeat_seconds=0.2, stop_grace_seconds=0.3)


@pytest.fixture
def beating(ledger: ScriptedLedger, quick: Settings) -> Iterator[Callable[..., Heartbeat]]:  # noqa: ARG001
    """Starts a heartbeat; `gave_up` has what it gave up for."""
    started: list[Heartbeat] = []

    def start(gave_up: list[str], seconds_allowed: float = 60, **changes: Any) -> Heartbeat:
        settings = quick.model_copy(update=changes)
        beat = Heartbeat(CLAIM, settings, seconds_allowed, threading.Event(), gave_up.append)
        started.append(beat.__enter__())
        return beat

    yield start
    for beat in started:
        beat.__exit__()


@pytest.mark.parametrize(
    "error", [RedisUnreachable("Redis cannot be reached"), RuntimeError("nobody mapped this"), MemoryError()]
)
def test_it_outlives_every_error_and_says_how_long_redis_was_away(
    ledger: ScriptedLedger, beating: Callable[..., Heartbeat], error: Exception
) -> None:
    gave_up: list[str] = []
    ledger.answers = {"renew": error, "asked": error}
    beat = beating(gave_up)
    until(lambda: ledger.calls.count("renew") >= 3, 10, "three failed renewals")
    ledger.answers = {"renew": "", "asked": ""}
    until(lambda: ledger.events, 10, "its word that Redis is back")
    assert ledger.events == ["Redis was away for 1 s; the job kept running"]
    assert (beat.asked, beat.lost, gave_up) == ("", False, [])
    assert beat._thread.is_alive()


def test_it_outlives_an_error_of_its_own(
    ledger: ScriptedLedger, beating: Callable[..., Heartbeat], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> float:
        raise ValueError("no memory to measure")

    monkeypatch.setattr(heartbeat, "peak_memory_gb", broken)
    beat = beating([], memory_limit_gb=1.0)
    until(lambda: ledger.calls.count("renew") >= 3, 10, "three renewals")
    assert beat._thread.is_alive()


def test_limits_are_held_while_redis_is_away(
    ledger: ScriptedLedger, beating: Callable[..., Heartbeat]
) -> None:
    error = RuntimeError("nobody mapped this")
    ledger.answers = {"renew": error, "asked": error}
    gave_up: list[str] = []
    beat = beating(gave_up, seconds_allowed=0)
    until(lambda: gave_up, 10, "the end of its patience")
    assert (gave_up, beat.asked, beat._stop.is_set()) == (["time limit"], "time limit", True)


def test_the_first_reason_to_stop_stays(ledger: ScriptedLedger, beating: Callable[..., Heartbeat]) -> None:
    ledger.answers = {"renew": "cancel", "asked": "cancel"}
    beat = beating([], seconds_allowed=0.5, stop_grace_seconds=60.0)
    until(lambda: beat.asked, 10, "its request")
    ledger.answers = {"renew": "", "asked": ""}
    until(lambda: time.monotonic() > beat._deadline + 0.5, 10, "the time limit")
    assert beat.asked == "cancel"


@pytest.mark.usefixtures("worker_folder")
@pytest.mark.parametrize("away", [True, False])
def test_a_worker_that_stops_is_heard_without_redis(
    ledger: ScriptedLedger, beating: Callable[..., Heartbeat], away: bool
) -> None:
    if away:
        error = RedisUnreachable("Redis cannot be reached")
        ledger.answers = {"renew": error, "asked": error}
    beat = beating([], stop_grace_seconds=60.0)
    until(lambda: len(ledger.calls) > 1, 10, "two beats")
    assert beat.asked == ""
    liveness.ask_to_stop()
    until(lambda: beat.asked == "hand back", 10, "the request")
    assert beat._stop.is_set()


def test_a_process_holds_a_job_from_the_first_beat_to_the_last(
    beating: Callable[..., Heartbeat], worker_folder: Path
) -> None:
    beat = beating([])
    assert liveness.holders(worker_folder) == {os.getpid()}
    beat.__exit__()
    assert liveness.holders(worker_folder) == set()


def test_a_folder_that_is_gone_stops_no_heartbeat(
    ledger: ScriptedLedger, beating: Callable[..., Heartbeat], worker_folder: Path
) -> None:
    liveness.remove_folder(worker_folder)
    beat = beating([])
    until(lambda: ledger.calls.count("renew") >= 2, 10, "two renewals")
    assert (beat.asked, beat._thread.is_alive()) == ("", True)


def test_a_task_that_has_ended_is_not_given_up_and_its_lease_is_renewed(
    ledger: ScriptedLedger, beating: Callable[..., Heartbeat]
) -> None:
    gave_up: list[str] = []
    beat = beating(gave_up, seconds_allowed=0, stop_grace_seconds=0.1)
    beat.task_is_over()
    until(lambda: ledger.calls.count("renew") >= 5, 10, "five renewals")
    assert gave_up == []


@pytest.mark.parametrize("over", [True, False])
def test_a_lost_lease_stops_the_task_and_gives_up_one_that_does_not_stop(
    ledger: ScriptedLedger, beating: Callable[..., Heartbeat], over: bool
) -> None:
    lost = LeaseLost("another attempt holds it")
    ledger.answers = {"renew": lost, "asked": lost}
    gave_up: list[str] = []
    beat = beating(gave_up)
    until(lambda: beat._stop.is_set(), 10, "the stop")
    if over:
        beat.task_is_over()
    beat._thread.join(10)
    assert beat.lost
    beat.task_is_over()
    assert gave_up == ([] if over else [LOST])


def test_a_task_that_is_given_up_ends_nothing_itself_and_its_lease_is_renewed_meanwhile(
    ledger: ScriptedLedger, quick: Settings
) -> None:
    begun, concluded = threading.Event(), threading.Event()

    def conclude(_: str) -> None:
        begun.set()
        concluded.wait(10)

    with Heartbeat(CLAIM, quick, 0, threading.Event(), conclude) as beat:
        assert begun.wait(10)
        renewals = ledger.calls.count("renew")
        until(lambda: ledger.calls.count("renew") >= renewals + 3, 10, "three renewals")
        task = threading.Thread(target=beat.task_is_over)
        task.start()
        task.join(0.5)
        assert task.is_alive()
        concluded.set()
        task.join(10)
        assert not task.is_alive()


def test_a_task_is_given_up_once_the_system_starts_threads_again(
    ledger: ScriptedLedger, beating: Callable[..., Heartbeat]
) -> None:
    gave_up: list[str] = []
    ledger.answers["asked"] = ledger.answers["renew"] = "cancel"
    beat = beating(gave_up)
    before = threading.stack_size(2**46)  # no system has room for such a thread
    try:
        with pytest.raises(RuntimeError):
            threading.Thread(target=print).start()
        until(lambda: beat._is_overdue(), 10, "the end of its patience")
        calls = len(ledger.calls)
        until(lambda: len(ledger.calls) > calls + 3, 10, "beats that could give up nothing")
    finally:
        threading.stack_size(before)
    assert gave_up == []
    until(lambda: gave_up == ["cancel"], 10, "its end")


def test_a_cancellation_is_heard_though_the_timeline_takes_no_more(
    ledger: ScriptedLedger, beating: Callable[..., Heartbeat], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(claim: Claim, text: str) -> None:  # noqa: ARG001
        raise RedisUnreachable("Redis refuses writes")

    monkeypatch.setattr(ledger, "log_event", full)
    ledger.answers = {name: RedisUnreachable("Redis cannot be reached") for name in ("renew", "asked")}
    beat = beating([])
    until(lambda: ledger.calls.count("renew") >= 2, 10, "two failed renewals")
    ledger.answers = {"renew": "cancel", "asked": "cancel"}
    until(lambda: beat.asked == "cancel", 10, "the cancellation")
