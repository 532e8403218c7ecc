"""A job's own log: what this process says while it does the job, in a file in the job's folder."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker import finishing, indexing

LOG_END_LINES = 40
"""Of a log, shown where a job failed."""


def log_end(path: Path) -> str | None:
    """The last lines of a log, if there is one."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return "\n".join(lines[-LOG_END_LINES:])


class _JobLog(logging.FileHandler):
    """A log that finds no room on its volume is no reason to fail a job, nor to fill the worker's own log."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # it cannot be opened
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """It cannot be written."""

    def close(self) -> None:
        with contextlib.suppress(OSError):  # what is left cannot be written
            super().close()


@contextmanager
def log_into(path: Path) -> Iterator[None]:
    """Copy this process' log into the job's folder, without what the job before says at its end."""
    handler = _JobLog(path, encoding="utf-8", delay=True)
    at_its_end = threading.current_thread().name == finishing.NAME
    before = (finishing.NAME, indexing.NAME)
    handler.addFilter(lambda record: (record.threadName in before) == at_its_end)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
