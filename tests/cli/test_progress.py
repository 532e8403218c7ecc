"""Progress is a bar on a terminal, and lines elsewhere."""

import os
import pty
import select
import subprocess

import pytest

from jobs.cli.progress import describe
from jobs.local.supervisor import Service
from tests.cli.program import QUARTET, TRAIN, environment, quartet


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


def test_elsewhere_each_state_epoch_and_stage_is_a_line_on_standard_error(service: Service) -> None:
    done = quartet(service.settings, "submit", *TRAIN, "--watch")
    job_id, report = done.stdout.split()
    assert report.endswith("report.html")
    lines = done.stderr.splitlines()
    assert all(line.startswith(f"{job_id} ") for line in lines)
    assert any(line.startswith(f"{job_id} running: epoch ") for line in lines)
    assert lines[-1] == f"{job_id} succeeded"
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        ({}, ""),
        ({"stage": "writing the report"}, "writing the report"),
        ({"epoch": 0, "epochs": 1, "step": 0, "steps": 5}, "epoch 1/1, step 0/5"),
        (
            {"epoch": 2, "epochs": 20, "step": 40, "steps": 234, "loss": 0.09812, "validation_loss": 0.1},
            "epoch 3/20, step 40/234, loss 0.0981, validation loss 0.1000",
        ),
        ({"epoch": 20, "epochs": 20, "step": 0, "steps": 234}, "epoch 20/20, step 0/234"),
    ],
)
def test_progress_in_words(progress: dict[str, float | str], text: str) -> None:
    assert describe(progress) == text
