"""What a sweep does next, given what became of its jobs.

A failed trial is no reason to stop: it is a result for the search. Once `max_failures` trials have failed,
nothing new is asked for; what runs is left to end, and then the sweep ends, without jobs that follow the
best. Trials that a person cancelled or deleted, and those stopped early, do not count. Jobs that follow each
trial follow those that ran whole: with halving, those that came to their last rung.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from jobs.sweeps.actions import Action, Ask, End
from jobs.sweeps.data_read import NONE_IS_BEST, different_data
from jobs.sweeps.distributions import Point
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.halving import last_promotion, on_last_rung, promotions, rung_epochs
from jobs.sweeps.median import stops
from jobs.sweeps.points import new_points, varied_distributions
from jobs.sweeps.scores import best_point, scores
from jobs.sweeps.search import Search, results_now
from jobs.sweeps.spread import count_points, has_point
from jobs.sweeps.sweep_spec import Halving, SweepSpec
from jobs.sweeps.trials import Trials
from jobs.wording import counted


def decide(
    sweep: SweepSpec, entries: Sequence[Entry], outcomes: Mapping[str, Outcome], workers: int
) -> list[Action]:
    """What a sweep does next: nothing else decides it, neither a clock nor chance.

    Args:
        sweep: its description.
        entries: its jobs, in any order.
        outcomes: each job's id -> what became of it; a job without one counts as queued.
        workers: how many workers there are.

    Returns:
        Actions to be carried out in this order. Where only some of them are, as when a worker dies, the rest
        is asked for again, the same.
    """
    trials = Trials(sweep, entries, outcomes)
    changed = f"; {NONE_IS_BEST}" if different_data(sweep, entries, outcomes) else ""
    if sweep.max_failures is not None and trials.failures >= sweep.max_failures:
        ended = not trials.unfinished and trials.followed
        return [*stops(trials), *([End(_too_many_failed(trials) + changed)] if ended else [])]
    room = max(0, _most_at_once(sweep, workers) - len(trials.unfinished))
    asks = list(islice(chain(_begun(trials), _promoted(trials), _new(trials)), room))
    if not asks and not trials.unfinished and (last := last_promotion(trials)):
        asks = list(_at_rung(trials, *last))[: _most_at_once(sweep, workers)]
    if sweep.each:
        asks += _following(trials, [trial for trial in trials.jobs if _ran_whole(trials, trial)])
    ended = not asks and not trials.unfinished
    if ended and not sweep.each and not changed and (best := best_point(scores(sweep, entries, outcomes))):
        asks = list(_following(trials, [best.best_trial] if best.best_trial is not None else []))
    if ended and not asks and trials.followed:
        return [End(_all_ended(trials) + changed)]
    return [*asks, *stops(trials)]


def _most_at_once(sweep: SweepSpec, workers: int) -> int:
    """How many jobs of trials may be queued or running.

    Some are queued ahead, so that no worker waits while a trial's report is drawn: one by a search that
    learns, which asks as late as it can.
    """
    if sweep.parallel is not None:
        return sweep.parallel
    return max(1, workers) + 1 if sweep.method == "tpe" else 2 * max(1, workers) + 2


def _begun(trials: Trials) -> Iterator[Ask]:
    """The trials that are missing of points, and of promotions, that have been begun."""
    for number in trials.points:
        for rung in range(trials.top(number) + 1):
            yield from _at_rung(trials, number, rung)


def _promoted(trials: Trials) -> Iterator[Ask]:
    for number, rung in promotions(trials):
        yield from _at_rung(trials, number, rung)


def _at_rung(trials: Trials, number: int, rung: int) -> Iterator[Ask]:
    """The jobs that a point of the sweep lacks at a rung."""
    point = trials.points[number]
    for trial in trials.missing_at(number, rung):
        below = trials.jobs[trial][rung - 1].job if rung else None
        yield _trial(trials, trial, rung, point, trials.seen[number], below)


def _new(trials: Trials) -> Iterator[Ask]:
    """The trials of new points."""
    sweep = trials.sweep
    numbers = [number for number in range(sweep.point_limit()) if number not in trials.points]
    numbers = numbers[: max(0, sweep.point_limit() - len(trials.points))]
    if sweep.method == "tpe":
        yield from _searched(trials, numbers)
        return
    for number, point in zip(numbers, new_points(sweep, trials.points.values()), strict=False):
        for trial in trials.trials_of(number):
            yield _trial(trials, trial, 0, point)


def _searched(trials: Trials, numbers: Sequence[int]) -> Iterator[Ask]:
    """The trials of new points that the search asks for; none once there is no point that it did not have."""
    varied = varied_distributions(trials.sweep)
    known = {tuple(p[name] for name in varied) for p in trials.points.values() if has_point(varied, p)}
    search = Search(trials, results_now(trials)) if numbers else None
    for number in numbers:
        if search is None or len(known) == count_points(varied):
            return
        point = search.ask(number)
        known.add(tuple(point[name] for name in varied))
        for trial in trials.trials_of(number):
            yield _trial(trials, trial, 0, point, search.seen)


def _trial(
    trials: Trials, trial: int, rung: int, point: Point, seen: str = "", below: str | None = None
) -> Ask:
    halving = isinstance(trials.sweep.early_terminate, Halving)
    epochs = rung_epochs(trials.sweep, point)[rung] if halving else None
    return Ask(trial, rung, None, point, trials.seed_of(trial), epochs, seen, continues=below)


def _ran_whole(trials: Trials, trial: int) -> bool:
    rung, entry = max(trials.jobs[trial].items())
    return trials.outcome(entry).state == "succeeded" and on_last_rung(trials, trials.point_of(trial), rung)


def _following(trials: Trials, wanted: Sequence[int]) -> Iterator[Ask]:
    """The jobs that are to follow some trials, and do not yet."""
    for trial in wanted:
        rung, entry = max(trials.jobs[trial].items())
        for then in range(len(trials.sweep.then)):
            if (trial, rung, then) not in trials.following:
                yield Ask(trial, rung, then, entry.point, entry.seed, source=entry.job)


def _too_many_failed(trials: Trials) -> str:
    return f"{counted(trials.failures, 'trial')} failed, and max_failures is {trials.sweep.max_failures}"


def _all_ended(trials: Trials) -> str:
    count, failed = len(trials.jobs), trials.failures
    ended = "its one trial has ended" if count == 1 else f"all {count} trials have ended"
    return ended + (f", {failed} failed" if failed else "")
