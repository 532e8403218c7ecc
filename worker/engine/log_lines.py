"""How a worker writes its log: one line an event, for people or as JSON, with the job that the line is about.

All loggers of the worker's processes end here, Celery's too, and what is printed. A job is known by the
thread: two may be under way at once, one that ends in the background and the next.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

from jobs.claim import Claim
from jobs.escape_control import escape_control, escape_line
from jobs.ids import is_job_id
from jobs.secrets import hide_in_logs
from jobs.settings import Settings
from worker.engine import background
from worker.engine.stray_lines import collect_stray_lines

NAME_VARIABLE = "QUARTET_WORKER_NAME"
"""Tells the pool's process the name of its worker."""

_stream: IO[str] | None = sys.__stderr__
"""Where this process writes its log."""

_claims: dict[bool, Claim] = {}
"""Whether a job ends in the background -> what this process holds of it."""


@contextmanager
def lines_about(claim: Claim) -> Iterator[None]:
    """Have this thread's lines, and those of the threads beside it, say which job they are about.

    Args:
        claim: what this process holds.
    """
    ends = _ends_a_job(threading.current_thread().name)
    _claims[ends] = claim
    try:
        yield
    finally:
        if _claims.get(ends) is claim:
            del _claims[ends]


def set_up_logs(settings: Settings, worker: str = "") -> None:
    """Write all that this process logs to standard error, in the form of the setting `log_format`.

    Args:
        settings: of this worker.
        worker: its name; without it, the name that its main process was given.
    """
    global _stream
    hide_in_logs()
    as_json = settings.log_format == "json"
    if worker:
        os.environ[NAME_VARIABLE] = worker
        _stream = collect_stray_lines() if as_json else sys.__stderr__
    handler = logging.StreamHandler(_stream)
    handler.setFormatter(JsonLines() if as_json else TextLines())
    logging.captureWarnings(True)
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in ("celery", "celery.task", "celery.redirected", "multiprocessing"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("multiprocessing").setLevel(logging.ERROR)


class TextLines(logging.Formatter):
    """Lines for people; a traceback follows indented, so that no line of it looks like an event."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as text."""
        time = datetime.fromtimestamp(record.created).isoformat(" ", "milliseconds")
        job, attempt = _job_of(record)
        about = f" job {job}" + (f", attempt {attempt}" if attempt else "") + ":" if job else ""
        head = f"[{time}: {record.levelname}/{record.processName}]{about} {escape_line(record.getMessage())}"
        lines = [head, *_traceback(self, record).splitlines()]
        return "\n    ".join(lines)


class JsonLines(logging.Formatter):
    """Lines for programs: each is an object with `time`, `level`, `logger` and `message`.

    `worker`, `process`, `job`, `attempt` and `exception` are there where they are known.
    """

    def format(self, record: logging.LogRecord) -> str:
        """A record as JSON."""
        job, attempt = _job_of(record)
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        about: dict[str, Any] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "worker": os.environ.get(NAME_VARIABLE),
            "process": record.process,
            "job": job,
            "attempt": attempt,
            "exception": _traceback(self, record) or None,
        }
        return json.dumps({name: value for name, value in about.items() if value is not None})


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The traceback and the stack of a record, empty for most."""
    if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
        record.exc_text = formatter.formatException(record.exc_info)
    found = [record.exc_text, record.stack_info]
    return "\n".join(escape_control(part) for part in found if part)


def _job_of(record: logging.LogRecord) -> tuple[str | None, int | None]:
    """The job that a record is about and its attempt, as far as they are known."""
    claim = _claims.get(_ends_a_job(record.threadName or ""))
    if claim is not None:
        return claim.job_id, claim.attempt
    task = getattr(record, "data", None)  # so Celery says which task it received
    job_id = task.get("id") if isinstance(task, dict) else None
    return (job_id, None) if isinstance(job_id, str) and is_job_id(job_id) else (None, None)


def _ends_a_job(thread: str) -> bool:
    return thread in (background.FINISHING, background.INDEX)
