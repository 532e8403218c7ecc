"""Thresholds that are chosen for a precision or a recall."""

import csv
import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from jobs.errors import InvalidJob
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import SOURCE, do, scored
from worker.context import JobContext
from worker.report.blocks import Table, Text
from worker.tasks.sentiment import report, thresholds
from worker.tasks.sentiment.thresholds import Target, choose, threshold_between
from worker.tasks.sentiment.wording import threshold_text

SCORE = {"precision": sk.precision_score, "recall": sk.recall_score}
RUNS = 300
WIDTH = 1.15
"""How far apart the logits of both classes are: 87.5 % are on their side of 0.5, as on IMDB."""


def bound(target: str, labels: np.ndarray, called: np.ndarray) -> float:
    """The lower bound by Clopper and Pearson, one-sided, 95 %."""
    hits = int((labels & called).sum())
    count = int(called.sum() if target == "precision" else labels.sum())
    return float(stats.binomtest(hits, count, alternative="greater").proportion_ci(0.95, "exact").low)


def clear_scores(count: int, positive: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = (rng.random(count) < positive).astype(np.uint8)
    logits = rng.normal((2.0 * labels - 1) * WIDTH, 1) * 2 * WIDTH
    return labels, np.round(1 / (1 + np.exp(-logits)), 7)


def true_share(target: str, threshold: float, positive: float) -> float:
    """The precision or recall of a threshold on endless scores like `clear_scores`."""
    at = np.log(threshold / (1 - threshold)) / (2 * WIDTH)
    right, wrong = positive * stats.norm.sf(at - WIDTH), (1 - positive) * stats.norm.sf(at + WIDTH)
    return float(right / (right + wrong) if target == "precision" else right / positive)


@pytest.mark.parametrize("target", ["precision", "recall"])
@pytest.mark.parametrize("share", [0.6, 0.75, 0.9, 0.999])
def test_a_threshold_is_the_best_of_all_whose_lower_bound_reaches_the_target(
    target: Target, share: float
) -> None:
    labels, probabilities = scored()
    bounds = {
        float(score): bound(target, labels, probabilities >= score) for score in np.unique(probabilities)
    }
    reaching = [score for score, low in bounds.items() if low >= share]
    choice = choose(target, share, labels, probabilities)
    assert choice.reached == bool(reaching)
    called = probabilities >= choice.threshold
    least = float(probabilities[called].min())
    if reaching:
        assert least == (min(reaching) if target == "precision" else max(reaching))
    assert choice.bound == pytest.approx(bounds[least] if reaching else max(bounds.values()))
    assert choice.precision == pytest.approx(sk.precision_score(labels, called))
    assert choice.recall == pytest.approx(sk.recall_score(labels, called))


@pytest.mark.parametrize("share", [0.7, 0.9])
def test_a_threshold_lies_between_scores_and_its_text_decides_as_it_does(share: float) -> None:
    labels, probabilities = clear_scores(500, 0.5, np.random.default_rng(2))
    probabilities[:60] = labels[:60]  # many are as sure as can be
    threshold = choose("precision", share, labels, probabilities).threshold
    assert threshold not in probabilities
    above, below = (
        probabilities[probabilities >= threshold].min(),
        probabilities[probabilities < threshold].max(),
    )
    assert threshold == pytest.approx((above + below) / 2, abs=(above - below) / 10 + 1e-12)
    text = threshold_text(threshold)
    spec = JobSpec.make(
        "sentiment", "generate", parameters={"threshold": text, "text": ["good"]}, **{"from": SOURCE}
    )
    assert spec.parameters.model_dump()["threshold"] == threshold


@pytest.mark.parametrize(
    ("below", "least", "text"),
    [
        (0.4, 0.6, "0.5"),
        (0.99, 1.0, "0.995"),
        (0.9999999, 1.0, "0.99999995"),
        (0.0, 1e-7, "0.00000005"),
        (0.87, 0.9, "0.885"),
        (0.0, 0.0, "0"),
    ],
)
def test_a_threshold_is_short_never_a_score_and_never_rounded_onto_one(
    below: float, least: float, text: str
) -> None:
    threshold = threshold_between(below, least)
    assert threshold_text(threshold).removesuffix(".0") == text
    assert float(threshold_text(threshold)) == threshold
    assert below < threshold < least or below == least == 0


@pytest.mark.parametrize(
    ("target", "share", "count", "positive"),
    [
        ("precision", 0.9, 500, 0.5),
        ("precision", 0.5, 1_000, 0.05),
        ("recall", 0.9, 500, 0.5),
        ("recall", 0.6, 1_000, 0.05),
    ],
)
def test_about_one_choice_in_twenty_misses_its_target(
    target: Target, share: float, count: int, positive: float
) -> None:
    rng = np.random.default_rng(1)
    choices = [choose(target, share, *clear_scores(count, positive, rng)) for _ in range(RUNS)]
    missed = [true_share(target, choice.threshold, positive) < share for choice in choices if choice.reached]
    assert len(missed) > 0.9 * RUNS
    assert np.mean(missed) < 0.09  # 0.05, and what chance may add in so many runs
    assert np.mean(missed) > 0.01  # not so careful that it gives recall or precision away


@pytest.mark.parametrize("target", ["precision", "recall"])
def test_a_constant_classifier_gets_the_one_threshold_there_is(target: Target) -> None:
    labels = np.repeat([0, 1], [95, 5]).astype(np.uint8)
    choice = choose(target, 0.5, labels, np.full(100, 0.3))
    assert choice.threshold == 0.15
    assert (choice.precision, choice.recall) == (0.05, 1)
    assert choice.reached == (target == "recall" and choice.bound >= 0.5)


def test_a_target_is_met_by_the_bound_and_told_of_on_the_test_reviews(
    tmp_path: Path, trained: JobFolder
) -> None:
    for name in ("precision", "recall"):
        context = do(tmp_path / name, "evaluate", source=trained, **{f"target_{name}": 0.8})
        folder = JobFolder(context.folder)
        metrics = folder.metrics
        labels, probabilities = validation(trained)
        called = probabilities >= metrics["threshold"]
        assert metrics["validation_bound"] == pytest.approx(bound(name, labels, called))
        assert metrics["validation_bound"] >= metrics[f"target_{name}"] == 0.8
        assert metrics[f"validation_{name}"] == pytest.approx(SCORE[name](labels, called))
        assert metrics["target_margin"] == pytest.approx(metrics[name] - 0.8)
        first, second = islice(report.present(folder), 2)
        assert isinstance(first, Text)
        assert f"A {name} of 80 % was asked for." in first.body
        outcome = "met" if metrics[name] >= 0.8 else "missed"
        assert f"the target is {outcome}, by {abs(metrics['target_margin']):.4f}." in first.body
        assert f"this model at {threshold_text(metrics['threshold'])}" in str(second)
        assert not [warning for warning in context.warnings if "target" in warning]
        tables = {block.title: block for block in report.present(folder) if isinstance(block, Table)}
        (title,) = [title for title in tables if title.endswith("costs")]
        assert title == f"What {name} costs"
        assert tables[title].header[0] == f"Target {name}"
        assert len(tables[title].rows) > 1
        (trade_off,) = [
            block for block in report.present(folder) if block.title == "What the trade-off means here"
        ]
        assert isinstance(trade_off, Text)
        assert f"the threshold for a {name} of" in trade_off.body


@pytest.mark.parametrize("target", ["precision", "recall"])
@pytest.mark.parametrize(
    ("high", "is_missed"), [(0.94, True), (0.9499, True), (0.95, False), (0.96, False), (None, True)]
)
def test_a_target_that_test_reviews_miss_beyond_chance_is_told_of_first(
    tmp_path: Path, target: str, high: float | None, is_missed: bool
) -> None:
    spec = JobSpec.make("sentiment", "evaluate", **{"from": SOURCE})
    context = JobContext(spec=spec, folder=tmp_path, settings=read_settings())
    metrics = {f"target_{target}": 0.95}
    if high is not None:
        metrics |= {target: 0.92125, f"{target}_low": 0.9, f"{target}_high": high}
    thresholds.warn_if_missed(context, metrics)
    said = "No test review is called positive" if high is None else f"a {target} of 95 % was asked for"
    assert [said in warning for warning in context.warnings] == [True] * is_missed
    thresholds.warn_if_missed(context, {target: 0.1, f"{target}_high": 0.2})
    assert len(context.warnings) == is_missed


def test_a_missed_target_is_among_the_warnings_of_an_evaluation(tmp_path: Path, trained: JobFolder) -> None:
    """The labels are turned round, so that hardly a review called positive is."""
    rows = [f"The plot is {word}. It is number {n},{label}" for n in range(40) for word, label in WRONG]
    (tmp_path / "own.csv").write_text("\n".join(["text,label", *rows]))
    context = do(tmp_path / "run", "evaluate", tmp_path / "own.csv", trained, target_precision=0.8)
    assert "The target is missed: a precision of 80 % was asked for" in context.warnings[-1]


WRONG = (("clever", "neg"), ("superb", "neg"), ("dull", "pos"))
"""Words of reviews, and labels that they do not have."""


def test_a_target_that_too_few_validation_reviews_can_show_is_named(
    tmp_path: Path, trained: JobFolder
) -> None:
    context = do(tmp_path / "run", "evaluate", source=trained, target_precision=0.999)
    (note,) = [note for note in context.notes if "confidence" in note]
    assert "By the 120 validation reviews no threshold has a precision of 99.9 % with 95 % confidence" in note
    first = next(iter(report.present(JobFolder(context.folder))))
    assert isinstance(first, Text)
    assert "show it at no threshold with 95 % confidence" in first.body


def test_a_threshold_is_chosen_on_the_validation_reviews_and_never_on_the_test_reviews(
    tmp_path: Path, trained: JobFolder
) -> None:
    shutil.copytree(trained.path, tmp_path / "trained")
    labels, probabilities = clear_scores(800, 0.5, np.random.default_rng(3))
    probabilities = np.round(probabilities / 2, 7)  # as if the model were less sure there
    rows = zip(labels.tolist(), probabilities.tolist(), strict=True)
    with (tmp_path / "trained" / "validation.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("label", "probability"), *rows])
    context = do(tmp_path / "run", "evaluate", source=JobFolder(tmp_path / "trained"), target_precision=0.9)
    folder = JobFolder(context.folder)
    assert folder.metrics["threshold"] == choose("precision", 0.9, labels, probabilities).threshold
    with (context.folder / "predictions.csv").open(newline="") as file:
        tested = [(row["label"] == "positive", float(row["probability"])) for row in csv.DictReader(file)]
    by_test = choose(
        "precision", 0.9, np.array([t[0] for t in tested], np.uint8), np.array([t[1] for t in tested])
    )
    assert by_test.threshold != folder.metrics["threshold"]
    prices = folder.numbers("precision_price.csv")
    assert [row["threshold"] for row in prices if row["target"] == 0.9] == [folder.metrics["threshold"]]


@pytest.mark.parametrize(
    ("name", "reachable"), [("precision", (0.8, 0.85)), ("recall", (0.8, 0.85, 0.9, 0.95, 0.98))]
)
def test_prices_are_measured_on_the_test_reviews(name: Target, reachable: tuple[float, ...]) -> None:
    chosen_by, test = scored(2_000, 1), scored(2_000, 2)
    priced = thresholds.prices(name, chosen_by, test, 0.5)
    assert [row[0] for row in priced] == [0, *reachable]
    for target, threshold, precision, recall, wrong, missed in priced:
        labels, called = test[0], test[1] >= threshold
        assert (precision, recall) == pytest.approx(
            (sk.precision_score(labels, called), sk.recall_score(labels, called))
        )
        assert (wrong, missed) == ((called & (labels == 0)).sum(), (~called & (labels == 1)).sum())
        assert target == 0 or threshold == choose(name, target, *chosen_by).threshold
        assert target == 0 or bound(name, chosen_by[0], chosen_by[1] >= threshold) >= target


def test_one_target_is_enough() -> None:
    targets = {"target_precision": 0.9, "target_recall": 0.9}
    with pytest.raises(
        InvalidJob, match=r"target_recall: expected either target_precision or target_recall, got 0\.9"
    ):
        JobSpec.make("sentiment", "evaluate", parameters=targets, **{"from": SOURCE})


def validation(trained: JobFolder) -> tuple[np.ndarray, np.ndarray]:
    with (trained.path / "validation.csv").open(newline="") as file:
        rows = [(int(row["label"]), float(row["probability"])) for row in csv.DictReader(file)]
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
