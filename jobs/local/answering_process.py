"""`AnsweringProcess`: a process that answers this one's questions, one at a time, until this one ends.

Started as a program and not forked, it has none of this process' threads and locks. It ends with its input.
"""

import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from jobs.local.message_socket import MessageSocket
from jobs.local.processes import Lasting, ending

END_SECONDS = 5.0
"""That the process may take to end."""


class ProcessEnded(Exception):
    """The process that should have answered has ended, or could not begin; what it did is unknown."""


class _Started(NamedTuple):
    """A process, and this one's end of the socket between them."""

    process: "subprocess.Popen[bytes]"
    channel: MessageSocket


class AnsweringProcess:
    """A program that runs `answer_questions`, started when it is first needed, and again after its end."""

    def __init__(self, module: str, *arguments: str, answer_seconds: float | None = None) -> None:
        """Nothing is started yet.

        Args:
            module: what is run, as by `python -m`.
            arguments: its command line.
            answer_seconds: how long an answer may take before the process is killed, such as one that is
                stopped (SIGSTOP); only time counts in which this process runs. None: for ever.
        """
        self._answer_seconds = answer_seconds
        self._started: _Started | None
        self._command = [sys.executable, "-P", "-m", module, *arguments]
        self._begin()
        _all.add(self)

    def start(self) -> None:
        """Start the process, unless it runs, so that the first question need not wait for it.

        Raises:
            OSError: it cannot be started.
        """
        if self._lock.acquire(blocking=False):  # whoever holds it asks, so the process runs
            try:
                self._running()
            finally:
                self._lock.release()

    def ask(self, *question: Any) -> Any:
        """What the process answers.

        Raises:
            ProcessEnded: it has ended, could not be started, or was killed since it did not answer.
            Exception: what it answers, if that is an error.
        """
        with self._lock:
            try:
                process, channel = self._running()
            except OSError as error:  # no memory for one more
                raise ProcessEnded(f"it cannot be started: {error.strerror}") from None
            limit = self._answer_seconds
            lasting = None if limit is None else Lasting(limit)
            try:
                channel.send(question, lasting)
                answer = channel.receive(lasting)
            except BaseException as error:
                # The answer to a question that was interrupted would be taken for the next one's.
                ended = process.poll()
                process.kill()
                _end(process, channel)
                self._started = None
                if isinstance(error, TimeoutError):
                    raise ProcessEnded(f"no answer within {limit:g} s") from None
                if not isinstance(error, OSError | EOFError):
                    raise
                raise ProcessEnded(type(error).__name__ if ended is None else ending(ended)) from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._started = None

    def _running(self) -> _Started:
        if self._started is not None and self._started.process.poll() is None:
            return self._started
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                end = theirs.fileno()
                # Ctrl-C is for the process that asks.
                process = subprocess.Popen(self._command, stdin=end, stdout=end, process_group=0)
            except BaseException:
                ours.close()
                raise
        started = self._started = _Started(process, MessageSocket(ours))
        weakref.finalize(self, _end, *started)
        return started


def _begin_all() -> None:
    """In a process that was forked: the process that answers is its parent's, and so is a held lock."""
    for each in list(_all):
        each._begin()


_all: "weakref.WeakSet[AnsweringProcess]" = weakref.WeakSet()
os.register_at_fork(after_in_child=_begin_all)


def _end(process: "subprocess.Popen[bytes]", channel: MessageSocket) -> None:
    """Close the socket of a process, which ends it, and wait for its end."""
    channel.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answer_questions(answer: Callable[..., Any]) -> None:
    """Answer what comes from standard input, which only the process that started this one writes.

    Args:
        answer: takes a question's parts; what it returns or raises is the answer, and can be pickled.
    """
    channel = MessageSocket(socket.socket(fileno=os.dup(sys.stdin.fileno())))
    # Whatever a library prints must not get into an answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while True:
        try:
            question = channel.receive()
        except (EOFError, OSError):  # whoever asked has ended, or was killed while it asked
            return
        found: Any
        try:
            found = answer(*question)
        except Exception as error:
            found = error
        try:
            channel.send(found)
        except OSError:  # whoever asked was killed
            return
