"""The page of a job with results: its metrics, figures and files, and what a cancelled job shows."""

from pathlib import Path

import pytest

from jobs.store.job_folder import JobFolder
from tests.report.pages import Page, page_of
from tests.support.report_folders import render_page, trained_folder, write_folder
from worker.report.blocks import Metric
from worker.report.metrics import headline, shown_metrics
from worker.tasks.autoencoder.metrics import METRICS


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_folder(tmp_path_factory.mktemp("results"))


def test_a_training_job_shows_its_metrics_curve_files_and_how_to_reproduce_it(trained: Path) -> None:
    page = Page(trained / "report.html")
    shown = shown_metrics(METRICS, JobFolder(trained).metrics)
    assert len(shown) >= 1
    for metric in shown:
        assert metric.metric.label in page.text
        assert metric.text in page.text
    assert "Loss by epoch" in page.text
    assert "Reproduce" in page.text
    assert "Timeline" in page.text
    assert "quartet submit autoencoder train --data digits" in page.text
    assert {value for value in page.values("href") if value.startswith("./")} >= {
        "./model.keras",
        "./history.csv",
        "./metrics.json",
        "./MANIFEST.sha256",
    }


def test_every_figure_is_embedded_described_and_written_twice(trained: Path) -> None:
    page = Page(trained / "report.html")
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    described = [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]
    assert len(sources) == len(described) >= 2
    assert all(source.startswith("data:image/") for source in sources)
    assert all(described)
    names = {path.stem for path in (trained / "figures").glob("*.svg")}
    assert len(names) == len(sources)
    assert names | {"thumbnail"} == {path.stem for path in (trained / "figures").glob("*.png")}


def test_a_report_is_the_same_each_time_it_is_made(trained: Path) -> None:
    before = {path: path.read_bytes() for path in (trained / "figures").iterdir()}
    page = (trained / "report.html").read_bytes()
    render_page(trained)
    assert {path: path.read_bytes() for path in (trained / "figures").iterdir()} == before
    assert (trained / "report.html").read_bytes() == page


def test_the_headline_is_the_first_metric_that_was_measured(trained: Path) -> None:
    metrics = JobFolder(trained).metrics
    best = headline(METRICS, metrics)
    first = next(metric for metric in METRICS if metric.name in metrics)
    assert best == {
        "label": first.label,
        "value": pytest.approx(metrics[first.name], abs=10**-first.digits),
        "unit": first.unit,
    }
    assert headline(METRICS, {}) is None


def test_a_cancelled_job_shows_what_its_files_allow(trained: Path, tmp_path: Path) -> None:
    record = JobFolder(trained).job | {"state": "cancelled"}
    files = {"history.csv": (trained / "history.csv").read_text(), "metrics.json": '{"bce": 0.1234}'}
    page = page_of(write_folder(tmp_path, record, files))
    assert "0.1234" in page.text
    assert "Loss by epoch" in page.text
    assert "cancelled, so whatever needs files that it had not yet written is missing" in page.text


def test_a_job_that_succeeded_without_its_files_is_an_error(trained: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, JobFolder(trained).job)
    with pytest.raises(FileNotFoundError):
        render_page(folder)
    assert not (folder / "report.html").exists()


def test_a_metric_that_its_model_does_not_name_comes_last_as_it_is() -> None:
    known = (Metric("b", "The second", 1, "dB"), Metric("a", "The first"))
    values = {"new": 0.5, "a": 1.0, "b": 2.25}
    shown = shown_metrics(known, values)
    assert [(each.metric.label, each.text) for each in shown] == [
        ("The second", "2.2"),
        ("The first", "1.0000"),
        ("new", "0.5000"),
    ]
    assert headline(known, values) == {"label": "The second", "value": 2.2, "unit": "dB"}


def test_a_headline_is_never_rounded_to_zero() -> None:
    assert headline((Metric("loss", "Loss", 2),), {"loss": 0.00012345}) == {
        "label": "Loss",
        "value": 0.000123,
        "unit": "",
    }
