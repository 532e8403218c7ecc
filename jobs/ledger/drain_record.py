"""What a worker was asked that is to be drained, as it stands in Redis."""

import json
from dataclasses import asdict, dataclass

KEPT_SECONDS = 86_400.0
"""How long it stands there: a worker hears of it within seconds, and then remembers it itself."""


@dataclass(frozen=True)
class DrainRecord:
    """A request to one process of a worker; the next process of that name is not concerned.

    Attributes:
        start: identifies the process, as its announcement does: its id, a dash, and what no other has.
        hand_back: whether its job goes back to the queue, instead of to its end.
        stopped: whether the process has done so and ends.
    """

    start: str
    hand_back: bool = False
    stopped: bool = False

    @property
    def process(self) -> int | None:
        """The process' id on its own machine."""
        number = self.start.partition("-")[0]
        return int(number) if number.isascii() and number.isdecimal() and len(number) < 12 else None

    def to_json(self) -> str:
        """The text for Redis."""
        return json.dumps(asdict(self))


def read_drain(text: str | None) -> DrainRecord | None:
    """Read what stands in Redis; None for nothing, and for what somebody else wrote there."""
    try:
        found = json.loads(text or "null")
        start, hand_back, stopped = (found[name] for name in ("start", "hand_back", "stopped"))
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    if not (isinstance(start, str) and isinstance(hand_back, bool) and isinstance(stopped, bool)):
        return None
    return DrainRecord(start, hand_back, stopped)
