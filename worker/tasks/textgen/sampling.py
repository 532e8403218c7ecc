"""Samples text from a trained character model: the whole loop is one compiled graph.

A graph writes a block of characters for several texts at once, and each core runs a graph of its own. It
reads the prompt as it writes: given characters take the place of those that would be drawn. Ours, because a
call of Keras' `predict` for each character takes longer than the character's computation.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.tasks.textgen.network import multiplications, next_logits, zero_state
from worker.training.cpu_parallel import parallel_parts, usable_processors

WIDTHS = (1, 8, 32)
"""How many texts a graph can write at once: the smallest that suffices is used, or the largest repeatedly."""

GPU_WIDTHS = (1, 8, 64)
"""The same on a GPU, which is not shared among parts."""

LONGEST_BLOCK = 256
"""Characters written in one call."""

MOST_MULTIPLICATIONS = 2.5e9
"""In one call: a fraction of a second, so that a stop is noticed."""

COLDEST = 1e-30
"""Below this temperature the next character is the likeliest one, as far as float32 can tell."""


class Writer:
    """Writes texts with one model; compiled once for every temperature, prompt and length."""

    def __init__(self, model: keras.Model, texts: int, top_k: int = 0, top_p: float = 1.0) -> None:
        """Prepare; nothing is compiled before the first text, or `compile`.

        Args:
            model: a network that `worker.tasks.textgen.network.build` made.
            texts: how many will be written at once, which decides how wide the graph is.
            top_k: draw from the k likeliest characters only, 0 for all.
            top_p: draw from the likeliest characters that make up this probability, 1 for all.
        """
        self.model = model
        on_gpu = parallel_parts() == 1
        widths = GPU_WIDTHS if on_gpu else WIDTHS
        self._width = next((width for width in widths if width >= texts), widths[-1])
        # A text's bits depend on the width, which is therefore the same whatever the number of cores.
        self._parts = 1 if on_gpu else min(-(-texts // self._width), usable_processors())
        self._block = int(MOST_MULTIPLICATIONS / (multiplications(model) * self._width))
        self._block = max(1, min(LONGEST_BLOCK, self._block))
        self._limits = (top_k, top_p) if top_k or top_p < 1 else None
        self._write_part = tf.function(self._compiled_block, jit_compile=True)
        self._write_block = tf.function(self._blocks) if self._parts > 1 else self._write_part

    def compile(self) -> None:
        """Compile now, which takes about a second, so that the first text takes no longer than the next."""
        self.write(np.zeros(1, np.int32), 1, 1.0, [np.random.default_rng(0)])

    def write(
        self,
        prompt: NDArray[np.int32],
        length: int,
        temperature: float,
        rngs: Sequence[np.random.Generator],
        after_block: Callable[[], None] = lambda: None,
    ) -> NDArray[np.int32]:
        """Write one text for each random number generator.

        A text depends on its generator, not on the texts beside it, except that the width of the graph can
        change the last bit of a probability.

        Args:
            prompt: codes to continue, (characters,), at least one.
            length: characters to write.
            temperature: what logits are divided by; 0 takes the likeliest character each time.
            rngs: one for each text.
            after_block: called several times a second; may raise.

        Returns:
            (texts, length), codes without the prompt.
        """
        texts = np.empty((len(rngs), length), np.int32)
        lanes = self._parts * self._width
        for first in range(0, len(rngs), lanes):
            some = rngs[first : first + lanes]
            self._write_some(texts[first : first + lanes], prompt, temperature, some, after_block)
        return texts

    def _write_some(
        self,
        texts: NDArray[np.int32],
        prompt: NDArray[np.int32],
        temperature: float,
        rngs: Sequence[np.random.Generator],
        after_block: Callable[[], None],
    ) -> None:
        # The graph reads the prompt's first character at once, and the others on its way.
        ahead, length = len(prompt) - 1, texts.shape[1]
        lanes = self._parts * self._width
        characters = tf.fill([lanes], tf.constant(prompt[0], tf.int32))
        state = zero_state(self.model, lanes)
        for start in range(0, ahead + length, self._block):
            given = np.full(self._block, -1, np.int32)
            part = prompt[1 + start : 1 + start + self._block]
            given[: len(part)] = part
            uniforms = np.ones((self._block, lanes), np.float32)
            for lane, rng in enumerate(rngs):
                uniforms[:, lane] = 1 - rng.random(self._block, np.float32)
            written, characters, state = self._write_block(
                characters, state, given, uniforms, np.float32(temperature)
            )
            place = max(0, start - ahead)
            new = written.numpy().T[: len(rngs), max(0, ahead - start) :][:, : length - place]
            texts[:, place : place + new.shape[1]] = new
            after_block()

    def _blocks(self, characters: Any, state: Any, given: Any, uniforms: Any, temperature: Any) -> Any:
        """The same as `_compiled_block` for all parts, none of which waits for another."""
        of_parts = zip(
            tf.split(characters, self._parts),
            tf.split(state, self._parts, axis=2),
            tf.split(uniforms, self._parts, axis=1),
            strict=True,
        )
        written, last, states = zip(
            *(self._write_part(*part[:2], given, part[2], temperature) for part in of_parts), strict=True
        )
        return tf.concat(written, axis=1), tf.concat(last, axis=0), tf.concat(states, axis=2)

    def _compiled_block(
        self, characters: Any, state: Any, given: Any, uniforms: Any, temperature: Any
    ) -> Any:
        """Characters (block, width) written after `characters`, the last of them, and the state then."""

        def write_one(place: Any, characters: Any, state: Any, written: Any) -> Any:
            logits, state = next_logits(self.model, characters, state)
            drawn = draw(logits, uniforms[place], temperature, self._limits)
            characters = tf.where(given[place] >= 0, given[place], drawn)
            return place + 1, characters, state, written.write(place, characters)

        start = (0, characters, state, tf.TensorArray(tf.int32, self._block, element_shape=[self._width]))
        _, characters, state, written = tf.while_loop(
            lambda place, *_: place < self._block, write_one, start, maximum_iterations=self._block
        )
        return written.stack(), characters, state


def draw(logits: Any, uniforms: Any, temperature: Any, limits: tuple[int, float] | None = None) -> Any:
    """Draw a character from each row of logits.

    The softmax of logits / temperature, computed from differences of logits, so that no logarithm of a
    vanished probability is ever taken; limited to the `top_k` likeliest characters, then to the likeliest
    that make up `top_p` (Holtzman et al., 2020, https://arxiv.org/abs/1904.09751).

    Args:
        logits: (texts, vocab_size).
        uniforms: (texts,) uniform in (0, 1].
        temperature: a scalar; 0 takes the likeliest character, the first of equals.
        limits: top_k (0 for all) and top_p.

    Returns:
        (texts,) codes, int32.
    """
    likeliest = tf.argmax(logits, axis=1, output_type=tf.int32)
    if limits is None:
        drawn = _index(tf.exp(_cooled(logits, temperature)), uniforms)
    else:
        top_k, top_p = limits
        # Once sorted, a limit is an index; of equal logits the first one stays the first.
        logits, order = tf.math.top_k(logits, k=min(top_k or logits.shape[1], logits.shape[1]))
        probabilities = tf.nn.softmax(_cooled(logits, temperature))
        if top_p < 1:
            likelier = tf.cumsum(probabilities, axis=1, exclusive=True)
            probabilities = tf.where(likelier < top_p, probabilities, 0.0)
        drawn = tf.gather(order, _index(probabilities, uniforms), batch_dims=1)
    return tf.where(temperature > 0, drawn, likeliest)


def _cooled(logits: Any, temperature: Any) -> Any:
    """Logarithms of what is proportional to the probabilities; 0 for the likeliest character."""
    return (logits - tf.reduce_max(logits, axis=1, keepdims=True)) / tf.maximum(temperature, COLDEST)


def _index(weights: Any, uniforms: Any) -> Any:
    """The first index in each row where the running sum reaches its share `uniforms` of the whole."""
    # Rounding may make a sum stand still or fall: only an index with some weight may be drawn.
    sums = tf.where(weights > 0, tf.cumsum(weights, axis=1), 0.0)
    shares = uniforms[:, tf.newaxis] * tf.reduce_max(sums, axis=1, keepdims=True)
    return tf.argmax(tf.cast(sums >= shares, tf.int32), axis=1, output_type=tf.int32)
