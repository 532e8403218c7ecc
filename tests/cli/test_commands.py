"""Every command does what its help says, with its exit code."""

import json
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.local.supervisor import Service
from jobs.settings import Settings
from tests.cli.program import TRAIN, quartet, quartet_here
from tests.support.processes import until


def test_submit_prints_the_id_or_the_job_as_json(service: Service) -> None:
    job_id = quartet(service.settings, "submit", *TRAIN).stdout.strip()
    job = json.loads(quartet(service.settings, "submit", *TRAIN, "--fresh", "--json").stdout)
    assert job["id"] > job_id
    assert job["spec"]["parameters"]["epochs"] == 2
    watched = json.loads(quartet(service.settings, "submit", *TRAIN, "--fresh", "--json", "--watch").stdout)
    assert watched["state"] == "succeeded"
    for command in ("submit", "run"):
        more = ["--watch"] if command == "submit" else []
        reused = quartet(service.settings, command, *TRAIN, *more)
        day = watched["finished"][:10]
        first, *others = reused.stderr.splitlines()
        assert first == f"reused {watched['id']}: an equal job succeeded on {day}; --fresh runs it again"
        assert any(line.startswith(f"{watched['id']} succeeded: ") for line in others)
        assert reused.stdout.split()[-1] == watched["report"]


@pytest.mark.parametrize("reference", ["id", "beginning", "end", "first one", "latest"])
def test_a_job_is_found_by_its_id_a_part_of_it_its_name_or_latest(
    service: Service, trained: str, reference: str
) -> None:
    client = Client(service.settings)
    if reference == "latest":
        assert client.resolve("latest") == client.jobs()[0].id
        return
    text = {"id": trained, "beginning": trained[:21], "end": trained[-8:]}.get(reference, reference)
    shown = json.loads(quartet_here(service.settings, "show", text, "--json").stdout)
    assert shown["id"] == trained
    assert shown["timeline"][0]["text"].startswith("queued")
    assert "quartet submit autoencoder train --epochs 2" in shown["command"]


def test_a_part_of_several_ids_is_refused_with_the_candidates(service: Service, trained: str) -> None:
    quartet_here(service.settings, "submit", *TRAIN, "--fresh", "--watch")
    said = quartet_here(service.settings, "show", trained[:4], code=2).stderr
    assert said.startswith(
        f"quartet: job: expected an unambiguous reference, got '{trained[:4]}', a part of "
    )
    assert f"{trained} (autoencoder train, " in said


def test_list_shows_jobs_as_lines_and_as_json(service: Service, trained: str) -> None:
    lines = quartet_here(service.settings, "list").stdout.splitlines()
    assert lines[0].split() == ["JOB", "STATE", "WHAT", "RESULT", "SUBMITTED", "NAME"]
    line = next(line for line in lines if line.startswith(trained))
    assert "succeeded" in line
    assert line.rstrip().endswith("first one")
    listed = json.loads(quartet_here(service.settings, "list", "--state", "succeeded", "--json").stdout)
    assert trained in [job["id"] for job in listed]
    assert json.loads(quartet_here(service.settings, "list", "--state", "failed", "--json").stdout) == []


def test_show_report_watch_and_verify_agree_on_a_finished_job(service: Service, trained: str) -> None:
    report = quartet_here(service.settings, "report", trained).stdout.strip()
    assert Path(report).is_file()
    shown = quartet_here(service.settings, "show", trained).stdout
    assert report in shown
    assert "data     digits" in shown
    watched = quartet_here(service.settings, "watch", trained)
    assert watched.stdout.strip() == report
    headline = next(line for line in shown.splitlines() if line.startswith("result ")).split(maxsplit=1)[1]
    assert f"{trained} succeeded: {headline}" in watched.stderr.splitlines()
    assert "matches its manifest" in quartet_here(service.settings, "verify", trained).stdout


def test_verify_says_what_was_changed(service: Service) -> None:
    job_id = quartet_here(service.settings, "submit", *TRAIN, "--fresh", "--watch").stdout.split()[0]
    history = service.settings.results_dir / job_id / "history.csv"
    history.write_text("epoch\n")
    said = quartet_here(service.settings, "verify", job_id, code=1).stderr
    assert "history.csv was changed after it was published" in said


def test_a_job_that_has_ended_can_be_neither_cancelled_nor_tried_again(
    service: Service, trained: str
) -> None:
    assert quartet_here(service.settings, "cancel", trained, code=2).stderr == (
        f"quartet: job: expected one that has not ended, got {trained}, which succeeded\n"
    )
    for arguments in ((trained,), ("--failed", trained)):
        assert quartet_here(service.settings, "retry", *arguments, code=2).stderr == (
            f"quartet: job: expected one that failed or was cancelled, got {trained}, which succeeded\n"
        )


def test_a_failed_job_ends_watch_with_its_reason_and_can_be_tried_again(
    service: Service,
) -> None:
    too_long = ("denoiser", "train", "--data", "digits", "--epochs", "100000", "--time-limit", "1")
    done = quartet_here(service.settings, "submit", *too_long, "--watch", code=1)
    job_id = done.stdout.split()[0]
    assert "time limit" in done.stderr
    line = next(
        line for line in quartet_here(service.settings, "list").stdout.splitlines() if line.startswith(job_id)
    )
    assert "time limit" in line
    again = quartet_here(service.settings, "retry", job_id).stdout.strip()
    assert again > job_id
    quartet_here(service.settings, "watch", again, code=1)


def test_cancel_says_what_it_did(service: Service) -> None:
    first = quartet_here(
        service.settings, "submit", "denoiser", "train", "--data", "digits", "--epochs", "100000"
    )
    waiting = quartet_here(
        service.settings, "submit", "denoiser", "evaluate", "--from", first.stdout.strip()
    ).stdout.strip()
    assert json.loads(quartet_here(service.settings, "show", waiting, "--json").stdout)["state"] == "waiting"
    assert quartet_here(service.settings, "cancel", waiting).stdout == f"{waiting} cancelled\n"
    client, job_id = Client(service.settings), first.stdout.strip()
    until(lambda: client.job(job_id).state == "running", 60)
    assert quartet_here(service.settings, "cancel", job_id).stdout == f"{job_id} asked to stop\n"
    said = quartet_here(service.settings, "watch", job_id, code=1)
    assert f"job {job_id} cancelled" in said.stderr
    assert Path(said.stdout.strip()).is_file()


def test_settings_are_printed_with_secrets_masked(service: Service) -> None:
    shown = quartet_here(service.settings, "settings", QUARTET_REDIS_URL="redis://user:geheim@host/0").stdout
    for name in Settings.model_fields:
        assert f"QUARTET_{name.upper()}" in shown
    assert "redis://user:***@host:6379/0" in shown
    assert "geheim" not in shown


def test_datasets_are_listed_and_a_sample_needs_no_download(service: Service) -> None:
    names = {
        row["name"]: row
        for row in json.loads(quartet_here(service.settings, "data", "list", "--json").stdout)
    }
    assert set(names) == {
        "mnist",
        "fashion-mnist",
        "kmnist",
        "digits",
        "shakespeare",
        "pydoc",
        "imdb",
        "toy-reviews",
    }
    assert names["digits"]["here"] == "always"
    assert names["mnist"]["here"] == "no"
    quartet_here(service.settings, "data", "get", "digits")


def test_without_redis_finished_jobs_are_still_there(away: Settings, trained: str) -> None:
    listed = quartet_here(away, "list", code=3)
    assert trained in listed.stdout
    away_at = "Redis cannot be reached at redis://:***@127.0.0.1:1/0"
    assert listed.stderr.splitlines()[-1] == f"quartet: {away_at}; these are the jobs with a folder"
    for command in ("show", "report", "verify"):
        quartet_here(away, command, trained)


@pytest.mark.parametrize(
    "command",
    [
        ("submit", *TRAIN, "--fresh"),
        ("cancel", "latest"),
        ("retry", "latest"),
        ("show", "latest"),
        ("watch", "2026"),
    ],
)
def test_without_redis_nothing_is_queued_and_the_exit_code_is_3(
    away: Settings, trained: str, command: tuple[str, ...]
) -> None:
    assert trained
    said = quartet_here(away, *command, code=3).stderr.splitlines()
    assert said[0] == "quartet: Redis cannot be reached at redis://:***@127.0.0.1:1/0"
    assert all(line.startswith("hint: ") for line in said[1:])
