"""Labels of given reviews."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.errors import Cancelled, InvalidData, InvalidJob
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import SOURCE, TEXTS, do, padded_table, predictions
from worker.context import JobContext
from worker.tasks.sentiment import task
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.tokens import TokenCollector, Vocabulary


def test_texts_are_labelled_as_evaluation_reads_them(tmp_path: Path, trained: JobFolder) -> None:
    context = do(tmp_path, "generate", source=trained, text=TEXTS)
    rows = predictions(context.folder)
    assert [row["label"] for row in rows][:2] == ["positive", "negative"]
    assert [row["review"] for row in rows] == ["1", "2", "3"]
    assert rows[1]["text"] == "“The plot is dull. The music is awful.”"
    vocabulary = Vocabulary.read(trained.path / "vocabulary.json")
    model = build_sentiment(vocabulary.vocab_size, seed=0)
    model.load_weights(trained.path / "model.keras")
    tokens = TokenCollector(30, vocabulary).add_all(TEXTS).tokens()
    expected = model(padded_table(tokens)[0])[:, 0]
    assert np.allclose([float(row["probability"]) for row in rows], expected, atol=1e-5)
    assert context.notes == ["1 review has no word that the model knows: its label means nothing."]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "{0}\n\n{1}\n"),
        ("a.csv", 'id,text\n1,"{0}"\n2,"{1}"\n'),
        ("a.tsv", "text\n{0}\n{1}\n"),
        ("a.jsonl", '{{"text": "{0}"}}\n{{"text": "{1}"}}\n'),
    ],
)
def test_files_are_labelled_whatever_their_form(
    tmp_path: Path, trained: JobFolder, name: str, content: str
) -> None:
    texts = [text.replace("\n", " ") for text in TEXTS[:2]]
    (tmp_path / name).write_text(content.format(*texts))
    context = do(tmp_path / "run", "generate", tmp_path / name, trained)
    given = do(tmp_path / "text", "generate", source=trained, text=texts)
    assert predictions(context.folder) == predictions(given.folder)


def test_many_reviews_are_labelled_in_blocks(
    tmp_path: Path, trained: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.tasks.sentiment.labelling.BLOCK", 7)
    (tmp_path / "a.txt").write_text("\n".join([TEXTS[0], "The plot is dull."] * 20))
    context = do(tmp_path / "run", "generate", tmp_path / "a.txt", trained)
    rows = predictions(context.folder)
    assert [int(row["review"]) for row in rows] == list(range(1, 41))
    assert [row["label"] for row in rows] == ["positive", "negative"] * 20
    metrics = JobFolder(context.folder).metrics
    assert (metrics["reviews"], metrics["positive_share"]) == (40, 0.5)


def test_a_threshold_decides_what_is_called_positive(tmp_path: Path, trained: JobFolder) -> None:
    probability = float(
        predictions(do(tmp_path / "a", "generate", source=trained, text=TEXTS[:1]).folder)[0]["probability"]
    )
    context = do(tmp_path / "b", "generate", source=trained, text=TEXTS[:1], threshold=(1 + probability) / 2)
    assert predictions(context.folder)[0]["label"] == "negative"


def test_nothing_to_label_gets_one_sentence(tmp_path: Path, trained: JobFolder) -> None:
    (tmp_path / "a.txt").write_text("\n\n")
    with pytest.raises(InvalidData, match="data: expected at least one review to label, got none"):
        do(tmp_path / "run", "generate", tmp_path / "a.txt", trained)


@pytest.mark.parametrize("fields", [{}, {"text": ["good"], "data": "toy-reviews"}])
def test_reviews_come_from_one_place(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidJob, match="text: expected either --text or --data, got"):
        JobSpec.make(
            "sentiment",
            "generate",
            parameters={"text": fields.get("text", [])},
            data=fields.get("data"),
            **{"from": SOURCE},
        )


def test_labelling_stops_on_request(tmp_path: Path, trained: JobFolder) -> None:
    spec = JobSpec.make("sentiment", "generate", data="toy-reviews", **{"from": SOURCE})
    context = JobContext(
        spec=spec,
        folder=tmp_path,
        settings=read_settings(),
        sources={"from": trained},
        stop=threading.Event(),
    )
    context.stop.set()
    with pytest.raises(Cancelled):
        task.generate(context)
    assert not (tmp_path / "predictions.csv").exists()
