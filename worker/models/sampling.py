"""Text from a trained character model: the whole loop is one compiled graph.

A graph writes a block of characters for several texts at once. It reads the prompt as it writes:
characters that are given take the place of those that would be drawn.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.models.textgen import multiplications, next_logits, no_state

WIDTHS = (1, 8, 64)
"""How many texts a graph writes at once: the smallest that is enough, or the largest again and again."""

LONGEST_BLOCK = 256
MOST_MULTIPLICATIONS = 2.5e9
"""In one call: a small part of a second, so that a stop is noticed."""

COLDEST = 1e-30
"""Below this the next character is the likeliest one, as far as float32 can tell."""


class Writer:
    """Writes texts with one model; compiled once for every temperature, prompt and length."""

    def __init__(self, model: keras.Model, texts: int, top_k: int = 0, top_p: float = 1.0) -> None:
        """Nothing is compiled before the first text, or `compile`.

        Args:
            model: a network that `worker.models.textgen.build` made.
            texts: how many will be written at once, a guide to how wide the graph should be.
            top_k: draw from the k likeliest characters only, 0 for all.
            top_p: draw from the likeliest characters that make up this probability, 1 for all.
        """
        self.model = model
        self._width = next((width for width in WIDTHS if width >= texts), WIDTHS[-1])
        self._block = int(MOST_MULTIPLICATIONS / (multiplications(model) * self._width))
        self._block = max(1, min(LONGEST_BLOCK, self._block))
        self._limits = (top_k, top_p) if top_k or top_p < 1 else None
        self._write_block = tf.function(self._compiled_block, jit_compile=True)

    def compile(self) -> None:
        """Compile now, which takes about a second, so that writing takes no longer than it must."""
        self.write(np.zeros(1, np.int32), 1, 1.0, [np.random.default_rng(0)])

    def write(
        self,
        prompt: NDArray[np.int32],
        length: int,
        temperature: float,
        generators: Sequence[np.random.Generator],
        after_block: Callable[[], None] = lambda: None,
    ) -> NDArray[np.int32]:
        """Write one text for each generator of random numbers.

        A text depends on its generator, not on those beside it, except that how wide the graph is can
        change the last bit of a probability.

        Args:
            prompt: codes to go on from, at least one.
            length: characters to write.
            temperature: 0 for the likeliest character each time; else logits are divided by it.
            generators: one a text.
            after_block: called every small part of a second; may raise.

        Returns:
            (texts, length), codes without the prompt.
        """
        texts = np.empty((len(generators), length), np.int32)
        for first in range(0, len(generators), self._width):
            some = generators[first : first + self._width]
            self._write_some(texts[first : first + self._width], prompt, temperature, some, after_block)
        return texts

    def _write_some(
        self,
        texts: NDArray[np.int32],
        prompt: NDArray[np.int32],
        temperature: float,
        generators: Sequence[np.random.Generator],
        after_block: Callable[[], None],
    ) -> None:
        # The graph sees the prompt's first character at once and is given the others on its way.
        ahead, length = len(prompt) - 1, texts.shape[1]
        characters = tf.fill([self._width], tf.constant(prompt[0], tf.int32))
        state = no_state(self.model, self._width)
        for start in range(0, ahead + length, self._block):
            given = np.full(self._block, -1, np.int32)
            part = prompt[1 + start : 1 + start + self._block]
            given[: len(part)] = part
            chances = np.ones((self._block, self._width), np.float32)
            for lane, generator in enumerate(generators):
                chances[:, lane] = 1 - generator.random(self._block, np.float32)
            written, characters, state = self._write_block(
                characters, state, given, chances, np.float32(temperature)
            )
            place = max(0, start - ahead)
            new = written.numpy().T[: len(generators), max(0, ahead - start) :][:, : length - place]
            texts[:, place : place + new.shape[1]] = new
            after_block()

    def _compiled_block(self, characters: Any, state: Any, given: Any, chances: Any, temperature: Any) -> Any:
        """Characters (block, width) written after `characters`, the last of them, and the state then."""

        def write_one(place: Any, characters: Any, state: Any, written: Any) -> Any:
            logits, state = next_logits(self.model, characters, state)
            drawn = draw(logits, chances[place], temperature, self._limits)
            characters = tf.where(given[place] >= 0, given[place], drawn)
            return place + 1, characters, state, written.write(place, characters)

        start = (0, characters, state, tf.TensorArray(tf.int32, self._block, element_shape=[self._width]))
        _, characters, state, written = tf.while_loop(
            lambda place, *_: place < self._block, write_one, start, maximum_iterations=self._block
        )
        return written.stack(), characters, state


def draw(logits: Any, chances: Any, temperature: Any, limits: tuple[int, float] | None = None) -> Any:
    """Draw a character from each row of logits.

    The softmax of logits / temperature, computed from differences of logits, so that no logarithm of a
    vanished probability is ever taken; limited to the `top_k` likeliest characters, then to the likeliest
    that make up `top_p` (Holtzman et al., 2020, https://arxiv.org/abs/1904.09751).

    Args:
        logits: (texts, vocabulary).
        chances: (texts,) uniform in (0, 1].
        temperature: a scalar; 0 takes the likeliest character, the first of equals.
        limits: top_k (0 for all) and top_p.

    Returns:
        (texts,) codes, int32.
    """
    likeliest = tf.argmax(logits, axis=1, output_type=tf.int32)
    if limits is None:
        drawn = _place(tf.exp(_cooled(logits, temperature)), chances)
    else:
        top_k, top_p = limits
        # Sorted, a limit is a place; of equal logits the first one stays the first.
        logits, order = tf.math.top_k(logits, k=min(top_k or logits.shape[1], logits.shape[1]))
        probabilities = tf.nn.softmax(_cooled(logits, temperature))
        if top_p < 1:
            likelier = tf.cumsum(probabilities, axis=1, exclusive=True)
            probabilities = tf.where(likelier < top_p, probabilities, 0.0)
        drawn = tf.gather(order, _place(probabilities, chances), batch_dims=1)
    return tf.where(temperature > 0, drawn, likeliest)


def _cooled(logits: Any, temperature: Any) -> Any:
    """Logarithms of what is proportional to the probabilities; 0 for the likeliest character."""
    return (logits - tf.reduce_max(logits, axis=1, keepdims=True)) / tf.maximum(temperature, COLDEST)


def _place(weights: Any, chances: Any) -> Any:
    """The first place in each row where the sum so far reaches its share `chances` of the whole."""
    # Rounding may make a sum stand still or fall: only a place with some weight may be drawn.
    sums = tf.where(weights > 0, tf.cumsum(weights, axis=1), 0.0)
    shares = chances[:, tf.newaxis] * tf.reduce_max(sums, axis=1, keepdims=True)
    return tf.argmax(tf.cast(sums >= shares, tf.int32), axis=1, output_type=tf.int32)
