"""What differs between jobs, and what of that makes their numbers hard to compare."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from jobs.comparison.run import Run, frozen
from jobs.wording import alternatives, counted, first_few

MOST_NAMED = 4
"""Things that a sentence names of many."""

CHECKSUM_DIGITS = 8
LONGEST = 120
"""Characters of a thing that a sentence names."""


def differing(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the values that are not the same in all jobs that have them, in their order.

    Args:
        rows: of each job; those of another kind have other names.
    """
    found: dict[str, set[Hashable]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, set()).add(frozen(value))
    return [name for name, values in found.items() if len(values) > 1]


def caveats(runs: Sequence[Run], *, of_several_kinds: bool = False) -> list[str]:
    """One sentence for each thing that makes jobs hard to compare: their kinds, data, code and libraries.

    Args:
        runs: the jobs.
        of_several_kinds: whether it is plain that they are, and only those of one kind are compared.
    """
    kinds: dict[str, list[Run]] = {}
    for run in runs:
        if run.kind:
            kinds.setdefault(run.kind, []).append(run)
    found = [sentence for kind, group in kinds.items() for sentence in _of_one_kind(kind, group)]
    if len(kinds) < 2 or of_several_kinds:
        return found
    named = _listed([f"{kind} ({len(group):,})" for kind, group in kinds.items()])
    return [f"These are jobs of several kinds, compared by the numbers that all kinds have: {named}.", *found]


def _of_one_kind(kind: str, runs: Sequence[Run]) -> Iterator[str]:
    ended = [run for run in runs if run.succeeded]
    if found := _versions([_data(run) for run in ended]):
        yield f"These {kind} jobs read different data, so their numbers measure different things: {found}."
    if found := _versions([run.code[:CHECKSUM_DIGITS] for run in ended]):
        yield f"These {kind} jobs were run by different versions of the model's code: {found}."
    for library in dict.fromkeys(name for run in ended for name in run.libraries):
        if found := _versions([run.libraries.get(library, "") for run in ended]):
            yield f"These {kind} jobs used different versions of {library}: {found}."


def same_data(runs: Sequence[Run]) -> bool:
    """Whether those jobs of each kind that have succeeded read the same data, as far as is known."""
    read = {(run.kind, _data(run)) for run in runs if run.succeeded and _data(run)}
    return len(read) == len({kind for kind, _ in read})


def _data(run: Run) -> str:
    """What it read, in words: the names with the beginnings of their SHA-256."""
    read = [
        f"{name} ({checksum[:CHECKSUM_DIGITS] or 'no SHA-256'})" for name, checksum in run.checksums.items()
    ]
    return alternatives(read, last="and") if read else run.data or ""


def _versions(texts: Sequence[str]) -> str:
    """`A in 12 jobs and B in 1 job`; empty where all that is known is the same."""
    counts = Counter(text for text in texts if text)
    if len(counts) < 2:
        return ""
    return _listed([f"{text[:LONGEST]} in {counted(count, 'job')}" for text, count in counts.most_common()])


def _listed(texts: Sequence[str]) -> str:
    return alternatives(first_few(texts, MOST_NAMED), last="and")
