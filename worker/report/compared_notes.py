"""A sentence on what a page compares: how many runs, and what became of them."""

from collections.abc import Iterable, Sequence

from jobs.comparison.run import DAMAGED, GONE, OPEN_STATES, Run
from jobs.sweeps.outcomes import STOPPED
from jobs.wording import counted
from worker.report.compared_points import ComparedPoint


def counts(points: Sequence[ComparedPoint], others: Iterable[Run]) -> str:
    """How many points and runs there are, and what became of them.

    Args:
        points: all of them.
        others: the jobs that are in none of them.
    """
    runs = [shown.run for point in points for shown in point.runs]
    states = {state: sum(run.state == state for run in runs) for state in ("failed", "cancelled", DAMAGED)}
    stopped = sum(run.state == "cancelled" and (run.error or "").startswith(STOPPED) for run in runs)
    states["cancelled"] -= stopped
    several = len(points) != len(runs)
    most = max((len(point.runs) for point in points), default=0)
    parts = [
        f"{counted(len(points), 'point')} with up to {counted(most, 'seed')}: {counted(len(runs), 'run')}"
        if several
        else counted(len(runs), "run")
    ]
    parts += [f"{counted(stopped, 'run')} stopped early"] if stopped else []
    parts += [f"{count:,} {state}" for state, count in states.items() if count]
    pending = [run for run in others if run.state in OPEN_STATES]
    gone = [run for run in others if run.state == GONE]
    parts += [f"{counted(len(pending), 'job')} still to end"] if pending else []
    parts += [f"{counted(len(gone), 'job')} without a folder"] if gone else []
    return ", ".join(parts) + "."
