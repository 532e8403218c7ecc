"""Every command does what its help says, with its exit code, as a process of its own."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import until

from jobs.client import Client
from jobs.local import Service
from jobs.settings import Settings

QUARTET = str(Path(sys.executable).with_name("quartet"))
TRAIN = ("autoencoder", "train", "--data", "digits", "--epochs", "2")


def environment(settings: Settings, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "QUARTET_REDIS_URL": settings.redis_address(),
        "QUARTET_RESULTS_DIR": str(settings.results_dir),
        "QUARTET_DATA_DIR": str(settings.data_dir),
        "QUARTET_STATE_DIR": str(settings.state_dir),
        **more,
    }


def quartet(
    settings: Settings, *arguments: str, code: int = 0, **more: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [QUARTET, *arguments], env=environment(settings, **more), capture_output=True, text=True, timeout=180
    )
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def trained(service: Service) -> str:
    """The id of a finished training with a name."""
    done = quartet(service.settings, "submit", *TRAIN, "--name", "first one", "--watch")
    job_id, report = done.stdout.split()
    assert report == str(service.settings.results_dir / job_id / "report.html")
    assert Path(report).is_file()
    return job_id


@pytest.fixture
def away(service: Service) -> Settings:
    """The same results, with a Redis that is not there."""
    from pydantic import SecretStr

    return service.settings.model_copy(update={"redis_url": SecretStr("redis://:geheim@127.0.0.1:1/0")})


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
    assert f"job: '{trained[:4]}' means" in said
    assert "give an id" in said


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
    assert "has succeeded" in quartet(service.settings, "cancel", trained, code=2).stderr
    assert "is succeeded" in quartet(service.settings, "retry", trained, code=2).stderr


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
    assert (
        "dataset 'mnits' is unknown; did you mean 'mnist'?"
        in quartet(service.settings, "data", "get", "mnits", code=2).stderr
    )


def test_without_redis_finished_jobs_are_still_there(away: Settings, trained: str) -> None:
    listed = quartet(away, "list")
    assert trained in listed.stdout
    assert "Redis cannot be reached" in listed.stderr
    for command in ("show", "report", "verify"):
        quartet(away, command, trained)


@pytest.mark.parametrize("command", [("submit", *TRAIN), ("cancel", "latest"), ("retry", "latest")])
def test_without_redis_nothing_is_queued_and_the_exit_code_is_3(
    away: Settings, trained: str, command: tuple[str, ...]
) -> None:
    if command[0] == "retry":
        command = ("submit", "autoencoder", "evaluate", "--from", trained)
    said = quartet(away, *command, code=3).stderr
    assert said == "quartet: Redis cannot be reached at redis://:***@127.0.0.1:1/0\n"


BAD = [
    (("submit", "autoencodr", "train"), "model 'autoencodr' is unknown; did you mean 'autoencoder'?"),
    (("submit", "autoencoder", "trian"), "action 'trian' is unknown; did you mean 'train'?"),
    (
        ("submit", "sentiment", "generate", "--from", "latest"),
        "from: there is no training of sentiment yet; allowed: its id, name or `latest`",
    ),
    (("submitt",), "command 'submitt' is unknown; did you mean 'submit'?"),
    (
        ("submit", *TRAIN, "--epochs", "0"),
        "epochs: '0' is not allowed; allowed: a whole number from 1 to 1000000",
    ),
    (("submit", *TRAIN, "--epochs", "two"), "epochs: 'two' is not allowed"),
    (("submit", *TRAIN, "--epoch", "2"), "No such option '--epoch'"),
    (("submit", *TRAIN, "--noise", "2"), "No such option '--noise'"),
    (("submit", *TRAIN, "--seed", "-1"), "seed: '-1' is not allowed"),
    (("submit", *TRAIN, "--name", "latest"), "name: 'latest': a name may not be"),
    (("submit", *TRAIN, "--learning-rate", "nan"), "learning_rate: 'nan' is not allowed"),
    (("submit", *TRAIN, "extra"), "Got unexpected extra argument"),
    (
        ("submit", "autoencoder", "train", "--data", "mnits"),
        "data: dataset 'mnits' is unknown; did you mean 'mnist'?",
    ),
    (
        ("submit", "autoencoder", "train", "--data", "imdb"),
        "data: imdb holds reviews, not images; allowed: mnist, digits",
    ),
    (("submit", "autoencoder", "train", "--data", "/no/such.npz"), "data: /no/such.npz does not exist"),
    (("submit", "autoencoder", "train", "--data", "/etc/passwd"), "data: /etc/passwd"),
    (("submit", "autoencoder", "train", "--from", "latest"), "No such option '--from'"),
    (("submit", "autoencoder", "evaluate"), "from: autoencoder evaluate needs the training"),
    (("submit", "denoiser", "evaluate", "--from", "nobody"), "job: nothing is called 'nobody'"),
    (("submit", "denoiser", "evaluate", "--from", "../x"), "job: nothing is called '../x'"),
    (
        ("submit", "denoiser", "evaluate", "--from", "first one"),
        "from: job",
    ),
    (("show", "20990101-000000-000-aaaa"), "job: there is no job 20990101-000000-000-aaaa"),
    (("show", "../../etc/passwd"), "job: nothing is called '../../etc/passwd'"),
    (("cancel", "20990101-000000-000-aaaa"), "job: there is no job 20990101-000000-000-aaaa"),
    (("list", "--state", "done"), "state 'done' is unknown"),
    (("up", "--workers", "0"), "Invalid value for '--workers'"),
    (("run", *TRAIN, "--epochs", "0"), "epochs: '0' is not allowed"),
    (("report",), "Missing argument 'JOB'"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD, ids=[" ".join(row[0]) for row in BAD])
def test_wrong_input_is_one_sentence_and_queues_nothing(
    service: Service, trained: str, arguments: tuple[str, ...], sentence: str
) -> None:
    assert trained
    client = Client(service.settings)
    before = client.ledger.ids()
    done = quartet(service.settings, *arguments, code=2)
    assert done.stderr.startswith(f"quartet: {sentence}")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert client.ledger.ids() == before


def test_a_wrong_setting_is_one_sentence(service: Service) -> None:
    said = quartet(service.settings, "list", code=2, QUARTET_LEASE_SECONDS="soon").stderr
    assert said.startswith("quartet: setting QUARTET_LEASE_SECONDS: input should be a valid number")


def test_on_a_terminal_a_bar_shows_epoch_step_loss_and_time_left(service: Service) -> None:
    main_end, terminal = pty.openpty()
    process = subprocess.Popen(
        [QUARTET, "submit", "denoiser", "train", "--data", "digits", "--epochs", "600", "--watch"],
        env=environment(service.settings, TERM="xterm", COLUMNS="160"),
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    while process.poll() is None:
        if select.select([main_end], [], [], 0.2)[0]:
            try:
                shown += os.read(main_end, 65536)
            except OSError:
                break
    assert process.wait(60) == 0
    text = shown.decode(errors="replace")
    for word in ("denoiser train running", "epoch ", "/600", "step ", "loss 0.", " left"):
        assert word in text, text[-2000:]


# --- with nothing to start first ------------------------------------------------------


@pytest.fixture
def alone(tmp_path: Path) -> Settings:
    """Settings of a person who has started nothing."""
    return Settings(
        results_dir=tmp_path / "results", data_dir=tmp_path / "data", state_dir=tmp_path / "state"
    )


def start(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    variables = environment(settings)
    del variables["QUARTET_REDIS_URL"]
    return subprocess.Popen(
        [QUARTET, *arguments], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def family(process: subprocess.Popen[str], at_least: int) -> list[psutil.Process]:
    """All processes below one, once there are enough."""
    return until(
        lambda: (
            (found := psutil.Process(process.pid).children(recursive=True))
            and len(found) >= at_least
            and found
        ),
        60,
        "the start of Redis and the worker",
    )


def all_gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != "zombie" for process in processes)


def test_run_does_a_job_with_nothing_started_and_leaves_nothing_running(alone: Settings) -> None:
    process = start(alone, "run", *TRAIN)
    below = family(process, 3)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert Path(out.strip()).is_file()
    assert all_gone(below)
    # The next one finds the first in the results folder alone.
    process = start(alone, "run", "autoencoder", "generate", "--from", "latest", "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["state"] == "succeeded"


@pytest.mark.chaos
def test_interrupting_run_keeps_the_checkpoint_and_leaves_nothing_running(alone: Settings) -> None:
    process = start(alone, "run", "denoiser", "train", "--data", "digits", "--epochs", "100000")
    below = family(process, 3)
    until(lambda: list(alone.results_dir.glob(".staging/*/checkpoint.npz")), 90, "the first checkpoint")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert (Path(out.strip()).parent / "checkpoint.npz").is_file()
    assert all_gone(below)


@pytest.mark.chaos
def test_killing_run_leaves_nothing_running(alone: Settings) -> None:
    process = start(alone, "run", "denoiser", "train", "--data", "digits", "--epochs", "100000")
    below = family(process, 3)
    until(lambda: list(alone.results_dir.glob(".staging/*/checkpoint.npz")), 90, "the first checkpoint")
    process.kill()
    process.communicate(timeout=10)
    until(lambda: all_gone(below), 20, "the end of Redis and the worker")


@pytest.mark.chaos
def test_up_is_found_by_a_second_terminal_and_keeps_its_queue(alone: Settings) -> None:
    up = start(alone, "up", "--workers", "1")
    below = family(up, 3)
    until(lambda: alone.private_socket().exists(), 20)
    assert "another `quartet up` runs" in start(alone, "up").communicate(timeout=60)[1]
    done = start(alone, "submit", *TRAIN, "--watch")
    done.communicate(timeout=120)
    assert done.returncode == 0
    long_training = ["denoiser", "train", "--data", "digits", "--epochs", "1500"]
    long = start(alone, "submit", *long_training).communicate()[0]
    until(lambda: list(alone.results_dir.glob(".staging/*/checkpoint.npz")), 60, "the first checkpoint")
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=60)
    assert all_gone(below)
    up = start(alone, "up", "--workers", "1")
    below = family(up, 3)
    try:
        until(lambda: alone.private_socket().exists(), 20)
        time.sleep(0.5)
        watched = start(alone, "watch", long.strip())
        assert watched.communicate(timeout=120)[0].strip().endswith("report.html")
    finally:
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=60)
    assert all_gone(below)
