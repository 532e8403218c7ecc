"""The data of a row, read once by Quartet's own readers and given to every side as plain arrays.

So all sides train on the same examples, validate on the same ones and are measured on the same ones. The
short forms take the datasets that need no download.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sides import Side

Array = NDArray[Any]

NOISE = 0.5
"""Standard deviation of the denoiser's noise."""

TEST_STREAM = 50
"""Keeps the noise of the test images different from that of any training run."""

WORDS, WORDS_READ = 10_000, 200
"""How many words of reviews are known, the most frequent, and how many of a review are read, its last."""

FILES = {"images": "mnist.npz", "text": "shakespeare.txt", "reviews": "aclImdb.tar.gz"}
REAL = {"images": "mnist", "text": "shakespeare", "reviews": "imdb"}
OFFLINE = {"images": "digits", "text": "pydoc", "reviews": "toy-reviews"}
"""What stands in for the real data in the short forms."""


def real_data_folder() -> Path:
    """The folder of real data.

    Raises:
        SystemExit: QUARTET_TEST_DATA does not name one that has them all.
    """
    folder = Path(os.environ.get("QUARTET_TEST_DATA") or "").absolute()
    missing = [name for name in FILES.values() if not (folder / name).is_file()]
    if missing or not os.environ.get("QUARTET_TEST_DATA"):
        raise SystemExit(
            f"QUARTET_TEST_DATA names no folder with {', '.join(missing or FILES.values())}: nothing was "
            "measured (--short tries the benchmark out on data that need no download)"
        )
    return folder


@contextmanager
def prepared(kind: str, short: bool) -> Iterator[Path]:
    """A `.npz` with the arrays of this kind of data, for the length of the block.

    They are made in a process of its own, so that the one that measures stays small.

    Raises:
        SystemExit: the real data are needed and not there.
    """
    folder = None if short else real_data_folder()
    with tempfile.TemporaryDirectory(prefix="quartet-bench-") as place:
        path = Path(place) / f"{kind}.npz"
        with Side("benchmarks.data", folder=folder) as reader:
            reader.ask(kind, path=str(path))
        yield path


def arrays(path: Path | str) -> dict[str, Array]:
    """The arrays of a file that `prepared` made."""
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


class Reader:
    """Reads data with the worker's readers and writes them as arrays."""

    def __init__(self, folder: Path | None) -> None:
        """Without a folder, data that need none."""
        from jobs.settings import read_settings

        self._names = OFFLINE if folder is None else REAL
        self._settings = read_settings(data_dir=folder or Path(tempfile.gettempdir()) / "quartet-bench-none")

    def images(self, path: str) -> None:
        """`images`, all of the training part, uint8 (n, 28, 28); of these `train` and `validation`, uint8
        (…, 784), as a job divides them; `test`, uint8 (…, 784), and `noisy_test`, float32 in [0, 1]."""
        from worker.images.arrays import flat, with_noise
        from worker.images.datasets import load_images
        from worker.images.training import held_out_for_validation

        loaded = load_images(self._names["images"], self._settings)
        pixels = loaded.train.reshape(len(loaded.train), -1)
        held_out = held_out_for_validation(len(pixels))
        np.savez(
            path,
            allow_pickle=False,
            images=loaded.train,
            train=pixels[~held_out],
            validation=pixels[held_out],
            test=loaded.test.reshape(len(loaded.test), -1),
            noisy_test=with_noise(flat(loaded.test), NOISE, [0, TEST_STREAM]),
        )

    def text(self, path: str) -> None:
        """`training`, `validation` and `held_out` codes, uint8, and the size of the `vocabulary`."""
        from worker.tasks.textgen.spec import Train
        from worker.tasks.textgen.text import open_text, split

        text = open_text(Train, self._names["text"], self._settings)
        vocabulary = text.vocabulary_before(text.held_out)
        training, validation = split(text.codes_in(vocabulary, 0, text.held_out)[0])
        held_out = text.codes_in(vocabulary, text.held_out)[0]
        np.savez(
            path,
            allow_pickle=False,
            training=training,
            validation=validation,
            held_out=held_out,
            vocabulary=np.array(len(vocabulary)),
        )

    def reviews(self, path: str) -> None:
        """All reviews as tokens, their `labels`, and which are for `training`, `validation` and `test`."""
        from worker.tasks.sentiment.datasets import Recipe, load_reviews
        from worker.tasks.sentiment.parts import test_part, validation_part
        from worker.tasks.sentiment.sources import open_reviews

        source = open_reviews(self._names["reviews"], self._settings, labelled=True)
        reviews = load_reviews(source, Recipe(WORDS_READ, WORDS), self._settings.data_dir)
        test, validation = test_part(reviews), validation_part(reviews, 0)
        np.savez(
            path,
            allow_pickle=False,
            tokens=reviews.tokens.ids,
            offsets=reviews.tokens.offsets,
            lengths=reviews.tokens.lengths,
            labels=reviews.labels,
            training=np.flatnonzero(~test & ~validation),
            validation=np.flatnonzero(validation),
            test=np.flatnonzero(test),
            vocabulary=np.array(reviews.vocabulary.vocab_size),
        )

    def imdb(self, path: str) -> None:
        """The reviews in the form of Keras' `imdb.npz`, read whole.

        `x_train` and `x_test` are arrays of Python lists, a review each: the place of each of its words
        among the words of the training part, the most frequent being 1; words that are not there are left
        out. `y_train` and `y_test`: 1 for positive.
        """
        from worker.tasks.sentiment.sources import open_reviews
        from worker.tasks.sentiment.tokeniser import words_of

        source = open_reviews(self._names["reviews"], self._settings, labelled=True)
        reviews = [(words_of(review.text), review.label, review.test) for review in source.read(print)]
        counts = Counter(word for words, _, test in reviews if not test for word in words)
        places = {word: place for place, (word, _) in enumerate(counts.most_common(), start=1)}
        written: dict[str, Array] = {}
        for part, is_test in (("train", False), ("test", True)):
            chosen = [(words, label) for words, label, test in reviews if test == is_test]
            lists = [[places[word] for word in words if word in places] for words, _ in chosen]
            # Not `np.array`, which makes lists of one length into a rectangle.
            written[f"x_{part}"] = np.fromiter(lists, object, len(lists))
            written[f"y_{part}"] = np.array([label for _, label in chosen], np.int64)
        np.savez(path, allow_pickle=True, **written)


def start(folder: str | None) -> Reader:
    """Start the side that reads data; without a folder, data that need none."""
    return Reader(Path(folder) if folder else None)


def image_errors(clean: Array, images: Array) -> dict[str, float]:
    """How far images (n, 784) in (0, 1) are from the clean ones.

    The mean BCE in nats a pixel, and the mean of each image's PSNR in dB: the same measures as
    `worker.images.quality`, without TensorFlow.
    """
    likely = np.clip(images, 1e-7, 1 - 1e-7)
    bce = -(clean * np.log(likely) + (1 - clean) * np.log1p(-likely)).mean(dtype=np.float64)
    psnr = -10 * np.log10(np.maximum(np.square(clean - images).mean(axis=1), 1e-10))
    return {"bce": float(bce), "psnr_db": float(psnr.mean(dtype=np.float64))}


def scaled(pixels: Array) -> Array:
    """Bytes as float32 in [0, 1]."""
    return pixels.astype(np.float32) / np.float32(255)


def padded(data: dict[str, Array], reviews: Array) -> Array:
    """Reviews as one rectangle, int32 (n, 200): padded on the left with 0, as Keras' `pad_sequences` does."""
    rectangle = np.zeros((len(reviews), WORDS_READ), np.int32)
    for row, review in enumerate(reviews):
        tokens = data["tokens"][data["offsets"][review] : data["offsets"][review + 1]]
        rectangle[row, WORDS_READ - len(tokens) :] = tokens
    return rectangle
