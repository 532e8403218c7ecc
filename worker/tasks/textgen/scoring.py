"""Scores how well a character model predicts a text, character by character."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.tasks.textgen.network import logits_of, multiplications, zero_state
from worker.tasks.textgen.vocabulary import Codes
from worker.training.cpu_parallel import equal_parts, parallel_parts

RUN_IN = 250
"""Characters read before the first that counts, so that each stream starts as if all before it had been read:
on a megabyte of drama the mean is then that of one long stream to six digits; without, 0.002 nats more."""

MOST_STREAMS = 64
SHORTEST_STREAM = 1_000
"""A text is cut into streams that are read in parallel, none shorter than this unless it is the only one."""

MOST_STEPS = 100
MOST_MULTIPLICATIONS = 2.5e9
"""In one call: a fraction of a second, so that a stop is noticed."""


class Scores(NamedTuple):
    """Scores of each character, (characters,) each.

    Attributes:
        nats: minus the logarithm of its predicted probability.
        right: whether it was the likeliest character.
        confidence: the predicted probability of the likeliest character.
    """

    nats: NDArray[np.float32]
    right: NDArray[np.bool_]
    confidence: NDArray[np.float32]


class Scorer:
    """Measures texts with one model; compiled once."""

    def __init__(self, model: keras.Model) -> None:
        """Prepare; nothing is compiled before the first text.

        Args:
            model: a network that `worker.tasks.textgen.network.build` made.
        """
        self.model = model
        self._score_chunk = tf.function(self._chunk)
        self._score_part = tf.function(self._part)

    def score(self, codes: Codes, first: int, after_chunk: Callable[[], None] = lambda: None) -> Scores:
        """Predict every character from position `first` on, with the state carried along.

        Args:
            codes: (characters,); those before `first` are read and do not count.
            first: position of the first character that counts, at least 1.
            after_chunk: called several times a second; may raise.

        Returns:
            Scores of `len(codes) - first` characters.
        """
        count = len(codes) - first
        divisor = parallel_parts()
        streams = min(MOST_STREAMS, count // SHORTEST_STREAM) // divisor * divisor or 1
        length = -(-count // streams)
        run_in = min(RUN_IN, first - 1)
        most_steps = int(MOST_MULTIPLICATIONS / (multiplications(self.model) * streams))
        chunk = max(1, min(MOST_STEPS, most_steps, run_in + length))
        # Row t holds what each stream reads at time t. Calls are equally long, since each length is compiled
        # by itself; where the last stream ends early, the text's last character fills it up.
        begins = first - 1 - run_in + length * np.arange(streams)
        steps = chunk * -(-(run_in + length) // chunk)
        places = np.minimum(begins + np.arange(steps + 1)[:, np.newaxis], len(codes) - 1)
        state = zero_state(self.model, streams)
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
        logits, state = logits_of(self.model, codes[:-1], state)
        log_probabilities = tf.nn.log_softmax(logits)
        nats = -tf.gather(log_probabilities, codes[1:], batch_dims=2)
        right = tf.argmax(logits, axis=2, output_type=tf.int32) == codes[1:]
        return nats, right, tf.exp(tf.reduce_max(log_probabilities, axis=2)), state
