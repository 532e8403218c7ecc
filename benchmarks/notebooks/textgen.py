"""Text generation as a notebook does it: Keras' example `lstm_text_generation`.

https://github.com/keras-team/keras/blob/2.3.0/examples/lstm_text_generation.py: windows of 40 characters, one
every 3 characters, one-hot in memory as booleans; LSTM 128 → Dense softmax predicts the one character after
each window; batches of 128, `fit`. Text is written by calling `predict` for each character, with the
example's `sample`.

Changed for honesty: trained on the characters that Quartet trains on, the last tenth of the text is held out;
nothing seeds Keras as a whole, which would make `fit` use one and the same order in every epoch; the
logarithm of a probability of zero is kept finite; and Adam takes the place of RMSprop, which it beats.

Learning rates: `python -m benchmarks.learning_rates` gave these validation nats per character after 2,000
steps, about a minute of the five, one seed.

               1e-3   3e-3   1e-2   3e-2
    Adam       2.221  1.920  1.722  1.766
    RMSprop    2.244  1.940  1.758  1.749
"""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.data import arrays

LEARNING_RATE = 1e-2
WINDOW, STEP, UNITS, BATCH = 40, 3, 128, 128
SCORED_AT_ONCE = 4_096
"""Windows that `predict` gets in one call when the model is measured."""


def build(vocab_size: int, optimizer: Any) -> keras.Model:
    """The network of the example."""
    model = keras.Sequential(
        [
            keras.Input((WINDOW, vocab_size)),
            keras.layers.LSTM(UNITS),
            keras.layers.Dense(vocab_size, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer=optimizer)
    return model


def sample(predictions: NDArray[Any], temperature: float, rng: np.random.Generator) -> int:
    """Draw an index from probabilities, as the example does."""
    logits = np.log(np.maximum(np.asarray(predictions).astype("float64"), 1e-30)) / temperature
    weights = np.exp(logits - logits.max())
    return int(np.argmax(rng.multinomial(1, weights / weights.sum())))


class Notebook:
    """The network and the text it learns."""

    def __init__(
        self,
        data: Path | str,
        seed: int,
        learning_rate: float = LEARNING_RATE,
        optimizer: str = "Adam",
    ) -> None:
        """`optimizer` is one of Keras' by name."""
        stored = arrays(data)
        self._vocabulary = int(stored["vocabulary"])
        self._text, self._validation, self._held_out = (
            stored[part].astype(np.int64) for part in ("training", "validation", "held_out")
        )
        self._rng = np.random.default_rng(seed)
        self._model = build(self._vocabulary, getattr(keras.optimizers, optimizer)(learning_rate))

    def train(self, seconds: float, steps: int | None = None) -> dict[str, float]:
        """Make the windows, then `fit` for so many seconds, or for so many steps if that is less.

        The clock starts with the first step: making the windows is not counted, nor what `fit` does to
        them first.
        """
        inputs, targets = self._windows(np.arange(0, len(self._text) - WINDOW, STEP), self._text)
        clock = _Clock(seconds, steps)
        self._model.fit(
            inputs, targets, batch_size=BATCH, epochs=10**6, shuffle=True, callbacks=[clock], verbose=0
        )
        took = time.perf_counter() - clock.began
        return {"seconds": took, "steps": clock.steps, "windows_per_second": clock.steps * BATCH / took}

    def held_out_nats(self, characters: int | None = None) -> float:
        """Mean nats for each held-out character that has 40 before it, or for the first so many."""
        return self._nats(self._held_out[: None if characters is None else characters + WINDOW])

    def validation_nats(self) -> float:
        """The same on the validation text."""
        return self._nats(self._validation)

    def _nats(self, text: NDArray[np.int64]) -> float:
        count = len(text) - WINDOW
        nats = 0.0
        for first in range(0, count, SCORED_AT_ONCE):
            begins = np.arange(first, min(count, first + SCORED_AT_ONCE))
            inputs, _ = self._windows(begins, text)
            wanted = text[begins + WINDOW]
            predicted = self._model.predict(inputs, batch_size=SCORED_AT_ONCE, verbose=0)
            nats -= np.log(np.maximum(predicted[np.arange(len(begins)), wanted], 1e-30)).sum(dtype=np.float64)
        return float(nats / count)

    def write(self, characters: int) -> dict[str, float]:
        """Write one text at temperature 1, calling `predict` for each character."""
        sentence = self._text[:WINDOW].copy()
        began = time.perf_counter()
        for _ in range(characters):
            window = np.zeros((1, WINDOW, self._vocabulary))
            window[0, np.arange(WINDOW), sentence] = 1.0
            predictions = self._model.predict(window, verbose=0)[0]
            sentence = np.append(sentence[1:], sample(predictions, 1.0, self._rng))
        return {"characters_per_second": characters / (time.perf_counter() - began)}

    def _windows(self, begins: NDArray[np.int64], text: NDArray[np.int64]) -> Any:
        """Windows one-hot, bool (n, 40, vocabulary), and the character after each, bool (n, vocabulary)."""
        places = begins[:, np.newaxis] + np.arange(WINDOW)
        inputs = np.zeros((len(begins), WINDOW, self._vocabulary), dtype=bool)
        inputs[np.arange(len(begins))[:, np.newaxis], np.arange(WINDOW), text[places]] = 1
        targets = np.zeros((len(begins), self._vocabulary), dtype=bool)
        targets[np.arange(len(begins)), text[begins + WINDOW]] = 1
        return inputs, targets


class _Clock(keras.callbacks.Callback):  # type: ignore[misc]
    def __init__(self, seconds: float, most_steps: int | None) -> None:
        super().__init__()
        self.steps, self._seconds, self._most_steps = 0, seconds, most_steps
        self.began = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' signature
        if self.steps == 0:
            self.began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' signature
        self.steps += 1
        if time.perf_counter() - self.began >= self._seconds or self.steps == self._most_steps:
            self.model.stop_training = True


def start(**options: Any) -> Notebook:
    """The notebook's side."""
    return Notebook(**options)
