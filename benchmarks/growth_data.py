"""Data of any size, made of IMDB's reviews and MNIST's images, none of them twice the same."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.data import OFFLINE, REAL
from jobs.settings import Settings

PIECE = 450
"""Characters of a review, a third of what IMDB's have, so that a million take half a gigabyte."""


class GrowthData:
    """Real examples, of which files of any size are made."""

    def __init__(self, settings: Settings, *, short: bool) -> None:
        """Read the reviews and the images.

        Args:
            settings: of the data folder; what is made lies there as well.
            short: whether data that need no download will do.
        """
        from worker.images.datasets import load_images
        from worker.tasks.sentiment.sources import open_reviews

        self._folder, names = settings.data_dir, OFFLINE if short else REAL
        source = open_reviews(names["reviews"], settings, labelled=True)
        reviews = [review for review in source.read(print) if len(review.text) > PIECE // 10]
        self._labels = [review.label for review in reviews]
        self._texts = [review.text.encode("ascii", "ignore").decode() for review in reviews]
        self._images = load_images(names["images"], settings).train

    def reviews(self, count: int) -> Path:
        """A CSV file of so many reviews with labels."""
        path = self._folder / f"reviews-{count}.csv"
        with path.open("w", encoding="ascii", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("text", "label"))
            rows.writerows(self._pieces(count))
        return path

    def text(self, size: int) -> Path:
        """A text of so many bytes: one piece of a review after the other."""
        path = self._folder / f"text-{size}.txt"
        with path.open("w", encoding="ascii", newline="") as file:
            while file.tell() < size:
                left = size - file.tell()
                lines = (text + "\n" for text, _ in self._pieces(1 + left // (PIECE + 1)))
                file.write("".join(lines)[:left])
        return path

    def images(self, count: int) -> Path:
        """An `.npz` of so many images: the real ones, then the same shifted by one pixel, by two, …"""
        path = self._folder / f"images-{count}.npz"
        rounds = -(-count // len(self._images))
        shifted = [np.roll(self._images, (turn // 28, turn % 28), (1, 2)) for turn in range(rounds)]
        np.savez(path, x_train=np.concatenate(shifted)[:count])
        return path

    def _pieces(self, count: int) -> Iterator[tuple[str, str]]:
        """Parts of reviews from random places on, and what the whole is: `positive` or `negative`."""
        rng = np.random.default_rng(count)
        chosen = rng.integers(len(self._texts), size=count).tolist()
        places = rng.random(count).tolist()
        for which, place in zip(chosen, places, strict=True):
            text = self._texts[which]
            start = int(place * max(1, len(text) - PIECE))
            yield text[start : start + PIECE], "positive" if self._labels[which] else "negative"
