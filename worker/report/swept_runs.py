"""The jobs of one sweep as its page compares them, from their folders and the sweep's record alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jobs.comparison.compared_sweep import ComparedSweep
from jobs.comparison.run import GONE, Run
from jobs.comparison.selection import Selection
from jobs.ledger.sweep_record import SweepRecord
from jobs.store.results import Results
from jobs.sweeps.entry import Entry
from worker.report.compared_run import read_run


@dataclass(frozen=True)
class SweptRuns:
    """The jobs of a sweep.

    Attributes:
        selection: of each trial the last job that has ended and, where a later one goes on or none has ended,
            the last job of all, of which nothing but its place is known.
        followed: a trial's job -> the jobs that use its model and have ended.
        by_id: all that have ended.
    """

    selection: Selection
    followed: Mapping[str, Sequence[Run]]
    by_id: Mapping[str, Run]


def swept_runs(results: Results, record: SweepRecord) -> SweptRuns:
    """Read the jobs of a sweep.

    Args:
        results: the folder of all jobs.
        record: the sweep, of which this version can read the description.
    """
    sweep = ComparedSweep.of(record)
    by_id = {
        entry.job: read_run(folder.path) for entry in record.entries if (folder := results.find(entry.job))
    }
    trials: dict[int, list[Entry]] = {}
    for entry in sorted(record.entries, key=lambda each: each.rung):
        trials.setdefault(entry.trial, []).append(entry)
    runs: list[Run] = []
    followed: dict[str, Sequence[Run]] = {}
    for entries in trials.values():
        own = [entry for entry in entries if entry.then is None]
        ended = [entry for entry in own if entry.job in by_id]
        if ended:
            runs.append(_placed(sweep, ended[-1], by_id[ended[-1].job]))
            followed[ended[-1].job] = [
                by_id[entry.job] for entry in entries if entry.then is not None and entry.job in by_id
            ]
        if own and own[-1].job not in by_id:
            # Nothing is known of what becomes of one without a folder; of an ended sweep it was deleted.
            state = GONE if record.state == "ended" else "queued"
            runs.append(_placed(sweep, own[-1], Run(own[-1].job, state, seed=own[-1].seed)))
    runs.sort(key=lambda run: run.id, reverse=True)
    return SweptRuns(Selection(runs, [sweep]), followed, by_id)


def _placed(sweep: ComparedSweep, entry: Entry, run: Run) -> Run:
    """A run with its place in the sweep, which may have taken it over from another one."""
    return replace(
        run, sweep=sweep.name, trial=entry.trial, rung=entry.rung, point=sweep.point_of(entry.trial)
    )
