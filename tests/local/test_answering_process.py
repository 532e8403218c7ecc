"""A process that answers questions is replaced when it no longer does, and takes no question with it."""

import os
import signal

import pytest

from jobs.local import message_socket
from jobs.local.answering_process import AnsweringProcess, ProcessEnded

PROGRAM = "import os; from jobs.local.answering_process import answer_questions; answer_questions(os.getppid)"


def test_a_process_that_was_stopped_is_killed_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_socket, "LOOK_SECONDS", 0.05)
    process = AnsweringProcess("ignored", answer_seconds=10)
    process._command[-2:] = ["-c", PROGRAM]
    assert process.ask() == os.getpid()
    assert process._started is not None
    stopped = process._started.process
    stopped.send_signal(signal.SIGSTOP)
    process._answer_seconds = 0.1
    with pytest.raises(ProcessEnded, match=r"^no answer within 0\.1 s$"):
        process.ask()
    assert stopped.returncode == -signal.SIGKILL
    process._answer_seconds = 10
    assert process.ask() == os.getpid()
    assert process._started is not None
    process._started.process.kill()
