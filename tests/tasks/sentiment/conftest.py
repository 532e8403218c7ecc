"""Some reviews, a model trained on them, its evaluation, and a network with something to say."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest

from jobs.settings import Settings, read_settings
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import MARKUP, SMALL, do
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.sources import open_reviews
from worker.tasks.sentiment.toy_reviews import read_toy_reviews

Read = tuple[list[tuple[str, int | None]], list[str]]
"""What a file or folder gives: texts with labels, and notes."""


@pytest.fixture(scope="session")
def own_reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some reviews as a file of one's own, with markup in each."""
    path = tmp_path_factory.mktemp("reviews") / "own.csv"
    reviews = [review for review, _ in zip(read_toy_reviews(lambda _: None), range(1_500), strict=False)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows((f"{MARKUP} {review.text}", review.label) for review in reviews)
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, own_reviews: Path) -> JobFolder:
    return JobFolder(do(tmp_path_factory.mktemp("trained"), "train", own_reviews, **SMALL).folder)


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory, trained: JobFolder) -> JobFolder:
    return JobFolder(do(tmp_path_factory.mktemp("evaluated"), "evaluate", source=trained).folder)


@pytest.fixture(scope="session")
def network() -> keras.Model:
    """Weights that have something to say."""
    model = build_sentiment(50, seed=3)
    model.set_weights([3 * weight for weight in model.get_weights()])
    return model


@pytest.fixture
def folders(tmp_path: Path) -> Settings:
    return read_settings(data_dir=tmp_path / "data")


@pytest.fixture
def read(folders: Settings) -> Callable[..., Read]:
    def read_all(path: Path, *, labelled: bool = True, **options: Any) -> Read:
        notes: list[str] = []
        source = open_reviews(str(path), folders, FileOptions(**options), labelled=labelled)
        return [(review.text, review.label) for review in source.read(notes.append)], notes

    return read_all
