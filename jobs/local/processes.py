"""Processes that `quartet up` and `quartet run` start, watch and end."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHUTDOWN_SECONDS = 30.0
"""How long Redis and workers may take to stop before they are killed."""

LONGEST_GAP = 5.0
"""Seconds that count at most between two looks: a lid that was closed, or Ctrl-Z, is nobody's fault."""

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Lasting:
    """Whether something has lasted for some seconds, counting only the time in which it was looked at."""

    def __init__(self, seconds: float) -> None:
        """It has lasted once it was seen for `seconds` on end."""
        self._seconds, self._lasted, self._looked = seconds, 0.0, time.monotonic()

    def seen(self, is_so: bool) -> bool:
        """Note what a look has shown; whether it has been so for long enough."""
        now = time.monotonic()
        self._lasted = self._lasted + min(now - self._looked, LONGEST_GAP) if is_so else 0.0
        self._looked = now
        return self._lasted >= self._seconds


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal (SIGSTOP, SIGTSTP); False if it is gone."""
    try:
        if sys.platform == "linux":
            # The name before the state is in parentheses, and may hold any character.
            return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[:1] == [b"T"]
        command = ["ps", "-o", "state=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, timeout=10, check=False).stdout.startswith(b"T")
    except (OSError, subprocess.SubprocessError):
        return False


def ending(code: int) -> str:
    """How a process ended, from its exit code as `Popen` gives it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def log_end(path: Path, lines: int, start: int = 0) -> str:
    """The last lines of a log, on one line.

    Args:
        path: of the log.
        lines: how many.
        start: where the part that counts begins, in bytes.
    """
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(start, size - 8192))
            text = log.read().decode(errors="replace")
    except OSError as error:
        return f"nothing that can be read ({(error.strerror or 'unreadable').lower()})"
    said = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(said[-lines:]) or "nothing"


def open_log(path: Path) -> int:
    """Open a log that only this user may read, to append to it; its descriptor."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def end_process(process: subprocess.Popen[bytes], seconds: float, ask: bool = True) -> None:
    """End a process and its session.

    Args:
        process: the process, the leader of a session of its own.
        seconds: how long it may take before it is killed; a second Ctrl-C kills it at once.
        ask: send it SIGTERM first.
    """
    if ask and process.poll() is None:
        process.terminate()
    if is_stopped(process.pid):  # it would not even notice that it is asked
        seconds = 0
    try:
        process.wait(seconds)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        kill_session(process)


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and what it started, at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back signals until the end of the block, so that a process which it starts is known and ended.

    Signals are not blocked, since a process that is started inherits what is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
    if arrived:
        signal.raise_signal(arrived[0])
