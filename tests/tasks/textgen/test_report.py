"""Each action's report shows what the job left, with markup escaped."""

from pathlib import Path
from typing import Any

from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from tests.tasks.textgen.jobs import MARKUP, do
from worker.engine.wings import wing
from worker.report.blocks import Columns, Figure, Table, Text
from worker.report.job_page import render
from worker.tasks.textgen import report


def test_each_action_has_something_to_show(tmp_path: Path, trained: JobFolder) -> None:
    evaluated = JobFolder(do(tmp_path / "evaluated", "evaluate", source=trained).folder)
    written = do(
        tmp_path / "written", "generate", source=trained, prompt="The ", temperature=[0, 1.0], length=200
    )
    (known,) = report.present(trained)
    assert isinstance(known, Text)
    assert r"\n" in known.body
    shown = list(report.present(evaluated))
    assert {"comparison", "calibration"} <= {part.name for part in shown if isinstance(part, Figure)}
    (verdict,) = [part.body for part in shown if isinstance(part, Text)]
    assert verdict.startswith("No, the 5-gram wins: ")
    shown = list(report.present(JobFolder(written.folder)))
    (columns,) = [part for part in shown if isinstance(part, Columns)]
    assert [text.title for text in columns.texts] == ["Temperature 0", "Temperature 1"]
    assert all(text.body.startswith("The ") and text.monospace for text in columns.texts)
    (table,) = [part for part in shown if isinstance(part, Table)]
    assert [row[0] for row in table.rows] == ["0", "1"]
    assert (written.folder / "samples.txt").read_text().startswith("=== temperature 0, text 1 ===\n\nThe ")


def test_markup_in_a_text_stays_text(tmp_path: Path, trained: JobFolder) -> None:
    context = do(tmp_path, "generate", source=trained, prompt=MARKUP, temperature=[0], length=20)
    record = JobFolder(context.folder).job
    write_json(context.folder / "job.json", finished_record(record))
    render(context.folder, wing("textgen"))
    page = (context.folder / "report.html").read_text(encoding="utf-8")
    assert "<script>document" not in page
    assert "&lt;script&gt;document.title = &#39;owned&#39;&lt;/script&gt;{{ 7 * 7 }}" in page


def finished_record(record: dict[str, Any]) -> dict[str, Any]:
    """What `worker.engine.attempt` adds to `job.json`."""
    moment = "2026-11-23T22:15:30.042Z"
    return record | {
        "attempt": 1,
        "times": {"submitted": moment, "started": moment, "finished": moment},
        "seconds": 1.0,
        "command": "quartet submit textgen generate",
        "device": {"kind": "cpu", "name": "a processor"},
        "versions": {"python": "3.11.9"},
        "worker": "worker-1@host",
        "headline": None,
        "error": None,
        "log_end": None,
        "timeline": [],
    }
