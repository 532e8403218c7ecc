"""Labels of given reviews."""

import csv
import html
import io
import json
import threading
import unicodedata
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
from worker.report.blocks import Table
from worker.tasks.sentiment import report, task
from worker.tasks.sentiment.labelling import Block, csv_rows
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.scoring import probabilities_of
from worker.tasks.sentiment.tokeniser import words_of
from worker.tasks.sentiment.tokens import TokenCollector
from worker.tasks.sentiment.vocabulary import Vocabulary


def test_texts_are_labelled_as_evaluation_reads_them(tmp_path: Path, trained: JobFolder) -> None:
    context = do(tmp_path, "generate", source=trained, text=TEXTS)
    rows = predictions(context.folder)
    assert [row["label"] for row in rows][:2] == ["positive", "negative"]
    assert [row["review"] for row in rows] == ["1", "2", "3"]
    assert [row["text"] for row in rows] == TEXTS
    vocabulary = Vocabulary.read(trained.path / "vocabulary.json")
    model = build_sentiment(vocabulary.vocab_size, seed=0)
    model.load_weights(trained.path / "model.keras")
    tokens = TokenCollector(30, vocabulary).add_all(TEXTS).tokens()
    expected = model(padded_table(tokens)[0])[:, 0]
    assert np.allclose([float(row["probability"]) for row in rows], expected, atol=1e-5)
    assert [row["label"] for row in rows] == ["positive", "negative", ""]
    known = [sum(word in vocabulary.words for word in words_of(text)) for text in TEXTS]
    assert [int(row["known_words"]) for row in rows] == known
    assert known[2] == 0
    assert context.notes == [
        "1 review has no word that the model knows among the last 30, which it reads. It has no label."
    ]
    metrics = JobFolder(context.folder).metrics
    assert metrics == {"reviews": 3, "positive_share": 0.5, "unlabelled_reviews": 1, "threshold": 0.5}
    (table,) = report.present(JobFolder(context.folder))
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows] == ["positive", "negative", "–"]


def test_reviews_without_a_known_word_alone_have_no_share(tmp_path: Path, trained: JobFolder) -> None:
    context = do(tmp_path, "generate", source=trained, text=TEXTS[2:], threshold=0)
    assert JobFolder(context.folder).metrics == {"reviews": 1, "unlabelled_reviews": 1, "threshold": 0}
    assert predictions(context.folder)[0]["label"] == ""


def test_reviews_longer_than_what_is_read_are_counted_in_one_note(
    tmp_path: Path, trained: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.tasks.sentiment.labelling.BLOCK", 2)
    texts = [
        "The plot is dull. " * 8,
        TEXTS[0],
        "The plot is clever. " * 8,
        "The plot is odd. " * 7 + "Its end",
    ]
    read = "30 words, which the model reads: what comes before them has no effect."
    context = do(tmp_path / "labels", "generate", source=trained, text=texts)
    assert context.notes == [f"2 reviews are longer than the last {read}"]
    (tmp_path / "a.csv").write_text(
        "text,label\n" + "".join(f"{text},{n % 2}\n" for n, text in enumerate(texts[:2]))
    )
    context = do(tmp_path / "evaluation", "evaluate", tmp_path / "a.csv", trained)
    assert [note for note in context.notes if "longer" in note] == [
        f"1 test review is longer than the last {read}"
    ]


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


HARD_TEXTS = [
    "long " * 5_000 + "end",
    "=1+1",
    ' spaces, "quotes"; tabs\tand\r\nlines\rof\nall kinds ',
    unicodedata.normalize("NFD", "Ça été"),
    "Tom &amp; Jerry\\nare good",
    "“quoted”",
    "\x00 a NUL",
]


def test_every_review_comes_back_as_it_was_given(tmp_path: Path, trained: JobFolder) -> None:
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in HARD_TEXTS))
    context = do(tmp_path / "run", "generate", tmp_path / "a.jsonl", trained)
    assert [row["text"] for row in predictions(context.folder)] == HARD_TEXTS
    (tmp_path / "a.csv").write_bytes((context.folder / "predictions.csv").read_bytes().replace(b"\0", b""))
    again = do(tmp_path / "again", "generate", tmp_path / "a.csv", trained)
    whole = [*HARD_TEXTS[:-1], " a NUL"]
    assert [row["text"] for row in predictions(again.folder)] == whole
    assert (
        "1 review has HTML entities or backslash escapes, such as &amp; or \\n: they are read as the characters "
        "that they stand for."
    ) in context.notes


def test_the_rows_of_a_block_are_those_of_the_csv_module() -> None:
    texts = [*HARD_TEXTS, "", '"', ",", "a, b", "\n", "no quotes ’ needed", " \t;="]
    count = len(texts)
    tokens = TokenCollector(9).add_all(texts).tokens()
    known, logits = np.arange(count) % 3, np.linspace(-40, 40, count, dtype=np.float32)
    block = Block(texts, tokens, 0, logits, known, logits > 0)
    table = io.StringIO()
    odds = probabilities_of(logits).tolist()
    rows = zip(range(8, 8 + count), block.names, odds, known.tolist(), texts, strict=True)
    csv.writer(table, lineterminator="\n").writerows(rows)
    assert csv_rows(8, block) == table.getvalue()
    assert csv_rows(1, block._replace(texts=["a\rb"] * count)).count('"a\rb"') == count


def test_entities_escapes_and_decomposed_letters_change_no_label(tmp_path: Path, trained: JobFolder) -> None:
    plain = "The plot isn't dull.\nThe acting is superb, très réussi."
    written = [
        plain,
        html.escape(plain).replace("é", "&eacute;"),
        json.dumps(plain)[1:-1],
        unicodedata.normalize("NFD", plain),
    ]
    rows = predictions(do(tmp_path, "generate", source=trained, text=written).folder)
    assert len({row["probability"] for row in rows}) == 1


@pytest.mark.parametrize(("limit", "labelled"), [(1, 1), (13, 13), (39, 39), (40, 40), (41, 40)])
def test_a_limit_labels_the_first_reviews_and_says_so(
    tmp_path: Path, trained: JobFolder, monkeypatch: pytest.MonkeyPatch, limit: int, labelled: int
) -> None:
    monkeypatch.setattr("worker.tasks.sentiment.labelling.BLOCK", 7)
    (tmp_path / "a.txt").write_text("\n".join(f"The plot {number} is dull." for number in range(40)))
    context = do(tmp_path / "run", "generate", tmp_path / "a.txt", trained, limit=limit)
    rows = predictions(context.folder)
    assert [row["text"] for row in rows] == [f"The plot {number} is dull." for number in range(labelled)]
    more = [f"--limit {limit}: the data has more reviews, which were not labelled."]
    assert context.notes == (more if labelled < 40 else [])


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
