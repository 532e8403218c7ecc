"""Writes down what a search had been told when it asked for a point, in few characters.

`0-5@0 6,8@1 7@0!` says: of points 0 to 5 the result of rung 0, of 6 and 8 that of rung 1, of 7 that it
failed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Seen:
    """What a search was told of a point.

    Attributes:
        rung: how far it had come: the result is that of this rung.
        failed: whether it was told that the point failed.
        number: the point's.
    """

    rung: int
    failed: bool
    number: int


def write_seen(seen: Collection[Seen]) -> str:
    """What was told of some points, as text."""
    groups: dict[tuple[int, bool], list[int]] = {}
    for each in sorted(seen):
        groups.setdefault((each.rung, each.failed), []).append(each.number)
    return " ".join(
        f"{','.join(_ranges(numbers))}@{rung}{'!' if failed else ''}"
        for (rung, failed), numbers in groups.items()
    )


def read_seen(text: str) -> list[Seen]:
    """What `write_seen` wrote, in the order of the points' numbers.

    Raises:
        ValueError: it is no such text.
    """
    seen = []
    for group in text.split():
        ranges, _, end = group.partition("@")
        for each in ranges.split(","):
            first, _, last = each.partition("-")
            numbers = range(int(first), int(last or first) + 1)
            seen += [Seen(int(end.rstrip("!")), end.endswith("!"), number) for number in numbers]
    return sorted(seen, key=lambda each: each.number)


def _ranges(numbers: Iterable[int]) -> list[str]:
    """Ascending numbers as `3` and `5-9`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return [f"{first}" if first == last else f"{first}-{last}" for first, last in ranges]
