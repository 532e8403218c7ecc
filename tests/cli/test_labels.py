"""`quartet tag` and `quartet note`, what lists and `show` make of them, and jobs that need not be run."""

import json
from typing import Any

import pytest

from jobs.cli.main import quartet
from jobs.client import Client
from jobs.errors import InvalidInput, UnknownJob
from jobs.finding.wanted import Wanted
from jobs.job import Job
from tests.support.ended_jobs import end, forget


@pytest.fixture
def call(client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Calls `quartet` in this process; gives its standard output and error."""
    for name, value in client.settings.environment().items():
        monkeypatch.setenv(name, value)

    def called(*arguments: str) -> tuple[str, str]:
        quartet.main([*arguments], standalone_mode=False)
        said = capsys.readouterr()
        return said.out, said.err

    return called


@pytest.fixture
def job(client: Client) -> Job:
    return client.submit("autoencoder", "train", data="digits", name="mine", tags=["given"])


def test_tags_are_given_and_taken_away_before_and_after_a_job_ends(
    client: Client, call: Any, job: Job
) -> None:
    assert call("tag", "mine", "+good", "-given", "-hard", "+slow")[0] == f"{job.id} good, slow\n"
    assert client.job(job.id).tags == ("good", "slow")
    end(client, job)
    assert client.job(job.id).tags == ("good", "slow")
    forget(client, job)
    assert call("tag", job.id, "+a", "--", "-slow")[0] == f"{job.id} good, a\n"
    assert [each.tags for each in client.jobs()] == [("good", "a")]
    assert client.folder(job.id).verify() == []
    assert call("tag", "mine", "-good", "-a")[0] == f"{job.id} has no tags\n"
    assert client.job("mine").tags == client.jobs()[0].tags == ()


@pytest.mark.parametrize(
    "changes", [[], ["good"], ["+"], ["-"], ["+a,b"], ["+a b"], ["+" + "x" * 41], ["++a"]]
)
def test_what_changes_no_tag_is_refused(call: Any, job: Job, changes: list[str]) -> None:
    with pytest.raises(InvalidInput, match="tag: expected "):
        call("tag", job.id, *changes)
    assert call("show", job.id)[0].count("given") >= 1


def test_help_and_unknown_jobs(call: Any) -> None:
    assert "quartet tag JOB +good -bad" in call("tag", "--help")[0]
    with pytest.raises(UnknownJob):
        call("tag", "nobody", "+good")
    with pytest.raises(UnknownJob):
        call("note", "nobody", "text")


def test_a_note_is_shown_and_an_empty_one_removes_it(client: Client, call: Any, job: Job) -> None:
    assert call("note", "mine", "the best\nso far \x1b[31m")[0] == f"{job.id} noted\n"
    shown = call("show", "mine")[0]
    assert "the best\n" in shown
    assert "\x1b" not in shown
    assert client.job("mine").note == client.jobs()[0].note == "the best\nso far \x1b[31m"
    assert json.loads(call("list", "--json")[0])[0]["note"].startswith("the best")
    assert call("note", "mine", "")[0] == f"{job.id} has no note\n"
    assert "note" not in call("show", "mine")[0]


def test_a_list_shows_tags_and_those_jobs_that_have_all_that_are_wanted(
    client: Client, call: Any, job: Job
) -> None:
    other = client.submit("denoiser", "train", data="digits", tags=["given", "other"])
    end(client, other)
    assert [each.id for each in client.jobs(tags=["given"])] == [other.id, job.id]
    assert [each.id for each in client.jobs(tags=["given", "other"])] == [other.id]
    assert client.jobs(tags="gone") == []
    lines = call("list", "--tag", "given", "--tag", "other")[0].splitlines()
    assert lines[0].split()[-1] == "TAGS"
    assert len(lines) == 2
    assert "given, other" in lines[1]
    client.tag(other, remove=["other"])
    assert client.jobs(tags=["other"]) == []
    assert "TAGS" not in call("list", "--tag", "none")[0]
    with pytest.raises(InvalidInput, match="tag: expected"):
        call("list", "--tag", "a b")
    with pytest.raises(InvalidInput, match="tag: expected"):
        Wanted.make(tags=[""])


def test_the_labels_of_a_deleted_job_go_with_it(client: Client, call: Any, job: Job) -> None:
    call("note", "mine", "a secret")
    end(client, job)
    client.delete(job.id)
    left = b"".join(path.read_bytes() for path in client.results.root.rglob("*") if path.is_file())
    assert b"a secret" not in left


def test_the_command_of_a_job_has_its_tags(call: Any, job: Job) -> None:
    assert "--name mine --tag given" in call("show", job.id)[0]


def test_fresh_belongs_after_the_action(call: Any) -> None:
    with pytest.raises(InvalidInput, match="arguments: expected --fresh after the action"):
        call("submit", "--fresh", "autoencoder", "train")
