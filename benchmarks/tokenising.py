"""How fast reviews become token ids, from a CSV file on, beside one thread of a plain regular expression.

Run: `python -m benchmarks.tokenising [--short]`.
"""

import csv
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.data import OFFLINE, REAL, WORDS, WORDS_READ, real_data_folder
from benchmarks.measuring import Row, pairs
from benchmarks.review_files import review_texts
from benchmarks.row_command import run
from benchmarks.service import folders
from jobs.settings import Settings
from worker.tasks.sentiment.datasets import Recipe, load_reviews
from worker.tasks.sentiment.labelling import BLOCK, BLOCK_CHARACTERS
from worker.tasks.sentiment.sources import open_reviews
from worker.tasks.sentiment.token_block import blocks_of
from worker.tasks.sentiment.tokeniser import words_of
from worker.tasks.sentiment.tokens import TokenCollector
from worker.tasks.sentiment.vocabulary import Vocabulary

TURNS = 7
COUNTED = 10_000
"""Reviews whose words are counted for the vocabulary."""

GOAL = 35 / 24
"""In MB/s, the goal and what one thread of the expression reached on the machine where it was set."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def measure(row: Row) -> None:
    """Read and tokenise in turn with the plain expression, which finds no ids and is given the texts."""
    with folders(None if row.short else real_data_folder()) as settings:
        texts = review_texts(settings, (OFFLINE if row.short else REAL)["reviews"])
        path = settings.data_dir / "reviews.csv"
        _write_labelled(path, texts)
        counted = Counter(word for text in texts[:COUNTED] for word in words_of(text))
        vocabulary = Vocabulary(tuple(word for word, _ in counted.most_common(WORDS)))
        megabytes = path.stat().st_size / 1e6
        quartet, training, plain = [], [], []
        for turn in range(1 if row.short else TURNS):
            quartet.append(megabytes / _read_and_tokenise(path, settings, vocabulary))
            training.append(megabytes / _load_for_training(path, settings, turn))
            plain.append(megabytes / _find_words(texts))
    row.figure("from a CSV file to token ids", "MB/s", quartet)
    row.figure("from a CSV file to all that a training needs", "MB/s", training)
    row.figure("one thread, a regular expression", "MB/s", plain)
    row.judge("beside one thread of a regular expression", pairs(quartet, plain), "≥", GOAL)
    row.note(
        "To token ids: as jobs do it that label, with the vocabulary of a model, without the network. The "
        "expression finds words in texts that are in memory, in lower case, and does nothing else."
    )
    row.note(
        "For a training: the file's checksum and encoding, labels, all words and which ones the model will "
        "know, digests by which equal texts are found, and the cache of all this on disk."
    )


def _write_labelled(path: Path, texts: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        rows.writerows([text, place % 2] for place, text in enumerate(texts))


def _read_and_tokenise(path: Path, settings: Settings, vocabulary: Vocabulary) -> float:
    source = open_reviews(str(path), settings, labelled=False)
    began = time.perf_counter()
    texts_read = (review.text for review in source.read(print))
    for texts in blocks_of(texts_read, BLOCK, BLOCK_CHARACTERS):
        TokenCollector(WORDS_READ, vocabulary).add_all(texts).tokens()
    return time.perf_counter() - began


def _load_for_training(path: Path, settings: Settings, turn: int) -> float:
    began = time.perf_counter()
    source = open_reviews(str(path), settings, labelled=True)
    load_reviews(source, Recipe(WORDS_READ, WORDS), settings.data_dir / f"cache-{turn}")
    return time.perf_counter() - began


def _find_words(texts: Sequence[str]) -> float:
    began = time.perf_counter()
    for text in texts:
        _WORD.findall(text.lower())
    return time.perf_counter() - began


if __name__ == "__main__":
    run("tokenising", "Reading and tokenising reviews", measure)
