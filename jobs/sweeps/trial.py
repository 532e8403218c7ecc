"""One trial of a sweep, as a client sees it."""

from dataclasses import dataclass
from typing import Any

from jobs.sweeps.distributions import Point
from jobs.sweeps.entry import Entry, Outcome


@dataclass(frozen=True)
class Trial:
    """One trial of a sweep: its job, and what that came to. With halving, a trial has a job for each rung.

    Attributes:
        trial: its number, from 0.
        rung: 0, or how often it was promoted.
        job: the job's id.
        state: of the job; `gone` if it was deleted.
        point: the values of the parameters that vary.
        seed: the job's random seed.
        epochs: of the job, where halving decides them.
        value: of the sweep's metric, unrounded; None while it has none.
        error: why it failed or was cancelled.
        reused: whether the job had succeeded before the sweep asked for it.
    """

    trial: int
    rung: int
    job: str
    state: str
    point: Point
    seed: int
    epochs: int | None
    value: float | None
    error: str | None
    reused: bool

    @classmethod
    def of(cls, entry: Entry, outcome: Outcome) -> "Trial":
        """A trial as its sweep knows it."""
        about = (entry.trial, entry.rung, entry.job, outcome.state, entry.point, entry.seed, entry.epochs)
        return cls(*about, outcome.value, outcome.error, entry.reused)

    def as_dict(self) -> dict[str, Any]:
        """Its fields as values for JSON."""
        return {**self.__dict__, "point": dict(self.point)}
