"""Each action's report shows what the job left, with markup escaped."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from tests.tasks.textgen.jobs import MARKUP, do
from worker.engine.wings import wing
from worker.report.blocks import Columns, Figure, Table, Text
from worker.report.job_page import render
from worker.report.metrics import headline
from worker.tasks.textgen import report
from worker.tasks.textgen.artifacts import TEMPERATURES
from worker.tasks.textgen.metrics import METRICS


@pytest.mark.parametrize(
    ("harder", "said"),
    [
        (0.15, "easier than the held-out text, by 0.150 nats"),
        (-0.2, "harder than the held-out text, by 0.200 nats"),
        (0.0004, "finds validation text and held-out text equally hard."),
    ],
)
def test_a_training_says_how_validation_text_compares_with_held_out_text(
    tmp_path: Path, trained: JobFolder, harder: float, said: str
) -> None:
    folder = JobFolder(shutil.copytree(trained.path, tmp_path / "a"))
    metrics = folder.metrics
    held_out = metrics["ngram_validation_nats"] + harder
    write_json(folder.path / "metrics.json", metrics | {"ngram_held_out_nats": held_out})
    compared, known = report.present(JobFolder(folder.path))
    assert isinstance(compared, Table)
    assert said in compared.caption
    assert "will find" not in compared.caption  # on some texts it found something else by far
    behind = metrics["validation_nats"] - metrics["ngram_validation_nats"]
    assert f"the n-gram is better than the network, by {behind:.3f} nats per character" in compared.caption
    assert isinstance(known, Text)
    assert r"\n" in known.body


def test_a_network_that_is_better_than_the_ngram_is_not_called_worse(
    tmp_path: Path, trained: JobFolder
) -> None:
    folder = JobFolder(shutil.copytree(trained.path, tmp_path / "a"))
    write_json(folder.path / "metrics.json", folder.metrics | {"validation_nats": 1.0})
    compared, _ = report.present(JobFolder(folder.path))
    assert isinstance(compared, Table)
    assert "better than the network" not in compared.caption


def test_a_training_of_an_earlier_version_shows_what_it_has(tmp_path: Path, trained: JobFolder) -> None:
    shutil.copytree(trained.path, tmp_path / "old")
    write_json(tmp_path / "old" / "metrics.json", {"validation_nats": 3.0, "training_nats": 2.9})
    (known,) = report.present(JobFolder(tmp_path / "old"))
    assert isinstance(known, Text)


def test_an_evaluation_is_compared_with_the_best_ngram(evaluated: JobFolder) -> None:
    shown = list(report.present(evaluated))
    assert {"comparison", "calibration"} <= {part.name for part in shown if isinstance(part, Figure)}
    (verdict,) = [part for part in shown if isinstance(part, Text)]
    metrics = evaluated.metrics
    name = f"{metrics['ngram_order']}-gram with modified Kneser-Ney smoothing"
    assert verdict.body.startswith(f"No: the network needs {metrics['nats_per_character']:.3f} nats per ")
    assert f"and the {name} {metrics['ngram_nats']:.3f}, on the same 1,205 characters" in verdict.body


def verdict_of(folder: Path, evaluated: JobFolder, without: str = "", **changed: float) -> str:
    """The verdict of an evaluation with other metrics."""
    copy = JobFolder(shutil.copytree(evaluated.path, folder))
    metrics = {name: value for name, value in copy.metrics.items() if not without or without not in name}
    write_json(copy.path / "metrics.json", metrics | changed)
    (text,) = [part.body for part in report.present(JobFolder(copy.path)) if isinstance(part, Text)]
    return text


@pytest.mark.parametrize(
    ("gain", "low", "high", "verdict"),
    [
        (0.2, 0.1, 0.3, "Yes: "),
        (-0.2, -0.3, -0.1, "No: "),
        (0.01, -0.02, 0.04, "Not clearly, nor are n-grams clearly better: "),
    ],
)
def test_the_verdict_is_that_of_the_interval(
    tmp_path: Path, evaluated: JobFolder, gain: float, low: float, high: float, verdict: str
) -> None:
    numbers = {"ngram_gain": gain, "ngram_gain_low": low, "ngram_gain_high": high}
    text = verdict_of(tmp_path / "a", evaluated, seen_characters=0, **numbers)
    assert text.startswith(verdict)
    shown = f"The gain is {gain:.3f}, 95 % interval {low:.3f} to {high:.3f}.".replace("-", "−")
    assert shown in text
    some_seen = verdict_of(tmp_path / "b", evaluated, seen_characters=60, **numbers)
    assert f"{shown[:-1]}, 60 in passages of the training text left aside." in some_seen


def test_more_epochs_are_advised_to_no_network_that_has_learned_nothing(
    tmp_path: Path, trained: JobFolder, evaluated: JobFolder
) -> None:
    advice = "to train on, may change that"
    for nats, is_advised in ((103.7, False), (3.0, True)):
        numbers = {"ngram_nats": 2.0, "baseline_nats_per_character": 3.3, "nats_per_character": nats}
        text = verdict_of(tmp_path / f"evaluated {nats}", evaluated, "ngram_gain", **numbers)
        assert (advice in text) == is_advised
        copy = JobFolder(shutil.copytree(trained.path, tmp_path / f"trained {nats}"))
        numbers = {"ngram_validation_nats": 2.0, "baseline_validation_nats": 3.3, "validation_nats": nats}
        write_json(copy.path / "metrics.json", copy.metrics | numbers)
        compared, _ = report.present(JobFolder(copy.path))
        assert isinstance(compared, Table)
        assert "the n-gram is better than the network" in compared.caption
        assert (advice in compared.caption) == is_advised


@pytest.mark.parametrize(("ngrams", "verdict"), [(9.0, "Yes: "), (1.0, "No: ")])
def test_an_evaluation_without_an_interval_has_a_verdict(
    tmp_path: Path, evaluated: JobFolder, ngrams: float, verdict: str
) -> None:
    assert verdict_of(tmp_path / "a", evaluated, "ngram_gain", ngram_nats=ngrams).startswith(verdict)


def test_text_that_was_trained_on_gives_no_verdict_and_is_not_called_held_out(
    tmp_path: Path, trained: JobFolder, own_text: Path
) -> None:
    path = tmp_path / "leak.txt"
    path.write_text(own_text.read_text()[:4_000])
    folder = JobFolder(do(tmp_path / "run", "evaluate", path, trained).folder)
    assert "ngram_gain" not in folder.metrics
    shown = list(report.present(folder))
    (verdict,) = [part.body for part in shown if isinstance(part, Text)]
    assert verdict.startswith("This text cannot tell: ")
    (figure,) = [part for part in shown if isinstance(part, Figure) and part.name == "comparison"]
    said = [figure.title, figure.caption, figure.alt, verdict, *JobFolder(folder.path).job["notes"]]
    said += [metric.label for metric in METRICS if metric.name in folder.metrics]
    assert not any("held-out" in text.lower() for text in said)


def test_an_evaluation_of_an_earlier_version_is_shown_as_it_was(tmp_path: Path, evaluated: JobFolder) -> None:
    folder = JobFolder(shutil.copytree(evaluated.path, tmp_path / "old"))
    of_then = {"ngram_nats": "fivegram_nats", "baseline_nats_per_character": "unigram_nats"}
    metrics = {of_then.get(name, name): value for name, value in folder.metrics.items()}
    del metrics["ngram_order"], metrics["seen_characters"]
    metrics = {name: value for name, value in metrics.items() if not name.startswith("ngram_gain")}
    write_json(folder.path / "metrics.json", metrics)
    for name in ("kinds.csv", "place_in_line.csv"):
        path = folder.path / name
        path.write_text(path.read_text().replace("ngram_nats", "fivegram_nats"))
    shown = list(report.present(JobFolder(folder.path)))
    assert len(shown) == len(list(report.present(evaluated)))
    (verdict,) = [part for part in shown if isinstance(part, Text)]
    assert "and the 5-gram with Witten-Bell smoothing" in verdict.body


def test_a_generation_leads_with_its_texts(tmp_path: Path, trained: JobFolder) -> None:
    written = do(
        tmp_path / "written", "generate", source=trained, prompt="The ", temperature=[0.8, 1.0], length=200
    )
    columns, table, figure = report.present(JobFolder(written.folder))
    assert isinstance(columns, Columns)
    assert [text.title for text in columns.texts] == ["Temperature 0.8", "Temperature 1"]
    assert all(text.body.startswith("The ") and text.monospace for text in columns.texts)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["0.8", "1"]
    assert isinstance(figure, Figure)
    assert (written.folder / "samples.txt").read_text().startswith("=== temperature 0.8, text 1 ===\n\nThe ")
    assert headline(METRICS, JobFolder(written.folder).metrics) == {
        "label": "Characters written",
        "value": 400,
        "unit": "",
    }
    (written.folder / TEMPERATURES).unlink()  # as where words mean nothing
    (only,) = report.present(JobFolder(written.folder))
    assert isinstance(only, Columns)


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


def test_the_words_of_one_text_are_a_whole_number_and_those_of_several_a_mean() -> None:
    row = {"temperature": 1.0, "texts": 1.0, "words": 82.0, "different": 0.5, "repeated": 0.0, "known": 1.0}
    table = report._temperatures([row, row | {"texts": 3.0, "words": 80.0}])
    assert [shown[2] for shown in table.rows] == ["82", "80.0"]
