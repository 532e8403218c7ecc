"""Progress is a bar on a terminal, and lines elsewhere."""

import io
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from jobs.client import Client
from jobs.job import Job
from jobs.local.supervisor import Service
from jobs.showing.job_text import describe
from jobs.showing.progress import show_progress
from tests.cli.program import QUARTET, TRAIN, environment, quartet


@pytest.mark.chaos
def test_on_a_terminal_a_bar_shows_epoch_step_loss_and_time_left(service: Service) -> None:
    main_end, terminal = pty.openpty()
    process = subprocess.Popen(
        [QUARTET, "submit", "denoiser", "train", "--data", "digits", "--epochs", "200", "--watch"],
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
    for word in ("denoiser train running", "epoch ", "/200", "step ", "loss 0.", " left"):
        assert word in text, text[-2000:]


@pytest.mark.chaos
def test_elsewhere_each_state_epoch_and_stage_is_a_line_on_standard_error(service: Service) -> None:
    done = quartet(service.settings, "submit", *TRAIN, "--fresh", "--watch")
    job_id, report = done.stdout.split()
    assert report.endswith("report.html")
    lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert all(line.startswith(f"{job_id} ") for line in lines)
    assert any(line.startswith(f"{job_id} running: epoch ") for line in lines)
    assert lines[-1].startswith(f"{job_id} succeeded: ")
    assert len(lines) == len(set(lines))


def running(client: Client, **changes: Any) -> Job:
    job = client.submit("denoiser", "train", data="digits")
    return replace(job, **{"state": "running", **changes})


def updates(job: Job, end: Job) -> Iterator[tuple[Job, dict[str, Any]]]:
    for step in range(20):
        yield job, {"epoch": 0, "epochs": 20, "step": step, "steps": 234, "loss": 0.0981}
        time.sleep(0.05)
    yield end, {}


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_of_any_width_has_room_for_state_bar_epoch_and_time_left(
    client: Client, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    out = Console(
        file=io.StringIO(), force_terminal=True, width=width, color_system="standard", soft_wrap=True
    )
    monkeypatch.setattr("jobs.showing.progress.Console", lambda **_: out)
    job = running(client)
    show_progress(updates(job, replace(job, state="succeeded")))
    assert isinstance(out.file, io.StringIO)
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9?;]*[A-Za-z]", "", out.file.getvalue()))
    bars = [line.rstrip() for line in lines if "running ━" in line]
    assert max(map(cell_len, bars)) <= width
    assert " left" in bars[-1]
    assert " epoch 1/20" in bars[-1]
    assert ("loss 0.0981" in bars[-1]) == (width >= 80), "the loss is shown from the first epoch on"


def test_what_came_of_a_job_is_said_at_its_end(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    best = {"label": "PSNR", "value": "9.1", "unit": "dB"}
    job = running(client, state="succeeded", headline=best, warnings=("worse\nthan the mean image",))
    assert show_progress([(job, {})]) is job
    assert capsys.readouterr().err == f"{job.id} succeeded: PSNR 9.1 dB\nwarning: worse than the mean image\n"
    show_progress([(replace(job, state="failed", warnings=()), {})])
    assert capsys.readouterr().err == f"{job.id} failed\n"


def test_a_terminal_without_cursor_gets_lines(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("jobs.showing.progress.Console", partial(Console, force_terminal=True, width=200))
    job = running(client)
    show_progress([(job, {"stage": "loading TensorFlow"}), (replace(job, state="succeeded"), {})])
    assert capsys.readouterr().err.splitlines() == [
        f"{job.id} running: loading TensorFlow",
        f"{job.id} succeeded",
    ]


def test_a_queued_job_says_what_it_waits_for_as_it_changes(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    job = client.submit("denoiser", "train", data="digits")
    reasons = iter(["", "for a worker; 2 jobs queued before it", "for a GPU", "for a GPU", ""])
    states = [job] * 4 + [replace(job, state="cancelled")]
    show_progress([(each, {}) for each in states], waits=lambda _: next(reasons))
    assert capsys.readouterr().err.splitlines() == [
        f"{job.id} queued",
        f"{job.id} queued: waits for a worker; 2 jobs queued before it",
        f"{job.id} queued: waits for a GPU",
        f"{job.id} cancelled",
    ]


@pytest.mark.parametrize(
    ("most", "text"),
    [
        (71, "epoch 3/20, step 40/234, loss 0.0981 in epoch 2, validation loss 0.1000"),
        (70, "epoch 3/20, loss 0.0981 in epoch 2, validation loss 0.1000"),
        (57, "epoch 3/20, loss 0.0981 in epoch 2"),
        (33, "epoch 3/20"),
        (3, "epoch 3/20"),
    ],
)
def test_progress_in_fewer_words(most: int, text: str) -> None:
    progress = {"epoch": 2, "epochs": 20, "step": 40, "steps": 234, "loss": 0.0981, "validation_loss": 0.1}
    assert describe(progress, most) == text


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        ({}, ""),
        ({"stage": "writing the report"}, "writing the report"),
        ({"stage": "measuring\x1b[2J", "step": 4, "steps": 9}, "measuring[U+001B][2J, step 4/9"),
        ({"epoch": "many", "epochs": 3}, ""),
        ({"epoch": 0, "epochs": 1, "step": 0, "steps": 5}, "epoch 1/1, step 0/5"),
        (
            {"epoch": 2, "epochs": 20, "step": 40, "steps": 234, "loss": 0.09812, "validation_loss": 0.1},
            "epoch 3/20, step 40/234, loss 0.0981 in epoch 2, validation loss 0.1000",
        ),
        (
            {"epoch": 2, "epochs": 20, "step": 0, "steps": 234, "loss": 0.09812},
            "epoch 2/20 done, loss 0.0981",
        ),
        ({"epoch": 20, "epochs": 20, "step": 0, "steps": 234}, "epoch 20/20 done"),
        (
            {"epoch": 0, "epochs": 2, "step": 9, "steps": 234, "loss": 0.7},
            "epoch 1/2, step 9/234, loss 0.7000",
        ),
    ],
)
def test_progress_in_words(progress: dict[str, float | str], text: str) -> None:
    assert describe(progress) == text
