"""The process that draws reports does what this one would, and its death loses no report."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from jobs.errors import DamagedFolder, ReportNotDrawn
from tests.support.report_folders import hostile_record, write_folder
from worker.engine import drawing
from worker.engine.failures import sentence
from worker.engine.wings import wing
from worker.report.job_page import render

pytestmark = pytest.mark.chaos


@pytest.fixture
def drawn_elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Reports are drawn by another process, as for a worker's pool."""
    monkeypatch.setattr(drawing, "_process", None)
    drawing.begin()
    yield
    for child in drawers():
        child.kill()


def drawers() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "worker.engine.drawing" in child.cmdline()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a job that has failed, without its page."""
    return write_folder(tmp_path, hostile_record())


@pytest.mark.usefixtures("drawn_elsewhere")
def test_another_process_draws_what_this_one_would(folder: Path) -> None:
    drawing.draw(folder, "textgen")
    page = (folder / "report.html").read_bytes()
    render(folder, wing("textgen"))
    assert (folder / "report.html").read_bytes() == page
    assert len(drawers()) == 1


@pytest.mark.usefixtures("drawn_elsewhere")
def test_a_process_that_was_killed_is_replaced(folder: Path) -> None:
    drawing.get_ready()
    for _ in range(2):
        (killed,) = drawers()
        killed.kill()
        drawing.draw(folder, "textgen")
        assert (folder / "report.html").stat().st_size > 1000


@pytest.mark.usefixtures("drawn_elsewhere")
def test_the_next_job_does_not_wait_for_a_report_that_is_being_drawn() -> None:
    assert drawing._process is not None
    with drawing._process._lock:
        drawing.get_ready()
    assert drawers() == []
    drawing.get_ready()
    assert len(drawers()) == 1


@pytest.mark.usefixtures("drawn_elsewhere")
def test_a_process_that_is_killed_each_time_fails_the_report_with_a_sentence(folder: Path) -> None:
    assert drawing._process is not None
    drawing._process._command[-2:] = ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    with pytest.raises(ReportNotDrawn, match="the process that draws it ended"):
        drawing.draw(folder, "textgen")


@pytest.mark.usefixtures("drawn_elsewhere")
def test_its_errors_are_those_of_this_process_and_it_goes_on(folder: Path) -> None:
    with pytest.raises(ReportNotDrawn) as raised:
        drawing.draw(cast("Any", 7), "textgen")
    assert sentence(raised.value).startswith("internal error, TypeError: ")
    assert "job_page.py" in raised.value.__notes__[0]
    (folder / "job.json").write_text("[")
    with pytest.raises(DamagedFolder, match="job"):
        drawing.draw(folder, "textgen")
    (folder / "job.json").unlink()
    folder.rmdir()
    folder.write_text("no folder")
    with pytest.raises((OSError, DamagedFolder)):
        drawing.draw(folder, "textgen")
    assert len(drawers()) == 1
