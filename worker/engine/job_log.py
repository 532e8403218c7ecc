"""A job's own log: what this process logs while it does the job, in a file in the job's folder."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.engine import background

LOG_END_LINES = 40
"""Lines at the end of a log that a failed job's report shows."""

_HARMLESS = "triggered tf.function retracing"
"""So TensorFlow warns where jobs of different shapes each need functions of their own, as they should."""


def log_end(path: Path) -> str | None:
    """The last lines of a log; None where there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return "\n".join(lines[-LOG_END_LINES:])


class _JobLog(logging.FileHandler):
    """Drops lines that cannot be written: a full volume must neither fail a job nor flood the worker's."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # the file cannot be opened
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Drop a line that cannot be written."""

    def close(self) -> None:
        """Close the file and stop copying the log into it; a second call does nothing."""
        logging.getLogger().removeHandler(self)
        with contextlib.suppress(OSError):  # the buffer cannot be written
            super().close()


@contextmanager
def log_into(path: Path) -> Iterator[logging.Handler]:
    """Copy this process' log into a job's folder, for the length of the block.

    Two jobs may be under way at once: one that ends in the background, and the next. Each gets its own lines.

    Args:
        path: of the log, which is opened when the first line comes.

    Yields:
        What copies the log, which may be closed before the block ends.
    """
    handler = _JobLog(path, encoding="utf-8", delay=True)
    names = (background.FINISHING, background.INDEX)
    ends_a_job = threading.current_thread().name == background.FINISHING
    handler.addFilter(lambda record: (record.threadName in names) == ends_a_job)
    handler.addFilter(lambda record: _HARMLESS not in str(record.msg))
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield handler
    finally:
        handler.close()
