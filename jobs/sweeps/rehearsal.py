"""Finds out which jobs a sweep would reuse: what it decides is carried out with jobs that are there, and
nothing is queued.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from jobs.sweeps.actions import Ask
from jobs.sweeps.advance import FindEqual, entry_of
from jobs.sweeps.decide import decide
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.points import RANDOM_STARTS
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.sweeps.trial_spec import trial_spec

Look = Callable[[Sequence[str]], Mapping[str, Outcome]]
"""What became of jobs that succeeded: id -> outcome."""


@dataclass(frozen=True)
class Rehearsal:
    """What a sweep would have once it has reused all that it can.

    Attributes:
        entries: those that it has by now, those that would reuse a job, and the first ones to run.
        outcomes: each job's id -> what became of it; one that is still to run counts as queued.
        reused: how many jobs would be reused.
    """

    entries: Sequence[Entry] = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    reused: int = 0

    def ended(self, *, rung: int | None = None, then: int | None = None) -> int:
        """How many jobs have ended: of trials at a rung, or of those that follow trials as `then`."""
        kind = [each for each in self.entries if each.then == then and rung in (None, each.rung)]
        return sum(self._has_ended(each) for each in kind)

    @property
    def to_run(self) -> list[Entry]:
        """The trials' first jobs that are known and have not ended."""
        firsts = [each for each in self.entries if each.then is None and each.rung == 0]
        return [each for each in firsts if not self._has_ended(each)]

    def _has_ended(self, entry: Entry) -> bool:
        outcome = self.outcomes.get(entry.job)
        return outcome is not None and outcome.ended


def rehearse(
    sweep: SweepSpec,
    find_equal: FindEqual,
    look: Look,
    entries: Sequence[Entry] = (),
    outcomes: Mapping[str, Outcome] = MappingProxyType({}),
) -> Rehearsal:
    """Which jobs a sweep would reuse.

    Args:
        sweep: its description.
        find_equal: finds a job that can be used in place of a new one.
        look: what became of those that were found.
        entries: the jobs that it has by now.
        outcomes: what became of these.

    Raises:
        InvalidJob, InvalidModel: as `trial_spec` does.
    """
    known, found, reused = dict(outcomes), list(entries), 0
    at_once = sweep.model_copy(update={"parallel": _all_that_is_known(sweep)})
    while True:
        before, new = reused, []
        for number, ask in enumerate(_asked(at_once, found, known), start=len(found)):
            equal = None if sweep.fresh else find_equal(trial_spec(sweep, ask))
            entry = entry_of(ask, equal or f"new {number}", reused=equal is not None)
            known[entry.job] = Outcome("queued")
            new.append(entry)
            reused += equal is not None
        known.update(look([each.job for each in new if each.reused]))
        found += new
        if reused == before:
            return Rehearsal(found, known, reused)


def _asked(sweep: SweepSpec, entries: Sequence[Entry], outcomes: Mapping[str, Outcome]) -> list[Ask]:
    try:
        actions = decide(sweep, entries, outcomes, workers=1)
    except ImportError:  # Sobol points need SciPy, and a search Optuna: a client need not have them
        return []
    return [each for each in actions if isinstance(each, Ask)]


def _all_that_is_known(sweep: SweepSpec) -> int:
    """How many trials are known before any has ended; a search asks for the others as results come in."""
    points = sweep.point_limit()
    return (min(points, RANDOM_STARTS) if sweep.method == "tpe" else points) * len(sweep.seeds)
