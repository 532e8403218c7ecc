"""`AnsweringProcess`: a process that answers this one's questions, one at a time, until this one ends.

Started as a program and not forked, it has none of this process' threads and locks. It ends with its input.
Questions and answers are pickled: only the two processes can write into the pipes between them.
"""

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from jobs.local.processes import Lasting, ending

END_SECONDS = 5.0
"""That the process may take to end."""

LOOK_SECONDS = 1.0
"""Between two looks at how long an answer has taken."""


class ProcessEnded(Exception):
    """The process that should have answered has ended, or could not begin; what it did is unknown."""


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
        self._process: subprocess.Popen[bytes] | None
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
                process = self._running()
            except OSError as error:  # no memory for one more
                raise ProcessEnded(f"it cannot be started: {error.strerror}") from None
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                with self._killed_when_late(process):
                    pickle.dump(question, process.stdin)
                    process.stdin.flush()
                    answer = pickle.load(process.stdout)
            except BaseException as error:
                # The answer to a question that was interrupted would be taken for the next one's.
                ended = process.poll()
                process.kill()
                _end(process)
                self._process = None
                if not isinstance(error, OSError | EOFError | pickle.UnpicklingError):
                    raise
                raise ProcessEnded(type(error).__name__ if ended is None else ending(ended)) from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    @contextlib.contextmanager
    def _killed_when_late(self, process: "subprocess.Popen[bytes]") -> Iterator[None]:
        """Kill a process that takes too long in the block, which then raises.

        Raises:
            ProcessEnded: it was killed.
        """
        if self._answer_seconds is None:
            yield
            return
        over, late, lasting = threading.Event(), threading.Event(), Lasting(self._answer_seconds)

        def watch() -> None:
            while not over.wait(LOOK_SECONDS):
                if lasting.seen(True):
                    late.set()
                    process.kill()
                    return

        watcher = threading.Thread(target=watch, name="answer", daemon=True)
        watcher.start()
        try:
            yield
        except (OSError, EOFError, pickle.UnpicklingError):
            if late.is_set():
                raise ProcessEnded(f"no answer within {self._answer_seconds:g} s") from None
            raise
        finally:
            over.set()
            watcher.join()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        process = self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C is for the process that asks
        )
        weakref.finalize(self, _end, process)
        return process


def _begin_all() -> None:
    """In a process that was forked: the process that answers is its parent's, and so is a held lock."""
    for each in list(_all):
        each._begin()


_all: "weakref.WeakSet[AnsweringProcess]" = weakref.WeakSet()
os.register_at_fork(after_in_child=_begin_all)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Close the pipes of a process, which ends it, and wait for its end."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
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
    # Whatever a library prints must not get into an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)
        except (EOFError, pickle.UnpicklingError):  # the latter of a process that was killed while it asked
            return
        found: Any
        try:
            found = answer(*question)
        except Exception as error:
            found = error
        try:
            pickle.dump(found, answers)
            answers.flush()
        except BrokenPipeError:  # whoever asked was killed; at a usual end Python would write once more
            os._exit(1)
