"""`submit --file`, `rerun`, `logs` and `delete`, as a person types them."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from jobs.cli.changing import delete_command
from jobs.cli.running import _FILE_HELP
from jobs.client import Client
from jobs.errors import InvalidInput, JobConflict
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.specs.validation_messages import schema_of
from tests.cli.program import quartet_here
from tests.support.ended_jobs import end


def test_a_file_of_jobs_is_queued_whole_or_not_at_all(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    job = '{"model": "autoencoder", "action": "train", "data": "digits", "parameters": {"epochs": %d}}\n'
    (tmp_path / "wrong.jsonl").write_text(job % 1 + job % 0)
    said = quartet_here(settings, "submit", "--file", str(tmp_path / "wrong.jsonl"), code=2).stderr
    assert said.startswith("quartet: wrong.jsonl, line 2, epochs: expected an integer ≥ 1, got 0")
    assert client.jobs() == []
    (tmp_path / "right.jsonl").write_text(job % 1 + job % 2)
    ids = quartet_here(settings, "submit", "--file", str(tmp_path / "right.jsonl")).stdout.split()
    assert sorted(ids, reverse=True) == [found.id for found in client.jobs()]
    said = quartet_here(settings, "submit", "--file", "x", "autoencoder", "train", code=2).stderr
    assert "arguments: expected nothing beside --file, got 'autoencoder'" in said
    assert (
        "model: expected a model's name, or --file"
        in quartet_here(settings, "submit", "--json", code=2).stderr
    )


def test_a_job_is_run_once_more_with_changes(client: Client, settings: Settings) -> None:
    job = client.submit("autoencoder", "train", data="digits", epochs=3)
    again = json.loads(
        quartet_here(
            settings, "rerun", job.id, "--set", "learning-rate=2e-3", "--set", "seed=7", "--json"
        ).stdout
    )
    assert again["spec"]["parameters"] == {"epochs": 3, "learning_rate": 2e-3}
    assert again["spec"]["seed"] == 7
    said = quartet_here(settings, "rerun", job.id, "--set", "seed", code=2).stderr
    assert "--set: expected NAME=VALUE, got 'seed'" in said
    said = quartet_here(settings, "submit", "autoencoder", "train", "--noise", "1", code=2).stderr
    assert "hint: `quartet" not in said
    assert "hint: `denoiser train` has --noise" in said


def test_a_log_is_printed_without_what_controls_a_terminal(client: Client, settings: Settings) -> None:
    job = client.submit("autoencoder", "train", data="digits")
    end(client, job, log="a line\n\x1b[2Jforged\n")
    assert quartet_here(settings, "logs", job.id).stdout == "a line\n[U+001B][2Jforged\n"


def test_one_of_several_jobs_that_is_not_retried_keeps_no_other_from_it(
    client: Client, in_process: Callable[..., Result]
) -> None:
    first, running, last = (client.submit("autoencoder", "train", data="digits", seed=s) for s in range(3))
    for job in (first, last):
        client.cancel(job)
    done = in_process("retry", first.id, running.id, first.id, last.id, "--json")
    assert isinstance(done.exception, JobConflict)
    assert done.exception.given == "1 that cannot, as said above"
    newest, before, *_ = client.jobs()
    refused = f"job: expected one that failed or was cancelled, got {running.id}, which is queued"
    assert json.loads(done.stdout) == [
        {"job": first.id, "retried_as": before.id, "error": None},
        {"job": running.id, "retried_as": None, "error": refused},
        {"job": last.id, "retried_as": newest.id, "error": None},
    ]
    assert done.stderr == f"{running.id} was not retried: {refused}\n"
    client.cancel(newest)
    done = in_process("retry", running.id, newest.id)
    assert isinstance(done.exception, JobConflict)
    assert (done.stdout, done.stderr) == (
        f"{client.resolve('latest')}\n", f"{running.id} was not retried: {refused}\n"
    )  # fmt: skip


def test_the_help_names_the_keys_of_a_line() -> None:
    listed = _FILE_HELP.partition("with the keys ")[2].partition(";")[0].replace(" and ", ", ").split(", ")
    assert listed == list(schema_of(JobSpec))


def test_ended_jobs_that_used_a_deleted_model_are_named(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in client.settings.environment().items():
        monkeypatch.setenv(name, value)
    job = client.submit("autoencoder", "train", data="digits")
    end(client, job)
    used = [client.submit("autoencoder", "evaluate", source=job.id, seed=seed).id for seed in range(4)]
    for each in used:
        end(client, client.job(each))
    named = f"4 ended jobs used {job.id} and cannot be run again without it: {', '.join(used[:0:-1])}, …"
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(InvalidInput) as caught:
        delete_command.main([job.id], standalone_mode=False)
    assert caught.value.hint == named
    for answer in ("n", "perhaps"):
        terminal = io.StringIO(f"{answer}\n")
        terminal.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr("sys.stdin", terminal)
        with pytest.raises(click.Abort):
            delete_command.main([job.id], standalone_mode=False)
        said = f"  {named}\nDelete 1 job for good? [y/N] nothing was deleted\n"
        assert capsys.readouterr().out.endswith(said)
    delete_command.main([job.id, "--yes"], standalone_mode=False)
    assert capsys.readouterr() == (f"{job.id} deleted\n", f"{named}\n")
    delete_command.main([used[0], "--yes"], standalone_mode=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("yes", [True, False])
def test_a_job_is_deleted_only_if_a_person_says_so(client: Client, settings: Settings, yes: bool) -> None:
    job = client.submit("autoencoder", "train", data="digits")
    end(client, job)
    if yes:
        assert quartet_here(settings, "delete", job.id, "--yes").stdout == f"{job.id} deleted\n"
        assert client.jobs() == []
    else:
        said = quartet_here(settings, "delete", job.id, code=2).stderr
        assert "--yes: expected --yes, since no terminal can be asked, got none" in said
        assert client.job(job.id).state == "succeeded"
