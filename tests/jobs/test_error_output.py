"""An error on standard error: one line, its hint on the next, and nothing that controls a terminal."""

import pytest

from jobs.error_output import print_error
from jobs.errors import InvalidJob, RedisUnreachable


def test_the_hint_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    error = InvalidJob("epochs", expected="an integer ≥ 1", given="0", hint="leave it out")
    assert print_error("quartet", error) == 2
    assert capsys.readouterr().err == (
        "quartet: epochs: expected an integer ≥ 1, got 0\nhint: leave it out\n"
    )


def test_without_a_hint_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_error("quartet-worker", RedisUnreachable("Redis cannot be reached")) == 3
    assert capsys.readouterr().err == "quartet-worker: Redis cannot be reached\n"


def test_what_a_stranger_wrote_controls_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_error("quartet", InvalidJob("name", expected="a name", given="'\x1b[31m\nrm'", hint="\x07"))
    assert capsys.readouterr().err == (
        "quartet: name: expected a name, got '[U+001B][31m rm'\nhint: [U+0007]\n"
    )
