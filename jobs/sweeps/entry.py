"""What a sweep knows of the jobs that it made or took over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jobs.ledger.job_record import ENDED, State
from jobs.sweeps.distributions import Point


@dataclass(frozen=True)
class Entry:
    """One job of a sweep. Nothing of it changes once it is written.

    Attributes:
        trial: the number of the trial, from 0; trial t has point t // s and the seed at t % s, of s seeds.
        rung: 0 for a trial's first job; each promotion by halving resumes it as the next one. Jobs that
            follow a trial have the rung of the job whose model they use.
        then: which of the jobs that follow a trial it is, from 0; None for the trial itself.
        job: the job's id.
        point: the values of the parameters that vary.
        seed: the job's random seed.
        epochs: of the training job, where halving decides them; else None.
        seen: what the search had been told when it asked for this point, as `points_seen.py` writes it.
        reused: whether the job had succeeded before the sweep asked for it.
    """

    trial: int
    rung: int
    then: int | None
    job: str
    point: Point
    seed: int
    epochs: int | None = None
    seen: str = ""
    reused: bool = False

    @property
    def key(self) -> str:
        """By which it is stored: no two jobs of a sweep have the same."""
        return f"{self.trial}.{self.rung}" + ("" if self.then is None else f".{self.then}")

    def as_dict(self) -> dict[str, Any]:
        """Its fields as values for JSON."""
        return {**self.__dict__, "point": dict(self.point)}

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> "Entry":
        """Read what `as_dict` gave.

        Raises:
            TypeError, ValueError: it is no entry.
        """
        point = {
            name: tuple(each) if isinstance(each, list) else each for name, each in value["point"].items()
        }
        return cls(**{**value, "point": point})


@dataclass(frozen=True)
class Outcome:
    """What became of one job so far.

    Attributes:
        state: its state; `gone` if it was deleted.
        value: of the sweep's metric, unrounded; None while it has none.
        history: epoch -> the value of the metric's column after it, as far as is known.
        error: why it failed or was cancelled.
        stopped: whether it was cancelled since the sweep decided so (`Cancel`), not by a person.
        data: which data it read: name -> SHA-256, as far as is known.
    """

    state: State | Literal["gone"]
    value: float | None = None
    history: Mapping[int, float] = field(default_factory=dict)
    error: str | None = None
    stopped: bool = False
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state == "gone" or self.state in ENDED
