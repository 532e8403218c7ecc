"""A sweep as a client sees it."""

import json
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jobs.errors import InvalidInput, JobConflict, RedisUnreachable
from jobs.job import Job, iso
from jobs.ledger.job_record import STATES
from jobs.ledger.sweep_record import SweepRecord, SweepState
from jobs.sweeps.data_read import different_data
from jobs.sweeps.deleted_trials import run_deleted
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.extension import extended
from jobs.sweeps.followed_sweep import FollowedSweep
from jobs.sweeps.outcomes import Outcomes
from jobs.sweeps.scores import Score, best_point, scores
from jobs.sweeps.sweep_folder import delete_sweep
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.sweeps.trial import Trial
from jobs.wording import counted

if TYPE_CHECKING:
    from jobs.client import Client

STOPPED_WITH_SWEEP = "its sweep was stopped"
"""Why a job was cancelled that a person stopped with its sweep; it is queued again when the sweep goes on."""

LOST = "Redis has lost it; `quartet rebuild` restores it"
"""Why a sweep does not go on that runs by its file, and that Redis does not know."""


class Sweep(FollowedSweep):
    """One sweep as it was at the last look: by `Client.find_sweep`, `refresh`, `wait` or iteration.

    Iterating yields each trial's job as it ends, and ends with the sweep.
    """

    def __init__(self, client: "Client", record: SweepRecord, *, lost: bool = False) -> None:
        """A sweep by its record, which was read a moment ago.

        Args:
            client: reads it again.
            record: from Redis, or from its file.
            lost: whether it ran, and Redis has lost it.
        """
        self._client, self._record, self._lost = client, record, lost
        self._outcomes: Outcomes | None = None

    def __repr__(self) -> str:
        kind = self.problem or f"{self.spec.model} {self.spec.action}"
        trials = {entry.trial for entry in self.entries}
        return f"<Sweep {self.name}: {kind}, {self.state}, {counted(len(trials), 'trial')}>"

    def _repr_html_(self) -> str:
        from jobs.notebook.sweep_card import sweep_card

        return sweep_card(self, self._client.results)

    @property
    def name(self) -> str:
        """By which it is found."""
        return self._record.name

    @property
    def state(self) -> SweepState:
        """`running`, `stopped` or `ended`."""
        return self._record.state

    @property
    def why(self) -> str:
        """Why it was stopped or ended, or why it does not go on; else empty."""
        return LOST if self._lost else self._record.why

    @property
    def created(self) -> str:
        """When it began: ISO 8601 in UTC."""
        return iso(self._record.created)

    @property
    def ended(self) -> str | None:
        """When it ended or was stopped, None while it runs."""
        return None if self._record.ended is None else iso(self._record.ended)

    @cached_property
    def spec(self) -> SweepSpec:
        """Its description.

        Raises:
            InvalidInput: this version does not understand it.
        """
        return self._record.spec

    @property
    def problem(self) -> str | None:
        """Why this version does not understand its description, None if it does."""
        try:
            _ = self.spec
        except InvalidInput as error:
            return error.explanation
        return None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its jobs, those that follow trials as well, in the order of the trials."""
        return self._record.entries

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """Each job's id -> what became of it.

        Raises:
            RedisUnreachable: it has not ended, and Redis cannot be reached.
            DamagedFolder: a folder is not there, though the job has published it.
        """
        if self._outcomes is None:
            spec, client = self.spec, self._client
            self._outcomes = Outcomes(client.ledger, client.results, spec.model, spec.metric.name)
        ids = [entry.job for entry in self.entries]
        try:
            found = self._outcomes.look(ids)
        except RedisUnreachable:
            if self.state == "running":
                raise
            return self._outcomes.look(ids, without_redis=True)
        if self._lost:  # so are its jobs without a folder, which nobody has deleted
            found = {job: Outcome("waiting") if each.state == "gone" else each for job, each in found.items()}
        return found

    @property
    def jobs(self) -> list[Trial]:
        """The jobs of all trials, in the order of trials and rungs, without those that follow trials."""
        return [Trial.of(each, self.outcomes[each.job]) for each in self.entries if each.then is None]

    @property
    def trials(self) -> list[Trial]:
        """Its trials in their order, each with its latest job."""
        return list({each.trial: each for each in self.jobs}.values())

    @property
    def following(self) -> list[Trial]:
        """The jobs that follow trials, in the order of these."""
        return [Trial.of(each, self.outcomes[each.job]) for each in self.entries if each.then is not None]

    @property
    def scores(self) -> list[Score]:
        """Its points with what they came to, the best first."""
        return scores(self.spec, self.entries, self.outcomes)

    @property
    def warning(self) -> str | None:
        """Why its numbers cannot be compared: its trials read different data. None where they can."""
        return different_data(self.spec, self.entries, self.outcomes)

    @property
    def best(self) -> Trial | None:
        """The best trial of the best point that ran whole; None while there is none, or with a `warning`."""
        best = None if self.warning else best_point(self.scores)
        return next((each for each in self.trials if best and each.trial == best.best_trial), None)

    @property
    def counts(self) -> dict[str, int]:
        """How many trials are in each state, for the states that some are in."""
        found = Counter(each.state for each in self.trials)
        return {state: found[state] for state in (*STATES, "gone") if found[state]}

    def refresh(self) -> "Sweep":
        """Look at it again; it is returned.

        Raises:
            InvalidInput: there is no such sweep any more, or its record cannot be read.
            RedisUnreachable: Redis cannot be reached.
        """
        found = self._client.find_sweep(self.name)
        self._record, self._lost = found._record, found._lost
        for cached in ("spec", "outcomes"):
            self.__dict__.pop(cached, None)
        return self

    def stop(self, *, keep_running: bool = False) -> "Sweep":
        """Ask for nothing more, and cancel its unfinished jobs, whose checkpoints are kept.

        Args:
            keep_running: leave those that run or are queued; they end as they would.

        Raises:
            JobConflict: it does not run, or Redis has lost it.
            RedisUnreachable: Redis cannot be reached.
        """
        self._client.check_known(self.name)
        before = self._client.ledger.end_sweep(self.name, "stopped", "a person stopped it")
        if before != "running":
            raise JobConflict(
                "sweep",
                expected="one that runs",
                given=f"{self.name}, which {'was stopped' if before == 'stopped' else 'has ended'}",
            )
        self.refresh()
        for entry in self.entries if not keep_running else ():
            if not self.outcomes[entry.job].ended:
                self._client.ledger.cancel(entry.job, STOPPED_WITH_SWEEP)
        return self.refresh()

    def extend(self, run_cap: int | str) -> "Sweep":
        """Go on with more trials, also where it has ended.

        Args:
            run_cap: the new most trials, or `"+10"` for that many more.

        Raises:
            InvalidInput: it is no such number, or gives no trial more than before.
            RedisUnreachable: Redis cannot be reached.
        """
        return self._client.create_sweep(extended(self.spec, run_cap))

    def retry(self) -> list[Job]:
        """Queue its failed and deleted trials again, and those that were cancelled when it was stopped.

        The new jobs take the places of those before, which they continue unless these were deleted. The
        sweep goes on.

        Returns:
            The new jobs.

        Raises:
            JobConflict: it ran when Redis lost its data, and was not restored.
            RedisUnreachable: Redis cannot be reached; some may have been queued.
        """
        self._client.check_known(self.name)
        jobs = self._queue_again(lambda outcome: outcome.state == "failed" or _stopped_with_sweep(outcome))
        self.refresh()
        deleted = run_deleted(self._client.ledger, self.spec, self.entries, self.outcomes)
        jobs += [self._client.job(job_id) for job_id in deleted]
        if jobs and self.refresh().state != "running":  # last: as long as it is stopped, nothing is decided
            self._client.go_on(self.name)
        self.refresh()
        return jobs

    def queue_stopped(self) -> None:
        """Queue again what was cancelled when it was stopped; it stays stopped."""
        self._queue_again(_stopped_with_sweep)

    def _queue_again(self, wanted: Callable[[Outcome], bool]) -> list[Job]:
        self._outcomes = None  # what had ended may have been deleted
        self.refresh()
        ids = [each.job for each in self.entries if wanted(self.outcomes[each.job])]
        return [each.job for each in self._client.retries(ids) if each.job is not None] if ids else []

    def delete(self) -> None:
        """Forget it and delete its folder, so that its name is free; its jobs stay.

        Raises:
            JobConflict: it runs, or Redis has lost it.
            DamagedFolder: its folder cannot be deleted.
            RedisUnreachable: Redis cannot be reached.
        """
        self._client.check_known(self.name)
        if self.refresh().state == "running" or not self._client.ledger.delete_sweep(self.name):
            raise JobConflict(
                "sweep",
                expected="one that does not run",
                given=self.name,
                hint=f"`quartet sweeps stop {self.name}` stops it",
            )
        delete_sweep(self._client.results, self.name)

    def summary(self) -> dict[str, Any]:
        """What it is and how far, as values for JSON; no job is looked at."""
        return {
            "name": self.name,
            "state": self.state,
            "why": self.why,
            "created": self.created,
            "ended": self.ended,
            "spec": json.loads(self._record.described),
            "jobs": len(self.entries),
        }

    def as_dict(self) -> dict[str, Any]:
        """All that is known of it as values for JSON."""
        best = self.best
        return self.summary() | {
            "warning": self.warning,
            "counts": self.counts,
            "best": best.as_dict() if best is not None else None,
            "points": [_score_dict(each) for each in self.scores],
            "trials": [each.as_dict() for each in self.trials],
            "following": [each.as_dict() for each in self.following],
        }


def _stopped_with_sweep(outcome: Outcome) -> bool:
    return outcome.state == "cancelled" and outcome.error == STOPPED_WITH_SWEEP


def _score_dict(score: Score) -> dict[str, Any]:
    return {**score.__dict__, "point": dict(score.point)}
