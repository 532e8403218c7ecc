"""Sentiment as a notebook does it: Keras' example `imdb_lstm`.

https://github.com/keras-team/keras/blob/2.3.0/examples/imdb_lstm.py with the sizes of our network: the 10,000
most frequent words, the last 200 words of each review, padded on the left as by `pad_sequences`;
Embedding 32 → LSTM 64 → Dense 1 sigmoid, binary cross-entropy, Adam, batches of 128, `fit`, each epoch in
another order.

Changed for honesty: validated on reviews that are held out of the training set, not on the test set.

Learning rates: `python -m benchmarks.learning_rates` gave as the best validation accuracy in three epochs,
one seed:

    Adam's    5e-4    1e-3    2e-3    4e-3
              0.8804  0.8840  0.8848  0.8780
"""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.data import arrays, padded

LEARNING_RATE = 2e-3
BATCH = 128
PARTS = 2
"""`fit` is called for so many parts of an epoch, so that the network can be measured in between."""


def build(vocab_size: int, seed: int, learning_rate: float = LEARNING_RATE) -> keras.Model:
    """The network, compiled, for tokens below `vocab_size`."""
    rng = keras.random.SeedGenerator(seed)
    glorot = keras.initializers.GlorotUniform(rng)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(
                vocab_size, 32, embeddings_initializer=keras.initializers.RandomUniform(seed=rng)
            ),
            keras.layers.LSTM(64, kernel_initializer=glorot),
            keras.layers.Dense(1, activation="sigmoid", kernel_initializer=glorot),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="binary_crossentropy")
    return model


class Notebook:
    """The network and the padded reviews."""

    def __init__(self, data: Path | str, seed: int, learning_rate: float = LEARNING_RATE) -> None:
        """Reviews are padded once."""
        self._data = arrays(data)
        self._training = padded(self._data, self._data["training"])
        self._labels = self._data["labels"][self._data["training"]].astype("float32")
        self._model = build(int(self._data["vocabulary"]), seed, learning_rate)
        self._seed, self._part = seed, 0

    def train(self, most_reviews: int | None = None) -> dict[str, float]:
        """Train on the next part of an epoch, or on so many reviews of it if that is less."""
        epoch, part = divmod(self._part, PARTS)
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._training))
        chosen = np.array_split(order, PARTS)[part][:most_reviews]
        inputs, labels = self._training[chosen], self._labels[chosen]
        self._part += 1
        began = time.perf_counter()
        self._model.fit(inputs, labels, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
        took = time.perf_counter() - began
        return {"seconds": took, "reviews_per_second": len(chosen) / took, "epoch": self._part / PARTS}

    def accuracy(self, part: str = "test") -> float:
        """The share of `test` or `validation` reviews that the network judges right."""
        reviews = self._data[part]
        probabilities = self._model.predict(padded(self._data, reviews), batch_size=512, verbose=0)[:, 0]
        return float(((probabilities >= 0.5) == self._data["labels"][reviews]).mean())


def start(**options: Any) -> Notebook:
    """The notebook's side."""
    return Notebook(**options)
