"""The page of a job with results: its metrics, figures and files, and what a cancelled job shows."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.report.pages import Page, page_of
from tests.support.report_folders import (
    JOB_ID,
    SHORT_TRAINING,
    job_record,
    render_page,
    trained_folder,
    write_folder,
)
from worker.context import MODEL_SUMMARY
from worker.report.blocks import Blocks, Metric, Text
from worker.report.job_page import render
from worker.report.metrics import headline, in_order, shown_metrics
from worker.tasks.autoencoder.metrics import METRICS


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_folder(tmp_path_factory.mktemp("results"))


def test_a_training_job_shows_its_metrics_curve_files_and_how_to_reproduce_it(trained: Path) -> None:
    page = Page(trained / "report.html")
    shown = shown_metrics(METRICS, JobFolder(trained).metrics)
    assert len(shown) >= 1
    assert "Loss within epochs" in page.text
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


def test_a_cancelled_job_shows_what_its_files_allow(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    record = JobFolder(trained).job | {"state": "cancelled"}
    files = {"history.csv": (trained / "history.csv").read_text(), "metrics.json": '{"bce": 0.1234}'}
    page = page_of(write_folder(tmp_path, record, files))
    assert "0.1234" in page.text
    assert "Loss by epoch" in page.text
    assert "cancelled, so whatever needs files that it had not yet written is missing" in page.text
    [said] = [each for each in caplog.records if "the report has what the job left" in each.message]
    assert not said.exc_info


def test_a_resumed_training_says_what_its_last_attempt_took_and_all_of_them(
    trained: Path, tmp_path: Path
) -> None:
    history = "epoch,loss,validation_loss,seconds\n" + "\n".join(f"{n},0.2,0.2,{n}" for n in (31, 32))
    record = JobFolder(trained).job | {"state": "cancelled"}
    page = page_of(write_folder(tmp_path / "a", record | {"seconds": 7.7}, {"history.csv": history}))
    assert "took 7.7 s in its last attempt, 1 min 03 s of training in all" in page.text
    page = page_of(write_folder(tmp_path / "b", record | {"seconds": 70.0}, {"history.csv": history}))
    assert "took 1 min 10 s\n" in page.text
    damaged = {"history.csv": "epoch,seconds\nx,y", "error": "it failed"}
    page = page_of(write_folder(tmp_path / "c", record | {"state": "failed"}, damaged))
    assert "in all" not in page.text


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


SHARE = Metric(
    "accuracy",
    "Accuracy",
    3,
    better="higher",
    interval=("low", "high"),
    definition="Of the test images, the share.",
)
COUNT = Metric("images", "Images", 0, tile=True, definition="All that were read.")
OTHER = Metric("loss", "Loss", 2, "nats", definition="Mean over the images.")


class Model:
    """A model whose report is one text."""

    metrics = (SHARE, COUNT, OTHER, *(Metric(f"tile_{n}", f"Tile {n}", 1, tile=True) for n in range(5)))

    def present(self, _: JobFolder) -> Blocks:
        yield Text("What was made", "the first text")
        yield Text("More", "the second text")


def page_for(root: Path, action: str, values: dict[str, float], **changes: Any) -> Page:
    source = {} if action == "train" else {"from": JOB_ID}
    record = job_record(JobSpec.make("autoencoder", action, **source), **changes)
    folder = write_folder(root, record, {"metrics.json": json.dumps(values)})
    render(folder, Model())
    return Page(folder / "report.html")


def test_numbers_are_few_at_the_top_and_all_of_them_below_with_what_they_are(tmp_path: Path) -> None:
    values = {"loss": 0.5, "images": 10.0, "accuracy": 1.0, "low": 0.9701, "high": 1.0, "new": 3.0}
    values |= {f"tile_{number}": 0.5 for number in range(5)}
    page = page_for(tmp_path, "train", values)
    top, below = page.text.split("All numbers")
    text = " ".join(top.split())
    assert (
        "Accuracy 95 % interval 0.970 to 1.000 ↑ higher is better Of the test images, the share. 1.000"
        in text
    )
    assert "Images 10 " in text
    assert [f"Tile {number}" in text for number in range(5)] == [True, True, True, False, False]
    assert "Loss" not in text
    table = " ".join(below.split())
    for line in (
        "Accuracy Of the test images, the share. ↑ higher is better 1.000 95 % interval 0.970 to 1.000",
        "Images All that were read. 10 ",
        "Loss Mean over the images. 0.50 nats",
        "Tile 4 0.5",
        "new 3 ",
    ):
        assert line in table, line
    assert "low 0.97" not in table


def test_a_generation_shows_what_it_made_before_any_number(tmp_path: Path) -> None:
    page = page_for(tmp_path, "generate", {"accuracy": 0.5, "images": 10.0, "loss": 0.1})
    places = [page.text.index(each) for each in ("the first text", "0.500", "the second text", "All numbers")]
    assert places == sorted(places)
    assert "first" not in page.values("class")


def test_warnings_come_first_and_are_announced(tmp_path: Path) -> None:
    warning = "No better than `baseline`: <b>0.5</b>."
    page = page_for(tmp_path, "train", {"accuracy": 0.5}, warnings=[warning, "Diverged."], notes=["a note"])
    assert ("section", "role", "alert") in page.attributes
    places = [page.text.index(each) for each in ("Warnings", "No better", "Diverged.", "0.500", "a note")]
    assert places == sorted(places)
    assert "No better than baseline: <b>0.5</b>." in page.text
    assert "alert" not in page_for(tmp_path / "none", "train", {"accuracy": 0.5}).values("role")


def test_the_network_and_what_the_job_used_are_shown(tmp_path: Path) -> None:
    layers = [
        {"name": "code", "kind": "Dense", "activation": "relu", "output": [None, 32], "parameters": 25_120}
    ]
    summary = {"name": "small", "parameters": 25_120, "layers": layers}
    usage = {
        "peak_memory_bytes": 812_000_000,
        "cpu_cores": 1.74,
        "cpu_cores_available": 2,
        "gpu_load_percent": 87,
    }
    code = {"quartet": "0.2.0", "checksum": "0123456789abcdef"}
    record = job_record(SHORT_TRAINING, usage=usage, code=code)
    folder = write_folder(tmp_path, record, {MODEL_SUMMARY: json.dumps(summary)})
    render(folder, Model())
    text = " ".join(Page(folder / "report.html").text.split())
    for line in (
        "Network, 25,120 parameters",
        "codeDensereluany × 3225,120",
        "memory 812.0 MB at most",
        "CPU use 1.7 of 2 cores",
        "GPU use 87 %",
        "code 0123456789abcdef",
    ):
        assert line in text, line


def test_a_headline_without_decimals_is_an_integer() -> None:
    value = headline((COUNT,), {"images": 10.0})
    assert json.dumps(value) == '{"label": "Images", "value": 10, "unit": ""}'
    assert headline((COUNT,), {"images": 0.0}) == {"label": "Images", "value": 0, "unit": ""}


def test_numbers_are_stored_in_the_order_of_the_model() -> None:
    values = {"new": 1.0, "loss": 0.5, "accuracy": 0.9}
    assert list(in_order(Model.metrics, values)) == ["accuracy", "loss", "new"]
