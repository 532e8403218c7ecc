"""The seconds of an epoch are those that preparing it and making its steps took, and no others."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.errors import Cancelled
from jobs.store.job_folder import JobFolder
from tests.training.counting import Watched
from worker.context import JobContext
from worker.training import loop, stopwatch
from worker.training.checkpoint import Checkpoint
from worker.training.loop import fit

LOSSES = [0.5, 0.4, 0.3]
PREPARING, STEP = 1, 2
AN_EPOCH = PREPARING + 10 * STEP


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, context: JobContext) -> SimpleNamespace:
    """A clock that stands still but for what costs time; reading and writing a checkpoint does, and reports do."""
    clock = SimpleNamespace(now=0.0)
    own = SimpleNamespace(monotonic=lambda: clock.now)
    for module in (loop, stopwatch):
        monkeypatch.setattr(module, "time", own)
    read, write = Checkpoint.read, Checkpoint.write

    def read_a_day_later(*arguments: Any) -> Checkpoint:
        clock.now += 86_400
        return read(*arguments)

    def write_slowly(checkpoint: Checkpoint, path: Path) -> None:
        clock.now += 500
        write(checkpoint, path)

    def report(_: object) -> None:
        clock.now += 30

    monkeypatch.setattr(Checkpoint, "read", read_a_day_later)
    monkeypatch.setattr(Checkpoint, "write", write_slowly)
    context.report_progress = report
    context.settings = context.settings.model_copy(update={"checkpoint_seconds": 0.0})
    return clock


class Costly(Watched):
    """All that it does takes time; its first steps compile."""

    def __init__(self, clock: SimpleNamespace, after_call: Callable[[], None] = lambda: None) -> None:
        super().__init__(LOSSES, after_call)
        self._clock, self._compiling = clock, 7_000

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        self._clock.now += PREPARING

    def make_steps(self, first: int, count: int) -> None:
        self._clock.now += STEP * count + self._compiling
        self._compiling = 0
        super().make_steps(first, count)

    def recent_loss(self, since: int, step: int, total: float) -> tuple[float, float]:
        self._clock.now += 11
        return super().recent_loss(since, step, total)

    def measure(self) -> dict[str, float]:
        self._clock.now += 900
        return super().measure()


def seconds_of(context: JobContext) -> list[float]:
    return [row["seconds"] for row in JobFolder(context.folder).history]


def train_again_and_again(context: JobContext, trainable: Callable[[], Costly], ends: type[Exception]) -> int:
    """Train in as many attempts as it takes, each with another trainable; return how many."""
    for attempt in range(1, 100):
        context.stop.clear()
        try:
            fit(context, trainable(), len(LOSSES))
        except ends:
            continue
        return attempt
    raise AssertionError("it never ended")


def test_the_seconds_of_an_undisturbed_run_are_those_of_its_steps(
    context: JobContext, clock: SimpleNamespace
) -> None:
    fit(context, Costly(clock), len(LOSSES))
    assert seconds_of(context) == [AN_EPOCH] * 3


def test_a_stop_after_every_call_changes_no_seconds(context: JobContext, clock: SimpleNamespace) -> None:
    attempts = train_again_and_again(context, lambda: Costly(clock, context.stop.set), Cancelled)
    assert attempts > 10
    assert seconds_of(context) == [AN_EPOCH] * 3


def test_steps_that_a_killed_process_made_in_vain_have_no_seconds(
    context: JobContext, clock: SimpleNamespace
) -> None:
    def trainable() -> Costly:
        calls = iter(range(100))

        def die() -> None:
            if next(calls) == 3:
                raise MemoryError

        return Costly(clock, die)

    assert train_again_and_again(context, trainable, MemoryError) > 5
    assert seconds_of(context) == [AN_EPOCH] * 3


def test_a_stop_before_the_first_step_of_an_epoch_changes_no_seconds(
    context: JobContext, clock: SimpleNamespace
) -> None:
    class StoppedAtFirst(Costly):
        def begin_epoch(self, epoch: int) -> None:
            super().begin_epoch(epoch)
            context.stop.set()

    with pytest.raises(Cancelled):
        fit(context, StoppedAtFirst(clock), len(LOSSES))
    assert context.checkpoint.exists()
    context.stop.clear()
    fit(context, Costly(clock), len(LOSSES))
    assert seconds_of(context) == [AN_EPOCH] * 3


def test_the_step_that_compiles_is_undone(context: JobContext, clock: SimpleNamespace) -> None:
    trainable = Costly(clock)
    fit(context, trainable, len(LOSSES))
    assert trainable.calls[:2] == [(0, 1), (0, 1)]
    assert float(trainable.counter) == 30
