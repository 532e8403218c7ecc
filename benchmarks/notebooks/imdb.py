"""Keras' example `imdb_lstm` as it stands, from its data to its first steps: how much memory it takes.

`keras.datasets.imdb.load_data` downloads a file and compares its checksum. So `load_data` here is its lines,
in Keras 3.15.1 (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/datasets/imdb.py), for a file of
the same form: an `.npz` with pickled arrays of Python lists, one for each review, all its words as numbers by
how frequent they are. `benchmarks.data` makes that file of aclImdb.tar.gz beforehand, in a process of its
own, with the words that Quartet finds. `numpy.load` reads it, as in Keras before it had its own unpickler.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.data import WORDS, WORDS_READ
from benchmarks.notebooks.sentiment import BATCH, build

Part = tuple[NDArray[Any], NDArray[Any]]


def load_data(
    path: Path | str,
    num_words: int,
    seed: int = 113,
    start_char: int = 1,
    oov_char: int = 2,
    index_from: int = 3,
) -> tuple[Part, Part]:
    """What `keras.datasets.imdb.load_data` gives: reviews as lists of numbers, and their labels."""
    with np.load(path, allow_pickle=True) as f:
        x_train, labels_train = f["x_train"], f["y_train"]
        x_test, labels_test = f["x_test"], f["y_test"]

    rng = np.random.RandomState(seed)
    indices = np.arange(len(x_train))
    rng.shuffle(indices)
    x_train, labels_train = x_train[indices], labels_train[indices]
    indices = np.arange(len(x_test))
    rng.shuffle(indices)
    x_test, labels_test = x_test[indices], labels_test[indices]

    x_train = [[start_char] + [w + index_from for w in x] for x in x_train]
    x_test = [[start_char] + [w + index_from for w in x] for x in x_test]
    xs = x_train + x_test
    labels = np.concatenate([labels_train, labels_test])
    xs = [[w if w < num_words else oov_char for w in x] for x in xs]

    idx = len(x_train)
    x_train, y_train = np.array(xs[:idx], dtype="object"), labels[:idx]
    x_test, y_test = np.array(xs[idx:], dtype="object"), labels[idx:]
    return (x_train, y_train), (x_test, y_test)


class Notebook:
    """The script, which begins with its data."""

    def __init__(self, data: Path | str, seed: int) -> None:
        """`data` is as `benchmarks.data.Reader.imdb` writes it."""
        self._data, self._seed = data, seed

    def train(self, most_reviews: int) -> None:
        """Read, pad, build, and `fit` the first so many reviews, which take no less than more of them."""
        (x_train, y_train), (x_test, _) = load_data(self._data, num_words=WORDS)
        x_train = keras.utils.pad_sequences(x_train, maxlen=WORDS_READ)
        x_test = keras.utils.pad_sequences(x_test, maxlen=WORDS_READ)
        model = build(WORDS, self._seed)
        model.fit(x_train[:most_reviews], y_train[:most_reviews], batch_size=BATCH, epochs=1, verbose=0)


def start(**options: Any) -> Notebook:
    """The notebook's side."""
    return Notebook(**options)
