"""Makes an event of each line that a library writes past all loggers: a log of JSON holds nothing else.

TensorFlow's C++ code, the interpreter in its last moment and Celery's signal handlers write to standard error
themselves. The main process puts a pipe in its place before any other process starts, and reads it: so the
last words of a process that is killed arrive, too.
"""

import atexit
import json
import logging
import os
import re
import sys
import threading
from typing import IO

LONGEST_LINE = 65_536
"""In bytes; a longer line is cut into several."""

STRAY = logging.getLogger("stderr")

_LEVELS = {"I": logging.INFO, "W": logging.WARNING, "E": logging.ERROR, "F": logging.CRITICAL}
_ABSEIL = re.compile(r"([IWEF])\d{4} ")
"""How Google's libraries begin a line."""


def collect_stray_lines() -> IO[str]:
    """Log what this process and its children write to standard output and standard error from now on.

    A child's own events, which are JSON already, pass as they are.

    Returns:
        The standard error that was there, for this process' log.
    """
    real = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    reading, writing = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for descriptor in (1, 2):
        os.dup2(writing, descriptor)
    os.close(writing)
    thread = threading.Thread(target=_read, args=(reading, real), name="stray-lines", daemon=True)
    thread.start()
    atexit.register(_end, real, thread)
    return real


def _read(reading: int, real: IO[str]) -> None:
    with os.fdopen(reading, "rb") as pipe:
        while line := pipe.readline(LONGEST_LINE):
            text = line.decode(errors="backslashreplace").strip()
            try:
                if _is_event(text):
                    real.write(f"{text}\n")
                elif text:
                    abseil = _ABSEIL.match(text)
                    STRAY.log(_LEVELS[abseil[1]] if abseil else logging.WARNING, "%s", text)
            except Exception:  # whoever reads the log is gone; the writers must not wait for it
                continue


def _is_event(text: str) -> bool:
    if not text.startswith('{"time": '):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _end(real: IO[str], thread: threading.Thread) -> None:
    """Put the real standard error back, and wait a moment for the last lines."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()
    for descriptor in (1, 2):
        os.dup2(real.fileno(), descriptor)
    thread.join(timeout=1)
