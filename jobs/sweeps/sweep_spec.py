"""`SweepSpec`: one sweep, complete and validated."""

import re
from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from jobs.parameters import Action, Checked, JobReference
from jobs.spec import Priority
from jobs.sweeps.distributions import MOST_VALUES, Distributions

Method = Literal["grid", "random", "sobol", "tpe"]

MOST_TRIALS = 10_000
"""Trials that one sweep may have."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_IN_WORDS = "1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit"


def names_a_folder(name: object) -> bool:
    """Whether a text can be a sweep's name: 1 to 64 characters of few kinds, no way out of its folder."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


class Goal(Checked):
    """The number of `metrics.json` by which trials are judged.

    Attributes:
        name: its key.
        goal: which direction is better.
    """

    name: str = Field(min_length=1, max_length=80)
    goal: Literal["minimize", "maximize"]


class Halving(Checked):
    """Successive halving, asynchronous: of the trials that reached a rung, the best part goes on.

    Attributes:
        eta: one in so many goes on, and trains so many times as many epochs.
        min_iter: epochs of the first rung.
    """

    type: Literal["halving"] = "halving"
    eta: int = Field(3, ge=2, le=100)
    min_iter: int = Field(1, ge=1, le=1_000_000)


class Median(Checked):
    """Median stopping: a running trial that is worse than the median of the others at its epoch is cancelled.

    Attributes:
        min_iter: no trial is stopped before it has done so many epochs.
    """

    type: Literal["median"] = "median"
    min_iter: int = Field(1, ge=1, le=1_000_000)


class Then(Checked):
    """A job that follows a trial.

    Attributes:
        action: what it does.
        data: its dataset or own data; None for what the trial was trained on.
        parameters: that are set, of the model and this action.
    """

    action: Literal["evaluate", "generate"]
    data: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class SweepSpec(Checked):
    """One sweep.

    Attributes:
        name: by which it is found; it names a folder too.
        model: which network.
        action: what each trial does.
        data: of all trials; None where `parameters` vary it, or for the default.
        source: the training job whose model all trials use, where they do not train.
        method: how points are chosen.
        metric: by which number, in which direction.
        parameters: the distribution of each parameter that is set, in the order in which they were written;
            `data` among them varies the dataset.
        seeds: each point is run once with each of them, and judged by the mean.
        run_cap: the most trials; a point that is begun is run with all seeds. None for all points of a grid.
        early_terminate: what is stopped early, if anything.
        parallel: the most trials that are queued or running at once; None for twice the number of workers
            plus 2, with tpe the number of workers plus 1.
        then: the jobs that follow.
        each: whether they follow every trial that succeeds; else they follow the best alone, at the end.
        max_failures: so many failed trials end the sweep; None for any number.
        seed: from which the search draws.
        fresh: whether to run trials whose equals have succeeded.
        time_limit: of each attempt of each trial, in seconds.
        priority: of all its jobs.
        tags: of all its jobs.
    """

    name: str
    model: str
    action: Action = "train"
    data: str | None = None
    source: JobReference | None = Field(None, alias="from")
    method: Method
    metric: Goal
    parameters: Distributions = Field(default_factory=dict)
    seeds: tuple[Annotated[int, Field(ge=0, le=2**32 - 1)], ...] = Field((0,), min_length=1, max_length=1_000)
    run_cap: int | None = Field(None, ge=1, le=MOST_TRIALS)
    early_terminate: Halving | Median | None = None
    parallel: int | None = Field(None, ge=1, le=MOST_TRIALS)
    then: tuple[Then, ...] = ()
    each: bool = False
    max_failures: int | None = Field(None, ge=1, le=MOST_TRIALS)
    seed: int = Field(0, ge=0, le=2**32 - 1)
    fresh: bool = False
    time_limit: int | None = Field(None, ge=1, le=10**9)
    priority: Priority = "normal"
    tags: tuple[str, ...] = ()

    @field_validator("*", mode="before")
    @classmethod
    def _no_bool(cls, value: Any, info: ValidationInfo) -> Any:  # type: ignore[override]
        return value if info.field_name in ("each", "fresh") else super()._no_bool(value)

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        if not names_a_folder(name):
            raise ValueError(NAME_IN_WORDS)
        return name

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds that differ")
        if any(len(each.values) > MOST_VALUES for each in self.parameters.values()):
            raise ValueError(f"at most {MOST_VALUES:,} values of a parameter")
        if self.method == "grid" and not all(each.listed for each in self.parameters.values()):
            raise ValueError("values, not a range, for each parameter of a grid")
        if self.method != "grid" and self.run_cap is None:
            raise ValueError("a run_cap, since only a grid has an end of its own")
        if self.early_terminate is not None and self.action != "train":
            raise ValueError("no early_terminate, since only training is stopped early")
        return self

    @property
    def varied(self) -> list[str]:
        """The names of the parameters that vary, in the order of the description."""
        return [name for name, each in self.parameters.items() if each.distribution != "constant"]

    @property
    def fixed(self) -> dict[str, Any]:
        """The parameters that are the same in all trials."""
        return {
            name: each.values[0] for name, each in self.parameters.items() if each.distribution == "constant"
        }

    def point_limit(self) -> int:
        """How many points `run_cap` allows, if there are so many: whole ones alone, and at least one."""
        return max(1, (self.run_cap or MOST_TRIALS) // len(self.seeds))

    def most_points(self) -> int:
        """How many points it has at most."""
        if self.method != "grid":
            return self.point_limit()
        return min(self.point_limit(), prod(len(each.values) for each in self.parameters.values()))

    def most_trials(self) -> int:
        """How many trials it has at most."""
        return self.most_points() * len(self.seeds)

    def better(self, a: float, b: float) -> bool:
        """Whether one number is better than another."""
        return a < b if self.metric.goal == "minimize" else a > b

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a stored sweep, as `model_dump(mode="json", by_alias=True)` gave it.

        Raises:
            pydantic.ValidationError: it is none.
        """
        return cls.model_validate(value)
