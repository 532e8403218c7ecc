"""Advances sweeps: looks at what became of their jobs, and carries out what is decided then.

Any number of workers may do this at once, since the ledger gives each entry to one job alone.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import fields

from jobs.errors import InvalidInput, QuartetError, RedisUnreachable
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.ledger.sweep_record import SweepRecord
from jobs.ledger.sweeps import Added
from jobs.spec import JobSpec
from jobs.store.results import Results
from jobs.sweeps.actions import Ask, Cancel, End
from jobs.sweeps.decide import decide
from jobs.sweeps.entry import Entry
from jobs.sweeps.outcomes import STOPPED, Outcomes
from jobs.sweeps.sweep_folder import delete_sweep, write_sweep
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.sweeps.trial_spec import trial_spec

log = logging.getLogger(__name__)

LONGEST_SECONDS = 3.0
"""How long one sweep is advanced before the others have their turn."""

FindEqual = Callable[[JobSpec], str | None]
"""The id of a succeeded job that equals one which is to be run, None if there is none."""


class Advancer:
    """Advances all sweeps that run, and remembers what their jobs came to."""

    def __init__(self, ledger: Ledger, results: Results, find_equal: FindEqual = lambda _: None) -> None:
        """Nothing is looked at yet.

        Args:
            ledger: where sweeps and jobs are.
            results: where jobs' folders are, and where each sweep's file is written.
            find_equal: finds a job that can be used in place of a new one.
        """
        self._ledger, self._results, self._find_equal = ledger, results, find_equal
        self._outcomes: dict[str, tuple[str, Outcomes]] = {}
        self._said: dict[str, str] = {}

    def advance_all(self, still_mine: Callable[[], bool] = lambda: True) -> bool:
        """Advance all sweeps that run, and write the files of those that changed.

        Args:
            still_mine: renews the lock of whoever advances sweeps, before each one; whether it is still held.

        Returns:
            Whether some are to be advanced again at once.

        Raises:
            RedisUnreachable: Redis cannot be reached.
        """
        names, again = self._ledger.sweeps_to_advance(), False
        workers = self._workers() if names else 0
        for name in names:
            if not still_mine():
                return False
            again |= self._advance_one(name, workers)
        self._outcomes = {name: kept for name, kept in self._outcomes.items() if name in names}
        self._said = {name: said for name, said in self._said.items() if name in names}
        return again

    def forget_ended(self, older_than_seconds: float) -> None:
        """Remove sweeps from Redis that ended longer ago; their files stay.

        Raises:
            RedisUnreachable: Redis cannot be reached.
        """
        for name, state in self._ledger.sweep_states().items():
            if state != "running":
                self._ledger.forget_sweep(name, older_than_seconds)

    def _workers(self) -> int:
        """How many workers take jobs; this one does, or will."""
        return max(1, sum("waiting" not in about for about in self._ledger.workers().values()))

    def _advance_one(self, name: str, workers: int) -> bool:
        """Advance a sweep; a fault is stated in its record and does not hold up the others."""
        again = False
        try:
            record = self._ledger.sweep(name)
            if record is not None and record.state == "running":
                again = self._carry_out_all(record, workers)
                record = self._ledger.sweep(name)
            if record is None:
                return False
            if record.changes != record.saved:
                self._save(record)
        except RedisUnreachable as error:
            self._ledger.ping()  # it answers, and refuses this sweep alone
            self._state_fault(name, str(error), error)
        except QuartetError as error:
            self._state_fault(name, error.explanation, error)
        except Exception as error:
            self._state_fault(name, f"{type(error).__name__}: {error}", error)
        else:
            if self._said.pop(name, None) is not None or (record.why and record.state == "running"):
                self._ledger.note_sweep(name, "")
        return again

    def _save(self, record: SweepRecord) -> None:
        """Write a sweep's file, unless it is deleted meanwhile.

        Whoever deletes it removes it from Redis first, then the file. So either they remove this file, or
        Redis does not know the sweep by now.
        """
        write_sweep(self._results, record)
        if not self._ledger.sweep_saved(record) and self._ledger.sweep(record.name) is None:
            delete_sweep(self._results, record.name)

    def _state_fault(self, name: str, why: str, error: Exception) -> None:
        said = why[:300]
        if self._said.get(name) != said:
            unexpected = not isinstance(error, QuartetError | OSError)
            log.warning("sweep %s cannot be advanced: %s", name, said, exc_info=unexpected and error)
            self._said[name] = said
        self._ledger.note_sweep(name, f"it does not go on: {said}")

    def _carry_out_all(self, record: SweepRecord, workers: int) -> bool:
        """Carry out what is decided, again as long as jobs that are reused may lead to the next ones.

        Returns:
            Whether there may be more.
        """
        deadline = time.monotonic() + LONGEST_SECONDS
        while self._carry_out(record, workers):
            found = self._ledger.sweep(record.name)
            if found is None or found.state != "running":
                return False
            if time.monotonic() > deadline:
                return True
            record = found
        return False

    def _carry_out(self, record: SweepRecord, workers: int) -> bool:
        """Carry out what is decided once; whether to decide again at once."""
        sweep = record.spec
        outcomes = self._outcomes_of(record, sweep).look([entry.job for entry in record.entries])
        again = False
        for action in decide(sweep, record.entries, outcomes, workers):
            if isinstance(action, End):
                self._ledger.end_sweep(sweep.name, "ended", action.why, record)
            elif isinstance(action, Cancel):
                self._cancel(action)
            else:
                added, reused = self._ask(sweep, action, record.created)
                if added != "added":  # somebody else advances it too: what was decided is out of date
                    return added == "taken"
                again |= reused
        return again

    def _cancel(self, action: Cancel) -> None:
        try:
            self._ledger.cancel(action.job, STOPPED + action.why)
        except InvalidInput as error:  # Redis no longer knows it
            log.debug("%s", error)

    def _ask(self, sweep: SweepSpec, ask: Ask, began: int) -> tuple[Added, bool]:
        """Submit a job, or take over one that equals it; whether it was added, and whether it is reused."""
        spec = trial_spec(sweep, ask)
        equal = None if sweep.fresh else self._find_equal(spec)
        entry = entry_of(ask, equal or new_job_id(), reused=equal is not None)
        if equal is not None:
            return self._ledger.add_reused(sweep.name, entry, began), True
        return self._ledger.submit_trial(sweep.name, entry, spec, ask.continues, began=began), False

    def _outcomes_of(self, record: SweepRecord, sweep: SweepSpec) -> Outcomes:
        """What is known of its jobs; all is read anew where it is another sweep of the same name."""
        key = f"{record.created} {sweep.model} {sweep.metric.name}"
        known, outcomes = self._outcomes.get(sweep.name, ("", None))
        if outcomes is None or known != key:
            outcomes = Outcomes(self._ledger, self._results, sweep.model, sweep.metric.name)
            self._outcomes[sweep.name] = key, outcomes
        return outcomes


def entry_of(ask: Ask, job: str, *, reused: bool = False) -> Entry:
    """The entry of the job that a sweep asks for.

    Args:
        ask: what it asks for.
        job: the job's id.
        reused: whether the job had succeeded before.
    """
    shared = {each.name: getattr(ask, each.name) for each in fields(Entry) if hasattr(ask, each.name)}
    return Entry(**shared, job=job, reused=reused)
