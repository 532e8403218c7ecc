"""Says when the trials of a sweep read different data: its numbers then measure different things, and none of
its trials is the best.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.wording import alternatives, counted

NONE_IS_BEST = "the data changed meanwhile, so none is the best"
"""How the end of such a sweep is explained."""

CHECKSUM_DIGITS = 8
MOST_NAMED = 3
"""Different data that the sentence names."""


def different_data(sweep: SweepSpec, entries: Sequence[Entry], outcomes: Mapping[str, Outcome]) -> str | None:
    """A sentence where trials read different data by SHA-256, though the sweep varies none; else None.

    Args:
        sweep: its description.
        entries: its jobs.
        outcomes: what became of them. Those count that succeeded; of a trial, the latest job.
    """
    if "data" in sweep.varied:
        return None
    trials = [entry for entry in entries if entry.then is None]
    latest = {entry.trial: entry.job for entry in sorted(trials, key=lambda entry: entry.rung)}
    names: dict[tuple[str, ...], str] = {}
    counts: Counter[tuple[str, ...]] = Counter()
    for job in latest.values():
        outcome = outcomes.get(job)
        data = outcome.data if outcome is not None and outcome.state == "succeeded" else {}
        if data and all(data.values()):
            checksums = tuple(sorted(data.values()))
            names.setdefault(checksums, _named(data))
            counts[checksums] += 1
    if len(counts) < 2:
        return None
    found = [f"{names[each]} in {counted(count, 'job')}" for each, count in counts.most_common()]
    more = [f"{len(found) - MOST_NAMED:,} others"] if len(found) > MOST_NAMED else []
    listed = alternatives([*found[:MOST_NAMED], *more], last="and")
    return f"the data changed: {listed}; their numbers cannot be compared directly"


def _named(data: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({sha256[:CHECKSUM_DIGITS]})" for name, sha256 in data.items())
