"""`quartet doctor` says whom workers tell, and tries it when asked."""

import pytest
from pydantic import SecretStr

from jobs.cli.doctor_notify import notify_checks
from jobs.settings import Settings
from tests.cli.program import quartet
from tests.notifying.webhook_server import webhook


def test_the_doctor_says_whom_workers_tell_and_sends_a_test_message_when_asked(settings: Settings) -> None:
    [(_, passed, finding, _)] = notify_checks(settings, send=True)
    assert (passed, finding) == (True, "to nobody; QUARTET_NOTIFY names whom workers tell")
    with webhook() as hook:
        told = settings.model_copy(update={"notify": SecretStr(hook.url)})
        [(_, passed, finding, _)] = notify_checks(told, send=False)
        assert (passed, hook.messages) == (True, [])
        assert finding.startswith("http://127.0.0.1/***, of ended, sweeps;")
        [(_, passed, finding, _)] = notify_checks(told, send=True)
        assert (passed, finding, hook.events()) == (
            True,
            "http://127.0.0.1/*** took a test message",
            ["test"],
        )
        hook.answer = lambda _: 403
        [(_, passed, finding, fix)] = notify_checks(told, send=True)
        assert (passed, finding) == (False, "http://127.0.0.1/*** answers 403")
        assert fix


@pytest.mark.chaos
def test_the_command_prints_no_address(settings: Settings) -> None:
    done = quartet(settings, "doctor", "--notify", code=1, QUARTET_NOTIFY="http://127.0.0.1:1/T0PSECRETTOKEN")
    assert "notifications" in done.stderr
    assert "http://127.0.0.1/***" in done.stdout
    assert "T0PSECRET" not in done.stdout + done.stderr
