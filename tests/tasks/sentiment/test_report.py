"""What the reports of the review model show."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import MARKUP, TEXTS, do, predictions
from worker.engine.wings import wing
from worker.report.blocks import Figure, Table, Text
from worker.report.job_page import render
from worker.tasks.sentiment import figures, report
from worker.tasks.sentiment.reviews import EXCERPT, excerpt

ROOT = Path(__file__).parents[3]


def test_each_action_has_something_to_show(tmp_path: Path, trained: JobFolder, evaluated: JobFolder) -> None:
    reading, words = report.present(trained)
    assert isinstance(reading, Text)
    assert "reads the last 30 words of a review" in reading.body
    assert isinstance(words, Text)
    shown = list(report.present(evaluated))
    figures = {part.name for part in shown if isinstance(part, Figure)}
    assert figures == {"confusion", "precision_recall", "roc", "thresholds", "by_length"}
    assert all(part.alt for part in shown if isinstance(part, Figure))
    (text,) = [part for part in shown if isinstance(part, Text)]
    assert "test reviews positive" in text.body
    titles = [part.title for part in shown if isinstance(part, Table)]
    assert titles == ["Classification report", "What precision costs", "Where it is surest and wrong"]
    labelled = do(tmp_path, "generate", source=trained, text=TEXTS)
    (table,) = report.present(JobFolder(labelled.folder))
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows][:2] == ["positive", "negative"]


def test_markup_in_a_review_stays_text_and_no_table_takes_it_for_a_formula(
    tmp_path: Path, trained: JobFolder, evaluated: JobFolder
) -> None:
    context = do(
        tmp_path,
        "generate",
        source=trained,
        text=[f"clever plot {MARKUP}", "=HYPERLINK(1)", "\x1b[31m\x00 dull"],
    )
    assert all(row["text"].startswith("“") for row in predictions(context.folder))
    assert predictions(context.folder)[2]["text"] == "“[31m dull”"
    for folder in (context.folder, evaluated.path):
        render(folder, wing("sentiment"))
        page = (folder / "report.html").read_text(encoding="utf-8")
        assert "<script>document" not in page
        assert "&lt;script&gt;document.title = &#39;owned&#39;&lt;/script&gt;{{ 7 * 7 }}" in page


@pytest.mark.parametrize(("right", "count"), [(0, 7), (1, 7), (83, 120), (7, 7), (12_345, 25_000)])
def test_the_intervals_of_accuracies_are_those_of_wilson(right: int, count: int) -> None:
    share, z = right / count, 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5 / (1 + z * z / count)
    rows = [{"from": 1, "to": 9, "reviews": count, "accuracy": share}]
    ((down,), (up,)) = figures._error_bars(rows)
    assert down >= 0
    assert up >= 0
    assert share - down == pytest.approx(middle - half, abs=2e-5)
    assert share + up == pytest.approx(middle + half, abs=2e-5)


def test_a_report_is_made_without_tensorflow(evaluated: JobFolder) -> None:
    code = (
        "import sys; from pathlib import Path; from jobs.store.job_folder import JobFolder; "
        "from worker.tasks.sentiment import report; "
        f"blocks = list(report.present(JobFolder(Path({str(evaluated.path)!r})))); "
        "print(len(blocks), sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.split(maxsplit=1) == ["9", "[]\n"]


def test_an_excerpt_is_one_printable_line_with_the_beginning_and_the_end() -> None:
    assert excerpt("a\x1b[31m\n\n b") == "a [31m b"
    long = excerpt("a" * 1_000 + "b" * 1_000)
    assert long == f"{'a' * 150} … {'b' * 150}"
    assert len(long) == EXCERPT + 3
