"""How well a character model predicts a text, character by character."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.data.characters import Codes
from worker.models.textgen import multiplications, no_state, read
from worker.side_by_side import equal_parts, parts_side_by_side

RUN_IN = 250
"""Characters read before the first that counts, so that each stretch begins as if all before it had been
read: on Shakespeare the mean is then that of one long stream, to eight digits; without, 0.002 nats more."""

MOST_STREAMS = 64
SHORTEST_STREAM = 1_000
"""A text is cut into stretches that are read side by side, none shorter than this unless there is one."""

MOST_STEPS = 100
MOST_MULTIPLICATIONS = 2.5e9
"""In one call: a small part of a second, so that a stop is noticed."""


class Scores(NamedTuple):
    """For each character.

    Attributes:
        nats: minus the logarithm of the probability it was given.
        right: whether it was the likeliest one.
        confidence: the probability of the likeliest one.
    """

    nats: NDArray[np.float32]
    right: NDArray[np.bool_]
    confidence: NDArray[np.float32]


class Scorer:
    """Measures texts with one model; compiled once."""

    def __init__(self, model: keras.Model) -> None:
        """Nothing is compiled before the first text."""
        self.model = model
        self._score_chunk = tf.function(self._chunk)
        self._score_part = tf.function(self._part)

    def score(self, codes: Codes, first: int, after_chunk: Callable[[], None] = lambda: None) -> Scores:
        """Predict every character from position `first` on, at least 1, with the state carried along.

        Args:
            codes: (characters,); those before `first` are read and do not count.
            first: position of the first character that counts.
            after_chunk: called every small part of a second; may raise.
        """
        count = len(codes) - first
        parts_of_streams = parts_side_by_side()
        streams = min(MOST_STREAMS, count // SHORTEST_STREAM) // parts_of_streams * parts_of_streams or 1
        length = -(-count // streams)
        run_in = min(RUN_IN, first - 1)
        most_steps = int(MOST_MULTIPLICATIONS / (multiplications(self.model) * streams))
        chunk = max(1, min(MOST_STEPS, most_steps, run_in + length))
        # Row t holds what each stream reads at time t. Calls are equally long, since each length is compiled
        # by itself, and the last stream may end early: what is missing is filled up.
        begins = first - 1 - run_in + length * np.arange(streams)
        steps = chunk * -(-(run_in + length) // chunk)
        places = np.minimum(begins + np.arange(steps + 1)[:, np.newaxis], len(codes) - 1)
        state = no_state(self.model, streams)
        parts = []
        for start in range(0, steps, chunk):
            *scores, state = self._score_chunk(
                codes[places[start : start + chunk + 1]].astype(np.int32), state
            )
            parts.append([score.numpy() for score in scores])
            after_chunk()
        joined = (np.concatenate(part)[run_in : run_in + length] for part in zip(*parts, strict=True))
        return Scores(*(part.T.ravel()[:count] for part in joined))

    def _chunk(self, codes: Any, state: Any) -> Any:
        """The scores of codes (time + 1, streams) but the first, and the state after them."""
        parts = equal_parts(codes.shape[1])
        in_parts = zip(tf.split(codes, parts, axis=1), tf.split(state, parts, axis=2), strict=True)
        *scores, states = zip(*(self._score_part(*part) for part in in_parts), strict=True)
        return (*(tf.concat(score, axis=1) for score in scores), tf.concat(states, axis=2))

    def _part(self, codes: Any, state: Any) -> Any:
        logits, state = read(self.model, codes[:-1], state)
        log_probabilities = tf.nn.log_softmax(logits)
        nats = -tf.gather(log_probabilities, codes[1:], batch_dims=2)
        right = tf.argmax(logits, axis=2, output_type=tf.int32) == codes[1:]
        return nats, right, tf.exp(tf.reduce_max(log_probabilities, axis=2)), state
