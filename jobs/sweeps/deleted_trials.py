"""Runs jobs of a sweep again that a person deleted: the same ones, in the same places."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jobs.ids import new_job_id
from jobs.ledger.job_record import ENDED
from jobs.ledger.ledger import Ledger
from jobs.sweeps.actions import Ask
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.sweeps.trial_spec import trial_spec


def run_deleted(
    ledger: Ledger, sweep: SweepSpec, entries: Sequence[Entry], outcomes: Mapping[str, Outcome]
) -> list[str]:
    """Queue the deleted jobs of a sweep again, which goes on with them.

    Of a trial that halving promoted, only the latest job is run again; without those before, it starts from
    scratch. A job that followed a trial needs that trial's model.

    Args:
        ledger: where they are queued.
        sweep: the sweep.
        entries: its jobs, in the order of their trials.
        outcomes: each job's id -> what became of it.

    Returns:
        The ids of the new jobs.

    Raises:
        InvalidJob, InvalidModel: as `trial_spec` does; some may have been queued.
        RedisUnreachable: Redis cannot be reached; some may have been queued.
    """
    latest = {entry.trial: entry.rung for entry in entries if entry.then is None}
    trials = {(entry.trial, entry.rung): entry.job for entry in entries if entry.then is None}
    usable = {job for job, each in outcomes.items() if each.state == "succeeded" or not each.ended}
    done = []
    for entry in entries:
        if outcomes[entry.job].state != "gone":
            continue
        place = (entry.trial, entry.rung)
        below, source = trials.get((entry.trial, entry.rung - 1)), trials.get(place)
        if entry.rung != latest.get(entry.trial) or (entry.then is not None and source not in usable):
            continue
        continues = below if entry.then is None and below and outcomes[below].state in ENDED else None
        new = replace(entry, job=new_job_id(), reused=False)
        about = (new.trial, new.rung, new.then, new.point, new.seed, new.epochs, new.seen)
        ask = Ask(*about, continues=continues, source=None if entry.then is None else source)
        added = ledger.submit_trial(sweep.name, new, trial_spec(sweep, ask), continues, entry.job)
        if added != "added":  # somebody else runs it again too
            continue
        done.append(new.job)
        if entry.then is None:
            trials[place] = new.job
            usable.add(new.job)
    return done
