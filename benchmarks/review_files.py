"""Files of reviews for whole jobs, made of a dataset's texts."""

import csv
import itertools
from collections.abc import Sequence
from pathlib import Path

from jobs.settings import Settings


def review_texts(settings: Settings, name: str) -> list[str]:
    """The texts of a dataset of reviews, in its order."""
    from worker.tasks.sentiment.sources import open_reviews

    return [review.text for review in open_reviews(name, settings, labelled=True).read(print)]


def write_reviews(path: Path, texts: Sequence[str], count: int) -> None:
    """Write a CSV file of so many reviews without labels, the texts again and again."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text"])
        rows.writerows([text] for text in itertools.islice(itertools.cycle(texts), count))
