"""Tells a text that is one passage over and over, such as one line that was copied many times."""

from typing import NamedTuple

import numpy as np

from worker.tasks.textgen.vocabulary import Codes

LONGEST_PASSAGE = 1_000_000
"""Characters; what repeats itself later is not looked for."""

_COMPARED = 200
_BLOCK = 1 << 20


class Repetition(NamedTuple):
    """What a text consists of.

    Attributes:
        characters: of the passage.
        times: how often it is there, the last time perhaps not to its end.
    """

    characters: int
    times: int

    def warning(self, name: str) -> str:
        """A sentence about the text that a model is trained on.

        Args:
            name: of the text.
        """
        return (
            f"{name} is the same {self.characters:,} characters {self.times:,} times over: a model learns to "
            "repeat them, and its numbers say nothing about other text."
        )


def repetition_of(codes: Codes) -> Repetition | None:
    """The passage that a text repeats from its beginning to its end; None if it does not, or only in part.

    Args:
        codes: of the text, (characters,).
    """
    beginning = codes[:_COMPARED].tobytes()
    searched = codes[: LONGEST_PASSAGE + _COMPARED].tobytes()
    at = searched.find(beginning, 1)
    while at > 0 and at % codes.itemsize:  # within a code
        at = searched.find(beginning, at + 1)
    length = at // codes.itemsize
    if at < 0 or 2 * length > len(codes) or not _repeats(codes, length):
        return None
    return Repetition(length, -(-len(codes) // length))


def _repeats(codes: Codes, length: int) -> bool:
    first, again = codes[:-length], codes[length:]
    places = range(0, len(again), _BLOCK)
    return all(np.array_equal(first[at : at + _BLOCK], again[at : at + _BLOCK]) for at in places)
