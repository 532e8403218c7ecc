"""What a description would queue: the points that are known, how many jobs, how long they may take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobs.spec import JobSpec
from jobs.sweeps.distributions import Point
from jobs.sweeps.estimate import Paces
from jobs.sweeps.halving import rung_epochs
from jobs.sweeps.parameter_checks import ends
from jobs.sweeps.plain_jobs import PlainJob
from jobs.sweeps.points import first_points, varied_distributions
from jobs.sweeps.rehearsal import Rehearsal
from jobs.sweeps.spread import count_points
from jobs.sweeps.sweep_spec import Halving, SweepSpec

MOST_ESTIMATED = 100
"""Points for which a time is looked up; the others count as their mean."""


@dataclass(frozen=True)
class SweepPreview:
    """What a sweep would queue.

    Attributes:
        spec: the sweep.
        points: those that are known; None where SciPy is lacking, which Sobol points need.
        point_count: how many there will be at most.
        trials: points times seeds.
        fewest_jobs: trials, promotions by halving, and what follows, if no trial fails.
        jobs: the most that they can be. Halving promotes as results come, so how many depends on their order.
        reused: how many of them need not be run, since equal ones have succeeded: as far as points are known.
        rungs: with halving, the epochs of the rungs of the first point.
        seconds: that one worker may need for what is to be run; None where no finished job is like that.
        finished: how many finished jobs that comes from.
    """

    spec: SweepSpec
    points: list[Point] | None
    point_count: int
    trials: int
    fewest_jobs: int
    jobs: int
    reused: int
    rungs: list[int]
    seconds: float | None
    finished: int

    def as_dict(self) -> dict[str, Any]:
        """Its fields as values for JSON."""
        spec = self.spec.model_dump(mode="json", by_alias=True)
        return {**self.__dict__, "spec": spec, "points": self.points and [dict(each) for each in self.points]}


def preview(spec: SweepSpec, paces: Paces, rehearsal: Rehearsal | None = None) -> SweepPreview:
    """What a sweep would queue.

    Args:
        spec: the sweep.
        paces: how long finished jobs took.
        rehearsal: which jobs it has by now, or would reuse; without it, none.
    """
    rehearsal = rehearsal or Rehearsal()
    try:
        points: list[Point] | None = first_points(spec)
    except ImportError:
        points = None
    distinct = count_points(varied_distributions(spec))
    count = spec.point_limit() if distinct is None else min(spec.point_limit(), distinct)
    rungs = rung_epochs(spec, (points or [{}])[0]) if isinstance(spec.early_terminate, Halving) else []
    jobs = _job_counts(spec, count)
    before = len(paces.used)
    to_run = [each.point for each in rehearsal.to_run] or points or []
    seconds = _seconds(spec, to_run, _reached(spec, count, len(rungs)), rungs, rehearsal, paces)
    about = (*jobs, rehearsal.reused, rungs, seconds, len(paces.used) - before)
    return SweepPreview(spec, points, count, count * len(spec.seeds), *about)


@dataclass(frozen=True)
class PlainPreview:
    """What a plain job and those that follow it would queue.

    Attributes:
        reused: how many of them need not be run, since equal ones have succeeded.
        seconds: that one worker may need for the others; None where no finished jobs are like all of them.
    """

    reused: int
    seconds: float | None


def plain_preview(
    job: PlainJob, paces: Paces, find_equal: Callable[[JobSpec], str | None] = lambda _: None
) -> PlainPreview:
    """What a plain job and those that follow it would queue.

    Args:
        job: the job.
        paces: how long finished jobs took.
        find_equal: the id of a job that succeeded and would be used in place of one.
    """
    equal = None if job.fresh else find_equal(job.spec)
    then = job.then if equal is None else job.following(equal)
    followers = [spec for spec in then if equal is None or find_equal(spec) is None]
    specs = [*([job.spec] if equal is None else []), *followers]
    known = [seconds for spec in specs if (seconds := _spec_seconds(spec, paces)) is not None]
    return PlainPreview(1 + len(then) - len(specs), sum(known) if len(known) == len(specs) else None)


def _job_counts(spec: SweepSpec, count: int) -> tuple[int, int]:
    """How many jobs there are at least, if no trial fails, and at most."""
    shortest, longest = _rung_counts(spec)
    fewest, most = _reached(spec, count, longest), _most_reached(spec, count, longest)
    ends_of_points = (fewest[-1], most[shortest - 1])
    seeds, each = len(spec.seeds), len(spec.then)
    least, many = [each * (points * seeds if spec.each else 1) for points in ends_of_points]
    return sum(fewest[:shortest]) * seeds + least, sum(most) * seeds + many


def _rung_counts(spec: SweepSpec) -> tuple[int, int]:
    """How many rungs the point that trains the shortest has, and the one that trains the longest."""
    if not isinstance(spec.early_terminate, Halving):
        return 1, 1
    epochs = ends(spec.parameters["epochs"]) if "epochs" in spec.parameters else []
    counts = [len(rung_epochs(spec, {"epochs": each})) for each in epochs] or [len(rung_epochs(spec, {}))]
    return min(counts), max(counts)


def _reached(spec: SweepSpec, count: int, rungs: int) -> list[int]:
    """How many points come to each rung at least: one in eta, and the best alone where these are too few."""
    rule = spec.early_terminate
    if not isinstance(rule, Halving):
        return [count]
    return [max(1, count // rule.eta**rung) for rung in range(rungs)]


def _most_reached(spec: SweepSpec, count: int, rungs: int) -> list[int]:
    """How many points come to each rung at most.

    The worst order is that in which each result is better than all before: from the eta-th on, each is
    among the best so far as it comes, and is promoted at once.
    """
    rule, found = spec.early_terminate, [count]
    while isinstance(rule, Halving) and len(found) < rungs:
        found.append(max(1, found[-1] - rule.eta + 1))
    return found


def _seconds(
    spec: SweepSpec,
    points: list[Point],
    reached: list[int],
    rungs: list[int],
    rehearsal: Rehearsal,
    paces: Paces,
) -> float | None:
    """The time of all jobs that are still to run, of which that of the trials must be known.

    Args:
        spec: the sweep.
        points: those whose trials are to run, or else all that are known.
        reached: how many points come to each rung.
        rungs: the epochs of each.
        rehearsal: which jobs need not be run.
        paces: how long finished jobs took.
    """
    seeds = len(spec.seeds)
    left = [max(0, points * seeds - rehearsal.ended(rung=rung)) for rung, points in enumerate(reached)]
    steps = [after - before for before, after in zip([0, *rungs], rungs, strict=False)] or [1]
    share = sum(map(int.__mul__, left, steps)) / (rungs[-1] if rungs else 1)
    each = _trial_seconds(spec, points, paces) if share else 0.0
    if each is None:
        return None
    followed = reached[-1] * seeds if spec.each else 1
    # The best may be another one once the trials that are to run have ended.
    done = [rehearsal.ended(then=number) if spec.each or not share else 0 for number in range(len(spec.then))]
    return each * share + _following_seconds(spec, [max(0, followed - count) for count in done], paces)


def _following_seconds(spec: SweepSpec, left: list[int], paces: Paces) -> float:
    """The time of the jobs that follow, as far as finished ones are like them.

    Args:
        spec: the sweep.
        left: how many are still to run of each.
        paces: how long finished jobs took.
    """
    found = 0.0
    for count, then in zip(left, spec.then, strict=True):
        if count:
            found += count * (paces.seconds(spec.model, then.action, then.data, then.parameters) or 0.0)
    return found


def _trial_seconds(spec: SweepSpec, points: list[Point], paces: Paces) -> float | None:
    """The mean time of a whole trial."""
    step = max(1, len(points) // MOST_ESTIMATED)
    found = []
    for point in points[::step] or [{}]:
        values: dict[str, Any] = {**spec.fixed, **point}
        data = values.pop("data", spec.data)
        found.append(paces.seconds(spec.model, spec.action, data, values))
    known = [seconds for seconds in found if seconds is not None]
    return sum(known) / len(known) if known else None


def _spec_seconds(spec: JobSpec, paces: Paces) -> float | None:
    return paces.seconds(spec.model, spec.action, spec.data, spec.parameters.model_dump(exclude_unset=True))
