"""What a task may do with its context, without a worker."""

import json
from pathlib import Path
from typing import Any

import keras
import pytest

from jobs.errors import Cancelled
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from worker.context import MODEL_SUMMARY, JobContext


def test_progress_is_reported_no_more_than_five_times_a_second_unless_forced(context: JobContext) -> None:
    reports: list[dict[str, Any]] = []
    context.report_progress = reports.append
    for step in range(100):
        context.progress(step=step)
    context.progress(force=True, step=100)
    assert reports[0] == {"step": 0}
    assert reports[-1] == {"step": 100}
    assert len(reports) < 20


def test_a_note_is_shown_once(context: JobContext) -> None:
    context.note("The text is short.")
    context.note("The text is short.")
    assert context.notes == ["The text is short."]


def test_a_task_leaves_when_a_stop_was_requested(context: JobContext) -> None:
    context.check_stop()
    context.stop.set()
    with pytest.raises(Cancelled, match="a stop was requested"):
        context.check_stop()


def test_a_table_is_read_back_as_numbers(context: JobContext) -> None:
    context.write_table("table.csv", ("epoch", "loss"), [(1, 0.1), (2, 0.30000000000000004)])
    assert JobFolder(context.folder).numbers("table.csv") == [
        {"epoch": 1.0, "loss": 0.1},
        {"epoch": 2.0, "loss": 0.30000000000000004},
    ]


def test_a_job_reads_what_it_names_else_what_its_training_job_read_else_the_default(
    context: JobContext, tmp_path: Path
) -> None:
    assert context.data_to_read() == "mnist"
    trained = tmp_path / "trained"
    trained.mkdir()
    record = {"spec": {"data": "digits"}, "data": {"digits": {"sha256": "0a"}}}
    (trained / "job.json").write_text(json.dumps(record))
    context.sources = {"from": JobFolder(trained)}
    assert context.data_to_read() == "digits"
    assert (context.trained_on("0a"), context.trained_on("0b")) == (True, False)
    context.spec = JobSpec.make("autoencoder", "train", data="/mine.npz")
    assert context.data_to_read() == "/mine.npz"


def test_a_network_is_reported_with_its_layers_shapes_and_parameters(context: JobContext) -> None:
    words = keras.Input((None,), dtype="int32", name="words")
    embedded = keras.layers.Embedding(10, 4, name="embedding")(words)
    hidden, *_ = keras.layers.LSTM(3, return_state=True, name="lstm")(embedded)
    model = keras.Model(words, keras.layers.Dense(1, "sigmoid", name="answer")(hidden), name="small")
    context.report_model(model)
    summary = JobFolder(context.folder).json(MODEL_SUMMARY)
    assert summary["parameters"] == model.count_params() == 40 + 4 * 3 * (4 + 3 + 1) + 4
    assert [
        (layer["name"], layer["kind"], layer["output"], layer["parameters"]) for layer in summary["layers"]
    ] == [
        ("words", "InputLayer", [None, None], 0),
        ("embedding", "Embedding", [None, None, 4], 40),
        ("lstm", "LSTM", [None, 3], 96),
        ("answer", "Dense", [None, 1], 4),
    ]
    assert [layer["activation"] for layer in summary["layers"]] == [None, None, "tanh", "sigmoid"]
