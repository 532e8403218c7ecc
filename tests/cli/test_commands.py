"""Every command does what its help says, with its exit code, as a process of its own."""

import json
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.local.supervisor import Service
from jobs.settings import Settings
from tests.cli.program import TRAIN, quartet
from tests.support.processes import until


def test_submit_prints_the_id_or_the_job_as_json(service: Service) -> None:
    job_id = quartet(service.settings, "submit", *TRAIN).stdout.strip()
    job = json.loads(quartet(service.settings, "submit", *TRAIN, "--json").stdout)
    assert job["id"] > job_id
    assert job["spec"]["parameters"]["epochs"] == 2
    watched = json.loads(quartet(service.settings, "submit", *TRAIN, "--json", "--watch").stdout)
    assert watched["state"] == "succeeded"


@pytest.mark.parametrize("reference", ["id", "beginning", "first one", "latest"])
def test_a_job_is_found_by_its_id_a_beginning_its_name_or_latest(
    service: Service, trained: str, reference: str
) -> None:
    client = Client(service.settings)
    if reference == "latest":
        assert client.resolve("latest") == client.jobs()[0].id
        return
    text = {"id": trained, "beginning": trained[:21]}.get(reference, reference)
    shown = json.loads(quartet(service.settings, "show", text, "--json").stdout)
    assert shown["id"] == trained
    assert shown["timeline"][0]["text"].startswith("queued")
    assert "quartet submit autoencoder train --epochs 2" in shown["command"]


def test_a_beginning_of_several_jobs_is_refused(service: Service, trained: str) -> None:
    quartet(service.settings, "submit", *TRAIN, "--watch")
    said = quartet(service.settings, "show", trained[:4], code=2).stderr
    assert said.startswith(
        f"quartet: job: expected an unambiguous reference, got '{trained[:4]}', the beginning of "
    )
    assert " ids (" in said


def test_list_shows_jobs_as_lines_and_as_json(service: Service, trained: str) -> None:
    lines = quartet(service.settings, "list").stdout.splitlines()
    assert lines[0].split() == ["JOB", "STATE", "WHAT", "RESULT", "SUBMITTED", "NAME"]
    line = next(line for line in lines if line.startswith(trained))
    assert "succeeded" in line
    assert line.rstrip().endswith("first one")
    listed = json.loads(quartet(service.settings, "list", "--state", "succeeded", "--json").stdout)
    assert trained in [job["id"] for job in listed]
    assert json.loads(quartet(service.settings, "list", "--state", "failed", "--json").stdout) == []


def test_show_report_watch_and_verify_agree_on_a_finished_job(service: Service, trained: str) -> None:
    report = quartet(service.settings, "report", trained).stdout.strip()
    assert Path(report).is_file()
    assert report in quartet(service.settings, "show", trained).stdout
    assert quartet(service.settings, "watch", trained).stdout.strip() == report
    assert "matches its manifest" in quartet(service.settings, "verify", trained).stdout


def test_verify_says_what_was_changed(service: Service) -> None:
    job_id = quartet(service.settings, "submit", *TRAIN, "--watch").stdout.split()[0]
    history = service.settings.results_dir / job_id / "history.csv"
    history.write_text("epoch\n")
    said = quartet(service.settings, "verify", job_id, code=1).stderr
    assert "history.csv was changed after it was published" in said


def test_a_job_that_has_ended_can_be_neither_cancelled_nor_tried_again(
    service: Service, trained: str
) -> None:
    assert quartet(service.settings, "cancel", trained, code=2).stderr == (
        f"quartet: job: expected one that has not ended, got {trained}, which succeeded\n"
    )
    assert quartet(service.settings, "retry", trained, code=2).stderr == (
        f"quartet: job: expected one that failed or was cancelled, got {trained}, which succeeded\n"
    )


def test_a_failed_job_ends_watch_with_its_reason_and_can_be_tried_again(
    service: Service, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"nothing")
    done = quartet(service.settings, "submit", "denoiser", "train", "--data", str(broken), "--watch", code=1)
    job_id = done.stdout.split()[0]
    assert "broken.npz" in done.stderr.splitlines()[-1]
    again = quartet(service.settings, "retry", job_id).stdout.strip()
    assert again > job_id
    quartet(service.settings, "watch", again, code=1)


def test_cancel_says_what_it_did(service: Service) -> None:
    first = quartet(service.settings, "submit", "denoiser", "train", "--data", "digits", "--epochs", "100000")
    waiting = quartet(
        service.settings, "submit", "denoiser", "evaluate", "--from", first.stdout.strip()
    ).stdout.strip()
    assert json.loads(quartet(service.settings, "show", waiting, "--json").stdout)["state"] == "waiting"
    assert quartet(service.settings, "cancel", waiting).stdout == f"{waiting} cancelled\n"
    client, job_id = Client(service.settings), first.stdout.strip()
    until(lambda: client.job(job_id).state == "running", 60)
    assert quartet(service.settings, "cancel", job_id).stdout == f"{job_id} asked to stop\n"
    said = quartet(service.settings, "watch", job_id, code=1)
    assert f"job {job_id} cancelled" in said.stderr
    assert Path(said.stdout.strip()).is_file()


def test_settings_are_printed_with_secrets_masked(service: Service) -> None:
    shown = quartet(service.settings, "settings", QUARTET_REDIS_URL="redis://user:geheim@host/0").stdout
    for name in Settings.model_fields:
        assert f"QUARTET_{name.upper()}" in shown
    assert "redis://user:***@host/0" in shown
    assert "geheim" not in shown


def test_datasets_are_listed_and_a_sample_needs_no_download(service: Service) -> None:
    names = {
        row["name"]: row for row in json.loads(quartet(service.settings, "data", "list", "--json").stdout)
    }
    assert set(names) == {"mnist", "digits", "shakespeare", "pydoc", "imdb", "toy-reviews"}
    assert names["digits"]["here"] == "always"
    assert names["mnist"]["here"] == "no"
    quartet(service.settings, "data", "get", "digits")


def test_without_redis_finished_jobs_are_still_there(away: Settings, trained: str) -> None:
    listed = quartet(away, "list")
    assert trained in listed.stdout
    assert listed.stderr == "Redis cannot be reached; these are the finished jobs in the results folder\n"
    for command in ("show", "report", "verify"):
        quartet(away, command, trained)


@pytest.mark.parametrize("command", [("submit", *TRAIN), ("cancel", "latest"), ("retry", "latest")])
def test_without_redis_nothing_is_queued_and_the_exit_code_is_3(
    away: Settings, trained: str, command: tuple[str, ...]
) -> None:
    if command[0] == "retry":
        command = ("submit", "autoencoder", "evaluate", "--from", trained)
    said = quartet(away, *command, code=3).stderr.splitlines()
    assert said[0] == "quartet: Redis cannot be reached at redis://:***@127.0.0.1:1/0"
    assert all(line.startswith("hint: ") for line in said[1:])
