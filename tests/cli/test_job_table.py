"""`quartet list` fits the terminal: columns shrink, then leave in an order, and no line is broken."""

import os
import pty
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from jobs.cli.job_table import show_jobs
from jobs.client import Client
from jobs.job import Job
from jobs.showing.job_text import headline_text
from jobs.specs.stored_spec import StoredSpec
from tests.cli.program import QUARTET, environment

HEADLINE = {"label": "PSNR, denoised", "value": "17.31", "unit": "dB"}
WARNING = "no better than always the mean training image"
COLUMNS = ["JOB", "STATE", "WHAT", "RESULT", "SUBMITTED", "NAME"]


def job(number: int, **changes: Any) -> Job:
    about = {
        "id": f"20261123-221530-{number:03d}-k7qd", "model": "autoencoder", "action": "evaluate", "name": None,
        "state": "succeeded", "attempt": 1, "submitted": "2026-11-23T22:15:30Z", "started": None,
        "finished": None, "worker": None, "error": None, "headline": None, "report": None, "continues": None,
        "read_stored": lambda: StoredSpec({}), **changes,
    }  # fmt: skip
    return Job(**about)


JOBS = [
    job(1, headline=HEADLINE, name="a name of thirty characters, no", metrics={"psnr_db": 17.3123456}),
    job(2, headline=HEADLINE, warnings=(WARNING,), name="日本語の実験と日本語の実験"),
    job(3, state="failed", error="the loss of epoch 3 is nan: training diverged\nat step 40"),
    job(4, state="running", name="now"),
    job(5, state="queued", model="m" * 60, name="\x1b[2J" + "n" * 300),
    job(6, state="cancelled", error="a stop was requested"),
]
PROGRESS = {
    JOBS[3].id: {"epoch": 2, "epochs": 20, "step": 40, "steps": 234, "loss": 0.0981, "validation_loss": 0.1}
}


def shown(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    width: int | None,
    jobs: Sequence[Job] = JOBS,
    metric: str | None = None,
) -> list[str]:
    monkeypatch.setattr("jobs.cli.job_table.line_width", lambda: width)
    show_jobs(jobs, PROGRESS, metric)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [*range(34, 130, 3), 200, 400])
def test_no_line_is_wider_than_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    for metric in (None, "psnr_db"):
        lines = shown(capsys, monkeypatch, width, metric=metric)
        assert len(lines) == 1 + len(JOBS)
        assert max(map(cell_len, lines)) <= width
        assert [line[:24] for line in lines[1:]] == [each.id for each in JOBS]
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (200, []),
        (120, []),
        (100, []),
        (80, ["SUBMITTED"]),
        (70, ["SUBMITTED", "NAME"]),
        (60, ["SUBMITTED", "NAME", "WHAT"]),
        (40, ["SUBMITTED", "NAME", "WHAT", "RESULT"]),
        (30, ["SUBMITTED", "NAME", "WHAT", "RESULT", "STATE"]),
    ],
)
def test_columns_leave_in_an_order(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, left_out: list[str]
) -> None:
    usual = [each for each in JOBS if each.state != "queued"]
    lines = shown(capsys, monkeypatch, width, usual)
    assert lines[0].split() == [column for column in COLUMNS if column not in left_out]


def test_a_list_by_a_number_keeps_names_rather_than_results(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    header, *_ = shown(capsys, monkeypatch, 80, JOBS[:4], metric="psnr_db")
    assert header.split() == ["JOB", "STATE", "WHAT", "psnr_db", "NAME"]


def test_a_narrow_result_keeps_its_number_its_mark_and_its_epoch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plain, doubtful, failed, running, *_ = shown(capsys, monkeypatch, 80, JOBS[:4])
    assert " PSNR,… 17.31 dB " in f"{plain} "
    assert " ! PSN… 17.31 dB " in f"{doubtful} "
    long = job(
        7, headline={"label": "Held-out", "value": "0.2652", "unit": "nats per character"}, name="n" * 9
    )
    assert " Held-out 0.2652 " in shown(capsys, monkeypatch, 80, [long])[1]
    assert " the loss of ep…" in failed
    refused = job(
        8, state="failed", error="/own/folder/cats.npz: expected an array x_train, got foo", name="n" * 9
    )
    assert " cats.npz: got foo " in f"{shown(capsys, monkeypatch, 80, [refused])[1]} "
    assert " epoch 3/20 " in f"{running} "


def test_what_is_no_terminal_gets_whole_texts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "\n".join(shown(capsys, monkeypatch, None))
    assert f"! PSNR, denoised 17.31 dB ({WARNING})" in lines
    assert "the loss of epoch 3 is nan: training diverged at step 40" in lines
    assert "epoch 3/20, step 40/234, loss 0.0981 in epoch 2, validation loss 0.1000" in lines
    assert "a name of thirty characters, no" in lines
    assert "\tstopped on request\t" in "\n".join(
        shown(capsys, monkeypatch, None, [job(7, state="cancelled")])
    ), "a cancelled job without a reason has one"
    reason = "the data cannot be read:\t" + "why " * 70
    row = shown(capsys, monkeypatch, None, [job(8, state="failed", error=reason, name="mine")])[1].split("\t")
    assert row[3:] == [reason.replace("\t", " "), row[4], "mine"], "cells are whole, with one tab in between"


def test_a_label_that_ends_in_a_number_is_set_off_from_its_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    best = {"label": "Balanced accuracy at 0.5", "value": "0.5", "unit": ""}
    assert "Balanced accuracy at 0.5: 0.5" in shown(capsys, monkeypatch, None, [job(1, headline=best)])[1]
    assert headline_text(job(1, headline=best)) == "Balanced accuracy at 0.5: 0.5"
    assert headline_text(job(1, headline=HEADLINE)) == "PSNR, denoised 17.31 dB"


def test_a_list_that_is_sorted_by_a_number_shows_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    header, first, *others = shown(capsys, monkeypatch, 120, JOBS[:4], metric="psnr_db")
    assert "psnr_db" in header.split()
    assert first[header.index("psnr_db") :].startswith("17.312 ")
    assert "17.312" not in "".join(others)


def test_an_empty_list_is_its_header(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(capsys, monkeypatch, 80, [])[0].split() == COLUMNS


@pytest.mark.parametrize(
    ("term", "colours"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_on_a_terminal_there_are_colours_unless_it_has_none(
    client: Client, tmp_path: Path, term: dict[str, str], colours: bool
) -> None:
    client.submit("autoencoder", "train", data="digits", name="n" * 80)
    main_end, terminal = pty.openpty()
    with (tmp_path / "error").open("w") as error:
        process = subprocess.run(
            [QUARTET, "list"],
            env={"NO_COLOR": "", **environment(client.settings, TERM="xterm", COLUMNS="80"), **term},
            stdout=terminal,
            stderr=error,
            timeout=100,
        )
    os.close(terminal)
    text = os.read(main_end, 65_536).decode()
    os.close(main_end)
    assert process.returncode == 0
    assert ("\x1b[33mqueued" in text) == colours
    assert ("\x1b" in text) == colours
    if not colours:
        assert max(map(cell_len, text.splitlines())) <= 80
