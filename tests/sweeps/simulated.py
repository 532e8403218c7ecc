"""Runs a sweep without Redis or workers, on a simulated clock, through the same decisions."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from jobs.sweeps.actions import Ask, Cancel, End
from jobs.sweeps.decide import decide
from jobs.sweeps.distributions import Distribution, Point
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.sweeps.trials import Trials

Curve = Callable[[Point, int, int], float | None]
"""A point, a seed and an epoch -> the metric after it; None for a trial that fails there."""


def values(*listed):
    """A parameter whose values are listed."""
    return Distribution(distribution="categorical", values=listed)


def constant(value):
    return Distribution(distribution="constant", values=(value,))


def uniform(low, high, q=None):
    return Distribution(distribution="uniform", min=low, max=high, q=q)


def log_uniform(low, high):
    return Distribution(distribution="log_uniform_values", min=low, max=high)


def integers(low, high):
    return Distribution(distribution="int_uniform", min=low, max=high)


def sweep_of(parameters, method="random", **rest) -> SweepSpec:
    """A sweep of these parameters, complete in all else."""
    given = {"name": "s", "model": "textgen", "metric": {"name": "validation_nats", "goal": "minimize"}}
    if method != "grid":
        given["run_cap"] = 12
    return SweepSpec(**{**given, "method": method, "parameters": parameters, **rest})


@dataclass
class Simulation:
    """A sweep that runs on some workers.

    Attributes:
        curve: what trials measure.
        seconds: the entry and how many epochs it does itself -> how long that takes.
        survives: whether the next action of a round is carried out; one that is not ends the round, as when
            the worker dies that advances the sweep, and another one decides anew.
        order: how the entries are handed to the decisions.
        rounds: each round's actions and how many jobs of trials were unfinished after it.
    """

    sweep: SweepSpec
    curve: Curve
    workers: int = 2
    seconds: Callable[[Entry, int], float] = lambda _, epochs: float(epochs)
    survives: Callable[[], bool] = lambda: True
    order: Callable[[list[Entry]], list[Entry]] = lambda entries: entries
    entries: list[Entry] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    rounds: list[tuple[list, int]] = field(default_factory=list)
    why: str | None = None
    now: float = 0.0
    _queue: list[str] = field(default_factory=list)
    _running: list[tuple[float, int, str]] = field(default_factory=list)
    _cancelling: dict[str, str] = field(default_factory=dict)
    _by_job: dict[str, Entry] = field(default_factory=dict)

    def run(self, most_rounds: int = 20_000) -> "Simulation":
        """Advance the sweep until it ends."""
        for _ in range(most_rounds):
            self.advance()
            if self.why is not None:
                return self
            self.step()
        raise AssertionError("the sweep does not end")

    def advance(self) -> None:
        """One round of decisions."""
        whole = False
        while not whole:
            whole = True
            actions = decide(self.sweep, self.order(list(self.entries)), dict(self.outcomes), self.workers)
            for action in actions:
                if not self.survives():
                    whole = False
                    break
                self._carry_out(action)
        unfinished = Trials(self.sweep, self.entries, self.outcomes).unfinished
        self.rounds.append((actions, len(unfinished)))

    def _carry_out(self, action) -> None:
        if isinstance(action, End):
            assert all(outcome.ended for outcome in self.outcomes.values())
            self.why = action.why
        elif isinstance(action, Cancel):
            assert self.outcomes[action.job].state == "running"
            self._cancelling[action.job] = action.why
        else:
            self._submit(action)

    def _submit(self, ask: Ask) -> None:
        job = f"job-{len(self.entries)}"
        entry = Entry(ask.trial, ask.rung, ask.then, job, ask.point, ask.seed, ask.epochs, ask.seen)
        assert entry.key not in {each.key for each in self.entries}, entry.key
        if ask.rung and ask.then is None:
            before = self._by_job[ask.continues]
            assert (before.trial, before.rung) == (ask.trial, ask.rung - 1)
            assert self.outcomes[before.job].state == "succeeded"
        self.entries.append(entry)
        self._by_job[job] = entry
        self.outcomes[job] = Outcome("queued")
        self._queue.append(job)

    def _epochs(self, entry: Entry) -> int:
        return int(entry.epochs or self.sweep.fixed.get("epochs") or entry.point.get("epochs") or 1)

    def _start(self) -> None:
        while self._queue and len(self._running) < self.workers:
            job = self._queue.pop(0)
            entry = self._by_job[job]
            self.outcomes[job] = Outcome("running")
            before = next(
                (e for e in self.entries if e.trial == entry.trial and e.rung == entry.rung - 1), None
            )
            epochs = self._epochs(entry) - (before.epochs if before and entry.then is None else 0)
            heapq.heappush(self._running, (self.now + self.seconds(entry, epochs), len(self._running), job))

    def _cancel(self) -> None:
        """What was to be cancelled gets there before anything else does."""
        for job, why in self._cancelling.items():
            self.outcomes[job] = replace(self.outcomes[job], state="cancelled", stopped=True, error=why)
        self._running = [each for each in self._running if each[2] not in self._cancelling]
        self._cancelling.clear()
        heapq.heapify(self._running)

    def step(self) -> None:
        """Let jobs start, those that were cancelled end, and then the next one that ends of itself."""
        self._start()
        self._cancel()
        if not self._running:
            return
        self.now, _, job = heapq.heappop(self._running)
        entry = self._by_job[job]
        if entry.then is not None:
            self.outcomes[job] = Outcome("succeeded")
            return
        last = self._epochs(entry)
        found = {epoch: self.curve(entry.point, entry.seed, epoch) for epoch in range(1, last + 1)}
        history = {epoch: value for epoch, value in found.items() if value is not None}
        if found[last] is None:
            self.outcomes[job] = Outcome("failed", error="it failed", history=history)
        else:
            self.outcomes[job] = Outcome("succeeded", found[last], history)
        self._report_running()

    def _report_running(self) -> None:
        for ends, _, job in self._running:
            entry = self._by_job[job]
            done = max(1, int(self._epochs(entry) - (ends - self.now)))
            values = {
                e: self.curve(entry.point, entry.seed, e)
                for e in range(1, min(done, self._epochs(entry)) + 1)
            }
            known = {epoch: value for epoch, value in values.items() if value is not None}
            self.outcomes[job] = Outcome("running", history=known)
