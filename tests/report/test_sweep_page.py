"""The page of a sweep that advances: when it is written, and what does not keep the sweep from going on."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.ledger.sweep_record import SweepRecord
from jobs.store.results import Results
from jobs.sweeps import sweep_folder
from jobs.sweeps.sweep_folder import delete_sweep
from tests.report.compared_folders import GOAL, id_of, write_run
from tests.report.compared_folders import write_sweep as write_jobs
from tests.report.pages import Page
from worker.report import sweep_page
from worker.report.sweep_page import SweepPages


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, as its one entry."""
    now = [1_000.0]
    monkeypatch.setattr(sweep_page.time, "monotonic", lambda: now[0])
    return now


def page(root: Path) -> Path:
    return root / "sweeps" / "rates" / "compare.html"


def write_sweep(root: Path, points: int, **how: Any) -> SweepRecord:
    """A sweep with its jobs and its file."""
    record = write_jobs(root, points, **how)
    sweep_folder.write_sweep(Results(root), record)
    return record


def test_it_is_written_as_the_sweep_advances_but_not_too_often(tmp_path: Path, clock: list[float]) -> None:
    sweep = write_sweep(tmp_path, 4, missing=[3], state="running")
    pages = SweepPages(Results(tmp_path), seconds=10)
    assert pages.write_if_due(sweep)
    assert "3 runs, 1 job still to end." in Page(page(tmp_path)).text
    write_run(tmp_path, 3, sweep.entries[3].point)
    clock[0] += 9
    assert not pages.write_if_due(sweep)
    clock[0] += 2
    assert pages.write_if_due(sweep), "another job has ended, though nothing of the sweep has changed"
    assert "4 runs." in Page(page(tmp_path)).text
    clock[0] += 11
    assert not pages.write_if_due(sweep), "nothing has changed"


def test_the_last_page_is_written_at_once_and_once(tmp_path: Path, clock: list[float]) -> None:
    sweep = write_sweep(tmp_path, 2, state="running")
    pages = SweepPages(Results(tmp_path), seconds=10)
    assert pages.write_if_due(sweep)
    ended = replace(sweep, state="ended", ended=2, changes=2, why="all 2 trials have ended")
    clock[0] += 1
    assert pages.write_if_due(ended)
    assert "The sweep has ended: all 2 trials have ended." in Page(page(tmp_path)).text
    clock[0] += 100
    assert not pages.write_if_due(ended)
    later = SweepPages(Results(tmp_path))
    assert not later.write_if_due(ended), "nor by a worker that starts later"
    clock[0] += 100
    assert not later.write_if_due(ended)


def test_a_sweep_that_has_ended_is_looked_at_seldom(tmp_path: Path, clock: list[float]) -> None:
    ended = write_sweep(tmp_path, 2)
    pages = SweepPages(Results(tmp_path), seconds=10)
    assert pages.is_due("rates", "ended")
    pages.write_if_due(ended)
    clock[0] += 59
    assert not pages.is_due("rates", "ended")
    assert pages.is_due("rates", "running"), "it goes on"
    clock[0] += 2
    assert pages.is_due("rates", "ended")


def test_a_folder_that_comes_late_is_on_the_page_soon(tmp_path: Path, clock: list[float]) -> None:
    ended = write_sweep(tmp_path, 2, missing=[1])
    pages = SweepPages(Results(tmp_path), seconds=10)
    assert pages.write_if_due(ended)
    write_run(tmp_path, 1, ended.entries[1].point)
    clock[0] += 11
    assert pages.write_if_due(ended)


def test_a_worker_that_starts_later_writes_a_last_page_that_is_missing_or_older(tmp_path: Path) -> None:
    ended = write_sweep(tmp_path, 2)
    assert SweepPages(Results(tmp_path)).write_if_due(ended)
    os.utime(page(tmp_path), (0, 0))
    assert SweepPages(Results(tmp_path)).write_if_due(replace(ended, ended=1_000_000))


def test_whatever_goes_wrong_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sweep = write_sweep(tmp_path, 2)
    page(tmp_path).mkdir()
    assert not SweepPages(Results(tmp_path)).write_if_due(sweep)
    assert "the page of the sweep rates could not be written" in caplog.text
    assert not SweepPages(Results(tmp_path)).write_if_due(replace(sweep, described='{"name": 1}'))


def test_a_damaged_job_does_not_keep_the_page_from_the_others(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path, 3, missing=[1])
    (tmp_path / id_of(1)).mkdir()
    (tmp_path / id_of(1) / "job.json").write_text("{")
    assert SweepPages(Results(tmp_path)).write_if_due(sweep)
    assert "3 runs, 1 damaged." in Page(page(tmp_path)).text
    assert GOAL not in Page(page(tmp_path)).text.split("quartetCompare")[0]


@pytest.mark.parametrize("moment", ["before the page is drawn", "while it is drawn"])
def test_a_sweep_that_is_deleted_meanwhile_gets_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    sweep, results, draw = write_sweep(tmp_path, 2), Results(tmp_path), sweep_page.write_sweep_page

    def delete_and_draw(results: Results, sweep: SweepRecord, path: Path, **how: Any) -> None:
        delete_sweep(results, sweep.name)
        path.parent.mkdir()  # as if it was deleted in part when the page was written
        draw(results, sweep, path, **how)

    if moment == "while it is drawn":
        monkeypatch.setattr(sweep_page, "write_sweep_page", delete_and_draw)
    else:
        delete_sweep(results, sweep.name)
    assert not SweepPages(results).write_if_due(sweep)
    assert list((tmp_path / "sweeps").iterdir()) == []
