"""Which jobs a list shows, and in which order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from jobs.errors import InvalidInput, InvalidModel
from jobs.job import Job
from jobs.ledger.job_record import ENDED, STATES, State
from jobs.models import import_part, model_names
from jobs.moments import since
from jobs.parameters import ACTIONS
from jobs.store.history_row import Row
from jobs.tags import TAG_IN_WORDS, is_tag
from jobs.wording import shown


@dataclass(frozen=True)
class Wanted:
    """Which jobs a list shows; a field that is None accepts all.

    Attributes:
        state: their state.
        model: their model's name.
        action: what they do.
        name: a part of their name, or a pattern for all of it where it has `*`, `?` or `[`; upper and lower
            case are the same.
        since: when they were submitted at the earliest.
        sweep: the name of their sweep.
        tags: those that they all have; none accepts all.
    """

    state: State | None = None
    model: str | None = None
    action: str | None = None
    name: str | None = None
    since: datetime | None = None
    sweep: str | None = None
    tags: frozenset[str] = frozenset()

    @classmethod
    def make(
        cls,
        state: str | None = None,
        model: str | None = None,
        action: str | None = None,
        name: str | None = None,
        since_text: str | None = None,
        sweep: str | None = None,
        tags: Iterable[str] = (),
    ) -> "Wanted":
        """Read what a person gave.

        Raises:
            InvalidInput: there is no such state or action, a text or a tag is none, or `since` is no moment.
        """
        for field, given in (("model", model), ("action", action), ("name", name), ("sweep", sweep)):
            if not isinstance(given, str | None) or given == "":
                raise InvalidInput(field, expected="a text, or None", given=shown(given))
        if state is not None and state not in STATES:
            raise InvalidInput.unknown("state", state, STATES)
        moment = None if since_text is None else since(since_text)
        known = next((each for each in STATES if each == state), None)
        wanted = [tags] if isinstance(tags, str) else list(tags)
        for tag in wanted:
            if not is_tag(tag):
                raise InvalidInput("tag", expected=TAG_IN_WORDS, given=shown(tag))
        return cls(known, model, action, name, moment, sweep, frozenset(wanted))

    @property
    def first_id(self) -> str:
        """The smallest id that a job may have which was submitted late enough."""
        if self.since is None:
            return ""
        digits = self.since.isoformat().replace("-", "").replace(":", "")
        return f"{digits[:8]}-{digits[9:15]}"

    def accepts(self, job: Job | Row) -> bool:
        """Whether a job is one of these."""
        return (
            self.state in (None, job.state)
            and self.model in (None, job.model)
            and self.action in (None, job.action)
            and self.sweep in (None, job.sweep)
            and job.id >= self.first_id
            and self.tags.issubset(job.tags)
            and (self.name is None or _is_named(job.name or "", self.name))
        )

    def check_known(self) -> None:
        """Refuse a model or an action that this installation does not have; of use where nothing was found.

        Raises:
            InvalidInput: it has none of that name.
        """
        for field, given, known in (("model", self.model, model_names()), ("action", self.action, ACTIONS)):
            if given is not None and given not in known:
                raise InvalidInput.unknown(field, given, known)


MOST_NAMED = 12
"""Numbers that the refusal of another one lists."""

ANY = Wanted()
"""All jobs."""


def _is_named(name: str, wanted: str) -> bool:
    name, wanted = name.lower(), wanted.lower()
    return fnmatchcase(name, wanted) if set("*?[") & set(wanted) else wanted in name


def best_first(jobs: Sequence[Job | Row], metric: str) -> list[Job | Row]:
    """Jobs by one of their numbers, the best first; then those without it, last those that have not ended.

    Which direction is better, the models say; where none says so, the largest number comes first.

    Args:
        jobs: newest first.
        metric: a key of `metrics.json`.

    Raises:
        InvalidInput: none of the jobs has such a number.
    """
    with_it = [job for job in jobs if metric in job.metrics]
    names = {name for job in jobs for name in job.metrics}
    if not with_it and names:
        raise _no_such_number(metric, sorted(names))
    directions = {_better(model, metric) for model in sorted({job.model for job in with_it})}
    with_it.sort(key=lambda job: job.metrics[metric], reverse="lower" not in directions)
    without = [job for job in jobs if metric not in job.metrics]
    return [
        *with_it,
        *(job for job in without if job.state in ENDED),
        *(job for job in without if job.state not in ENDED),
    ]


def _no_such_number(metric: str, names: list[str]) -> InvalidInput:
    error = InvalidInput.unknown("sort", metric, names)
    if len(names) <= MOST_NAMED:
        return error
    hint = error.hint or "`quartet list --json` shows them as `metrics`"
    return InvalidInput(
        "sort", expected="a number that one of these jobs has", given=shown(metric), hint=hint
    )


def _better(model: str, metric: str) -> Literal["lower", "higher"] | None:
    """Which direction of a number a model calls an improvement, None where it does not say."""
    try:
        metrics = import_part(model, "metrics").METRICS
        better: Literal["lower", "higher"] | None
        better = next(each.better for each in metrics if each.name == metric)
    except (InvalidModel, KeyError, AttributeError, TypeError, StopIteration):  # of another installation
        return None
    return better
