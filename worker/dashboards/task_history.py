"""What Flower has learned of tasks, kept over a restart: Celery's events, a line of JSON each.

Flower gets them again when it starts. Its own database would be a pickle, and is written only when Flower
ends in good order.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from flower.events import Events, EventsState

from jobs.store.regular_files import read_regular

log = logging.getLogger(__name__)

MOST_EVENTS = 20_000
"""Events in each of two files; a task has three."""

MOST_TASKS = 2 * MOST_EVENTS // 3
"""That Flower remembers."""

_MOST_BYTES = 2 * MOST_EVENTS * 2_048
_WORKERS = ("worker-online", "worker-offline")
"""The events of workers that are kept; the others say every two seconds that a worker is alive."""


class TaskHistory:
    """The files: `tasks.jsonl` is written, and is renamed `tasks.1.jsonl` once it is full."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet.

        Args:
            folder: in which the files are, or will be.

        Raises:
            OSError: it cannot be written to.
        """
        self._current, self._earlier = folder / "tasks.jsonl", folder / "tasks.1.jsonl"
        self._lines = sum(1 for _ in self._read(self._current))
        self._file = self._open()
        self._failed = False

    def events(self) -> Iterator[dict[str, Any]]:
        """All that are kept, oldest first; a line that is none, as a crash leaves one, is skipped."""
        yield from self._read(self._earlier)
        yield from self._read(self._current)

    def add(self, event: dict[str, Any]) -> None:
        """Keep an event; a volume that takes none is logged once.

        Args:
            event: as Celery sent it.
        """
        if not event["type"].startswith("task-") and event["type"] not in _WORKERS:
            return
        try:
            if self._lines >= MOST_EVENTS:
                self._file.close()
                with suppress(FileNotFoundError):  # somebody deleted it, or the next file could not be made
                    self._current.replace(self._earlier)
                self._file, self._lines = self._open(), 0
            # A line of its own, whatever a crash left of the one before.
            self._file.write(b"\n" + json.dumps(event).encode())
            self._lines, self._failed = self._lines + 1, False
        except (OSError, ValueError) as error:  # a closed file, too
            if not self._failed:
                log.warning("the history of tasks is not kept: %s", error)
            self._failed = True

    def close(self) -> None:
        """Keep no more events."""
        self._failed = True  # which is not worth a line in the log any more
        self._file.close()

    def _open(self) -> IO[bytes]:
        return self._current.open("ab", buffering=0)

    @staticmethod
    def _read(path: Path) -> Iterator[dict[str, Any]]:
        try:
            lines = read_regular(path, _MOST_BYTES).splitlines()
        except OSError:
            return
        for line in lines:
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict) and {"type", "hostname", "timestamp", "clock"} <= event.keys():
                yield event


class KeptEvents(Events):  # type: ignore[misc] # Flower has no types
    """Flower's receiver of events, which keeps them."""

    def __init__(self, *arguments: Any, history: TaskHistory, **options: Any) -> None:
        """Tell Flower what is kept.

        Args:
            arguments: of Flower.
            history: keeps the events.
            options: of Flower.
        """
        self._history = history
        super().__init__(*arguments, **{**options, "persistent": True})

    def load_state(self) -> EventsState:
        """What Flower knew when it ended."""
        state = EventsState(max_tasks_in_memory=MOST_TASKS)
        for event in self._history.events():
            try:
                state.event(event)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):  # something else
                log.debug("an event of the history was not understood", exc_info=True)
        return state

    def save_state(self) -> None:
        """Each event was kept when it came; Flower ends now."""
        self._history.close()

    def on_event(self, event: dict[str, Any]) -> None:
        """Keep an event, and have Flower show it."""
        self._history.add(event)
        super().on_event(event)
