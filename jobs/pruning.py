"""Which ended jobs `prune` deletes, and why the others stay."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from jobs.deleting import delete_all, end_what_was_begun, used_by
from jobs.errors import InvalidInput, InvalidModel
from jobs.finding.job_list import UNFINISHED, in_results
from jobs.finding.known_jobs import KnownJobs
from jobs.finding.wanted import ANY, Wanted
from jobs.moments import SINCE, since
from jobs.needed import Needed
from jobs.store.history_row import Row
from jobs.sweeps.goals import metrics_of
from jobs.sweeps.sweep_spec import Goal
from jobs.wording import shown

YOUNGER = "ended later"
OTHER = "not asked for"
DAMAGED = "cannot be read"
UNFINISHED_STILL = "not ended"
TAGGED = "tagged"
BEST = "among the best"
NEEDED = "needed by an unfinished job or sweep"
USED = "used by a job that stays"
REASONS = (YOUNGER, OTHER, DAMAGED, UNFINISHED_STILL, TAGGED, BEST, NEEDED, USED)
"""Why jobs stay, in this order: the first one that holds is shown."""

GoalOf = Callable[[str], Goal | None]
"""Takes the name of a sweep, and gives its metric; None where nobody knows it."""


@dataclass(frozen=True)
class Rules:
    """What a person wants gone.

    Attributes:
        before: jobs that ended earlier go.
        keep_tagged: whether those stay that have a tag.
        keep_best: how many of each kind stay, and of each sweep.
        wanted: only these jobs go.
    """

    before: datetime
    keep_tagged: bool = False
    keep_best: int = 0
    wanted: Wanted = ANY

    @classmethod
    def make(
        cls, older: str, keep_tagged: bool = False, keep_best: int | None = None, wanted: Wanted = ANY
    ) -> "Rules":
        """Read what a person gave.

        Raises:
            InvalidInput: `older` is no span and no date, or `keep_best` no count.
        """
        try:
            before = since(older)
        except InvalidInput:
            raise InvalidInput("older", expected=SINCE, given=shown(older)) from None
        best = 0 if keep_best is None else keep_best
        if not isinstance(best, int) or isinstance(best, bool) or best < 0:
            raise InvalidInput("keep_best", expected="an integer ≥ 0", given=shown(keep_best))
        return cls(before, bool(keep_tagged), best, wanted)


@dataclass(frozen=True)
class PrunedJob:
    """A job that goes.

    Attributes:
        what: its model and action.
        finished: ISO 8601 in UTC.
        bytes: what it takes in the store.
        error: why it was not deleted after all; None if it was, or is to be.
    """

    id: str
    what: str
    name: str | None
    state: str
    finished: str
    bytes: int
    error: str | None = None


@dataclass(frozen=True)
class Pruned:
    """What `prune` deleted, or would delete.

    Attributes:
        jobs: those that go, newest first.
        kept: how many stay, by the reason.
        dry_run: whether nothing was deleted.
    """

    jobs: Sequence[PrunedJob]
    kept: Mapping[str, int] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def bytes(self) -> int:
        """What those jobs take that were deleted, or are to be."""
        return sum(job.bytes for job in self.jobs if job.error is None)

    def as_dict(self) -> dict[str, Any]:
        """Its fields as values for JSON."""
        jobs = [asdict(job) for job in self.jobs]
        return {"dry_run": self.dry_run, "bytes": self.bytes, "jobs": jobs, "kept": dict(self.kept)}


def plan(known: KnownJobs, rules: Rules, goal_of: GoalOf, earlier: Pruned | None = None) -> Pruned:
    """What would be deleted now; nothing is, but what a command that was killed had begun to delete.

    Args:
        known: finds jobs.
        rules: what a person wants gone.
        goal_of: by what the trials of a sweep are ranked.
        earlier: what it returned before; no other jobs go.

    Raises:
        InvalidInput: nothing goes, and there is no such model.
        JobConflict: another process deletes for long.
        RedisUnreachable: Redis cannot be reached, so nobody knows which jobs are needed.
        StoreUnreachable: the object store does not answer.
        DamagedFolder: the results folder cannot be read.
    """
    with in_results(known.results):
        end_what_was_begun(known)
        rows = {row.id: row for row in known.history.rows()}
        stays = _stays(known, rows, rules, goal_of)
        among = rows.keys() if earlier is None else {job.id for job in earlier.jobs}
        going = [row for row in rows.values() if row.id in among and row.id not in stays]
        if not going:
            rules.wanted.check_known()
        sizes = known.results.bytes_of([row.id for row in going])
    jobs = [
        PrunedJob(row.id, row.kind, row.name, row.state, row.finished or "", size)
        for row, size in zip(going, sizes, strict=True)
    ]
    counts = Counter(stays.values())
    return Pruned(jobs, {reason: counts[reason] for reason in REASONS if counts[reason]}, dry_run=True)


def prune(known: KnownJobs, planned: Pruned) -> Pruned:
    """Delete what was planned; what has come to be needed meanwhile stays.

    A job is deleted before those that it used, so that a killed command leaves none without its source.

    Args:
        known: finds jobs.
        planned: as `plan` returned it.

    Raises:
        JobConflict: another process deletes for long.
        RedisUnreachable: Redis cannot be reached; some may have been deleted.
        StoreUnreachable: the object store does not answer; some may have been deleted.
        DamagedFolder: the results folder cannot be changed.
    """
    refused = dict(delete_all(known, [job.id for job in planned.jobs]))
    jobs = [
        replace(job, error=None if error is None else error.explanation)
        for job, error in zip(planned.jobs, refused.values(), strict=True)
    ]
    return Pruned(jobs, planned.kept)


def _stays(known: KnownJobs, rows: Mapping[str, Row], rules: Rules, goal_of: GoalOf) -> dict[str, str]:
    """The ids of the jobs that stay, each with the reason."""
    needs = Needed.of(known)
    needed = {*needs.by_job, *needs.by_sweep}
    unfinished = {each for state in UNFINISHED for each in known.ledger.ids(state)}
    best = _best(rows.values(), rules.keep_best, goal_of)
    stays = {
        row.id: reason for row in rows.values() if (reason := _why(row, rules, unfinished, best, needed))
    }
    pending = [*stays]
    while pending:
        row = rows[pending.pop()]
        new = [each for each in used_by(row) & rows.keys() if each not in stays]
        stays |= dict.fromkeys(new, USED)
        pending += new
    return stays


def _why(
    row: Row, rules: Rules, unfinished: Collection[str], best: Collection[str], needed: Collection[str]
) -> str | None:
    """Why a job stays, whatever the others do; None for one that may go."""
    if row.damaged or row.finished is None:
        return DAMAGED
    reasons = {
        YOUNGER: datetime.fromisoformat(row.finished) >= rules.before,
        OTHER: not rules.wanted.accepts(row),
        UNFINISHED_STILL: row.id in unfinished,
        TAGGED: rules.keep_tagged and bool(row.tags),
        BEST: row.id in best,
        NEEDED: row.id in needed,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _best(rows: Iterable[Row], most: int, goal_of: GoalOf) -> set[str]:
    """The best jobs that succeeded of each kind, and of each kind in each sweep."""
    groups: dict[tuple[str | None, str, str], list[Row]] = {}
    for row in rows if most else ():
        if row.state == "succeeded":
            groups.setdefault((row.sweep, row.model, row.action), []).append(row)
    found: set[str] = set()
    for (sweep, model, action), group in groups.items():
        of_sweep = goal_of(sweep) if sweep else None
        better = [(of_sweep.name, of_sweep.goal == "maximize")] if of_sweep else []
        better += _headlines(model) if action != "generate" else []
        for name, largest_first in better:
            measured = [row for row in group if name in row.metrics]
            if measured:
                measured.sort(key=lambda row: row.metrics[name], reverse=largest_first)
                found |= {row.id for row in measured[:most]}
                break
    return found


def _headlines(model: str) -> list[tuple[str, bool]]:
    """The numbers of a model of which one direction is better, the headline first, and whether more is."""
    try:
        return [(each.name, each.better == "higher") for each in metrics_of(model) if each.better]
    except (InvalidModel, KeyError, AttributeError):  # of another installation
        return []
