"""What the reports of the review model show."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scipy import stats

from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import MARKUP, TEXTS, do
from worker.engine.wings import wing
from worker.report.blocks import Figure, Table, Text
from worker.report.formatting import number
from worker.report.job_page import render
from worker.tasks.sentiment import figures, report
from worker.tasks.sentiment.confusion import Confusion, Target
from worker.tasks.sentiment.reviews import EXCERPT, excerpt
from worker.tasks.sentiment.threshold_texts import target_text, trade_off_text
from worker.tasks.sentiment.wording import rounded, rounded_percent, threshold_text

ROOT = Path(__file__).parents[3]


def test_each_action_has_something_to_show(tmp_path: Path, trained: JobFolder, evaluated: JobFolder) -> None:
    classes, _, reading, words = report.present(trained)
    assert isinstance(classes, Text)
    metrics = trained.metrics
    assert (
        f"{metrics['positive_validation_reviews']:.0f} of the 120 validation reviews are positive"
        in classes.body
    )
    assert isinstance(reading, Text)
    assert "reads the last 30 words of a review" in reading.body
    assert isinstance(words, Text)
    shown = list(report.present(evaluated))
    figures = {part.name for part in shown if isinstance(part, Figure)}
    assert figures == {"confusion", "precision_recall", "roc", "thresholds", "by_length"}
    assert all(part.alt for part in shown if isinstance(part, Figure))
    (text,) = [part for part in shown if isinstance(part, Text)]
    assert "of the 300 test reviews positive" in text.body
    titles = [part.title for part in shown if isinstance(part, Table)]
    assert titles == [
        "Beside constant answers",
        "Classification report",
        "What precision costs",
        "Its most confident mistakes",
    ]
    labelled = do(tmp_path, "generate", source=trained, text=TEXTS)
    (table,) = report.present(JobFolder(labelled.folder))
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows][:2] == ["positive", "negative"]


def test_an_evaluation_leads_with_the_classes_and_what_constant_answers_have(evaluated: JobFolder) -> None:
    table = next(iter(report.present(evaluated)))
    assert isinstance(table, Table)
    metrics = evaluated.metrics
    positive = metrics["positive_reviews"]
    assert (
        f"{positive:.0f} of the 300 test reviews are positive ({rounded_percent(positive, 300)})"
        in table.caption
    )
    ours, everything, nothing = ([*row] for row in table.rows)
    assert ours[:2] == ["this model at 0.5", f"{metrics['balanced_accuracy']:.4f}"]
    share, f1 = positive / 300, 2 * positive / (300 + positive)
    expected = ["0.5000", *(f"{value:.4f}" for value in (share, share, 1, f1))]
    assert everything == ["every review called positive", *expected]
    assert nothing == ["every review called negative", "0.5000", f"{1 - share:.4f}", "–", "0.0000", "0.0000"]


def curve_rows(precision: list[float], recall: list[float], false: list[float]) -> list[dict[str, float]]:
    names = ("threshold", "precision", "recall", "f1", "false_positive_rate")
    f1 = [2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(precision, recall, strict=True)]
    at = [0.1 * (place + 1) for place in range(len(recall))]
    return [dict(zip(names, row, strict=True)) for row in zip(at, precision, recall, f1, false, strict=True)]


COUNTS = {"true_positives": 50, "false_negatives": 50, "false_positives": 20, "true_negatives": 80}


@pytest.mark.parametrize(
    ("precision", "said"),
    [
        ([0.5, 0.6, 0.8], "precision rises from 0.500 to 0.800"),
        ([0.5, 0.5, 0.5], "precision stays the same"),
        (
            [0.5, 0.8, 0.6],
            "precision goes from 0.500 to 0.600, not always rising, and is highest, 0.800, at 0.200",
        ),
    ],
)
def test_a_text_says_what_precision_does_and_not_what_it_should(precision: list[float], said: str) -> None:
    rows = curve_rows(precision, [1.0, 0.6, 0.3], [1.0, 0.2, 0.1])
    figure = figures.thresholds(rows, COUNTS | {"threshold": 0.5})
    assert said in figure.alt


def test_the_precision_of_a_handful_of_reviews_is_neither_drawn_nor_quoted() -> None:
    # At the last threshold one review is called positive, wrongly.
    rows = curve_rows([0.5, 0.75, 0.9, 0.0], [1.0, 0.6, 0.3, 0.0], [1.0, 0.2, 0.03, 0.01])
    metrics = COUNTS | {"threshold": 0.25, "precision": 50 / 70, "recall": 0.5, "average_precision": 0.8}
    for figure in (figures.thresholds(rows, metrics), figures.precision_recall(rows, metrics)):
        assert "precision 0.900" in figure.alt
        assert "precision 0.000" not in figure.alt
        lines = {line.get_label(): line for line in figure.drawing.axes[0].lines}
        line = lines.get("precision") or lines["this network"]
        assert list(line.get_ydata()) == [0.5, 0.75, 0.9]
        assert "at least 10 reviews are called positive" in figure.caption


def test_thresholds_that_call_nothing_positive_are_told_of_without_an_empty_table(
    tmp_path: Path, evaluated: JobFolder
) -> None:
    folder = shutil.copytree(evaluated.path, tmp_path / "a")
    prices = folder / "precision_price.csv"
    prices.write_text(prices.read_text().splitlines()[0] + "\n")
    shown = {block.title: block for block in report.present(JobFolder(folder))}
    assert isinstance(shown["What precision costs"], Text)


def test_reviews_of_one_length_are_no_range() -> None:
    rows = [
        {"from": 42.0, "to": 42.0, "reviews": 1.0, "accuracy": 0.0},
        {"from": 56.0, "to": 98.0, "reviews": 49.0, "accuracy": 5 / 7},
    ]
    figure = figures.by_length(rows, 0.7, 60)
    assert "42 words: 0.000 of 1 review; 56 to 98 words: 0.714 of 49 reviews." in figure.alt
    assert "42 to 42" not in figure.alt


def test_nothing_called_positive_is_no_precision_of_zero() -> None:
    metrics = Confusion(95, 0, 5, 0)._asdict() | {"reviews": 100, "threshold": 0.5}
    text = trade_off_text(metrics, [])
    assert "calls 0 of the 100 test reviews positive." in text
    assert "precision" not in text


@pytest.mark.parametrize(
    ("test", "validation", "said"),
    [(0.87, 0.90, "harder"), (0.90, 0.87, "easier"), (0.87, 0.875, None)],
)
def test_a_target_says_if_test_reviews_differ_from_those_it_was_chosen_by(
    test: float, validation: float, said: str | None
) -> None:
    metrics = {
        "target_precision": 0.9, "validation_precision": 0.92, "validation_bound": 0.905, "precision": 0.89,
        "precision_low": 0.885, "precision_high": 0.895, "recall": 0.7, "threshold": 0.75,
        "balanced_accuracy_at_half": test, "balanced_accuracy_at_half_low": test - 0.004,
        "balanced_accuracy_at_half_high": test + 0.004, "validation_balanced_accuracy": validation,
        "validation_balanced_accuracy_low": validation - 0.012,
        "validation_balanced_accuracy_high": validation + 0.012,
    }  # fmt: skip
    text = target_text(metrics)
    assert "(95 % interval 0.8850 to 0.8950): the target is missed, by 0.0100." in text
    assert (f"{said} than the validation reviews, beyond chance" in text) == (said is not None)
    assert ("beyond chance" in text) == (said is not None)


def test_a_folder_of_an_earlier_version_has_its_report(
    tmp_path: Path, trained: JobFolder, evaluated: JobFolder
) -> None:
    kept = {
        "accuracy", "precision", "recall", "f1", "roc_auc", "average_precision", "threshold", "loss", "reviews",
        "true_negatives", "false_positives", "false_negatives", "true_positives", "accuracy_low",
        "accuracy_high", "f1_low", "f1_high", "validation_accuracy", "validation_loss", "best_epoch",
    }  # fmt: skip
    for folder, added in (
        (evaluated, {"target_precision": 0.9, "validation_precision": 0.91, "validation_recall": 0.5}),
        (trained, {}),
    ):
        earlier = tmp_path / folder.path.name
        shutil.copytree(folder.path, earlier)
        metrics = {name: value for name, value in folder.metrics.items() if name in kept}
        write_json(earlier / "metrics.json", metrics | added)
        titles = [block.title for block in report.present(JobFolder(earlier))]
        assert ("What was asked for" in titles) == (folder is evaluated)


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ({"split_by": "group"}, "One in ten groups of films"),
        ({"split_by": "text"}, "on reviews of new ones, expect somewhat lower numbers"),
        ({}, None),
    ],
)
def test_a_training_page_says_how_validation_reviews_were_chosen_where_that_is_known(
    tmp_path: Path, trained: JobFolder, recorded: dict[str, str], said: str | None
) -> None:
    folder = tmp_path / "job"
    shutil.copytree(trained.path, folder)
    write_json(folder / "job.json", trained.job | {"data": {"imdb": recorded}})
    texts = {block.title: block for block in report.present(JobFolder(folder))}
    found = texts.get("How validation reviews are chosen")
    if said is None:
        assert found is None
    else:
        assert isinstance(found, Text)
        assert said in found.body


def test_markup_in_a_review_stays_text(tmp_path: Path, trained: JobFolder, evaluated: JobFolder) -> None:
    context = do(tmp_path, "generate", source=trained, text=[f"clever plot {MARKUP}", "\x1b[31m\x00 dull"])
    (table,) = report.present(JobFolder(context.folder))
    assert isinstance(table, Table)
    assert table.rows[1][-1] == "“[31m dull”"
    for folder in (context.folder, evaluated.path):
        render(folder, wing("sentiment"))
        page = (folder / "report.html").read_text(encoding="utf-8")
        assert "<script>document" not in page
        assert "&lt;script&gt;document.title = &#39;owned&#39;&lt;/script&gt;{{ 7 * 7 }}" in page


@pytest.mark.parametrize(("right", "count"), [(0, 7), (83, 120), (7, 7), (12_345, 25_000)])
def test_the_bars_of_accuracies_are_intervals_of_wilson(right: int, count: int) -> None:
    rows = [{"from": 1, "to": 9, "reviews": count, "accuracy": right / count}]
    ((down,), (up,)) = figures._error_bars(rows)
    low, high = stats.binomtest(right, count).proportion_ci(method="wilson")
    assert right / count - down == pytest.approx(low, abs=1e-9)
    assert right / count + up == pytest.approx(high, abs=1e-9)


def test_a_report_is_made_without_tensorflow(evaluated: JobFolder) -> None:
    code = (
        "import sys; from pathlib import Path; from jobs.store.job_folder import JobFolder; "
        "from worker.tasks.sentiment import report; "
        f"blocks = list(report.present(JobFolder(Path({str(evaluated.path)!r})))); "
        "print(len(blocks), sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.split(maxsplit=1) == ["10", "[]\n"]


def test_an_excerpt_is_one_printable_line_with_the_beginning_and_the_end() -> None:
    assert excerpt("a\x1b[31m\n\n b") == "a [31m b"
    long = excerpt("a" * 1_000 + "b" * 1_000)
    assert long == f"{'a' * 150} … {'b' * 150}"
    assert len(long) == EXCERPT + 3


def test_a_number_is_rounded_in_texts_as_in_the_tables_of_the_page(
    tmp_path: Path, trained: JobFolder, evaluated: JobFolder
) -> None:
    """0.81875 lies between two numbers of four decimals, and binary numbers do not have it."""
    (elsewhere,) = {"0.8187", "0.8188"} - {number(0.81875, 4)}
    for value in (0.81875, 0.00625, 0.5, 1 / 3):
        assert rounded(value) == number(value, 4)
    assert rounded_percent(131, 160) == f"{number(81.875, 1)} %"
    for folder in (trained, evaluated):
        halves = {
            name: 0.81875 if name.endswith(("accuracy", "f1", "precision", "recall", "roc_auc")) else value
            for name, value in folder.metrics.items()
        }
        shutil.copytree(folder.path, tmp_path / folder.path.name)
        write_json(tmp_path / folder.path.name / "metrics.json", halves)
        for block in report.present(JobFolder(tmp_path / folder.path.name)):
            assert elsewhere not in str(block), block.title


def test_a_threshold_of_one_is_written_as_one() -> None:
    assert [threshold_text(value) for value in (1.0, 0.0, 0.5, 1e-7)] == ["1", "0", "0.5", "0.0000001"]


@pytest.mark.parametrize(
    ("target", "row", "said"),
    [
        (
            "precision",
            (10, 56),
            "At 0.9, the threshold for a precision of 95 %, 10 instead of 20 would be called positive wrongly, and "
            "56 instead of 50 positive ones would be missed: 0.6 more missed for each mistake avoided.",
        ),
        (
            "recall",
            (30, 46),
            "At 0.9, the threshold for a recall of 95 %, 46 instead of 50 positive ones would be missed, and 30 "
            "instead of 20 would be called positive wrongly: 2.5 more mistakes for each one found.",
        ),
        ("recall", (20, 46), "and 20 instead of 20 would be called positive wrongly. Raise"),
        ("precision", (20, 56), None),
        ("recall", (20, 50), None),
    ],
)
def test_another_threshold_is_told_of_with_its_price(
    target: Target, row: tuple[int, int], said: str | None
) -> None:
    price = {"target": 0.95, "threshold": 0.9, "false_positives": row[0], "false_negatives": row[1]}
    text = trade_off_text(COUNTS | {"threshold": 0.5, "reviews": 200}, [price | {"target": 0}, price], target)
    assert ("At 0.9" in text) == (said is not None)
    assert said is None or said in text
