"""What is recomputed of the character model: by Keras, NumPy, and slow programs that follow the formulas."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from scipy.stats import chisquare

from jobs.store.job_folder import JobFolder

Array = np.ndarray[Any, Any]

WINDOW = 50
"""Characters of a passage that counts as seen."""

RUN_IN = 251
"""Characters of the validation text that are read before the first that counts."""

LEAST_CHANCE = 1e-4
"""Of a chi-square at least as large as the one that was found."""

_CHUNK = 500
_BEGINNING = "\0"
_WITHOUT_ESTIMATE = (0.5, 1.0, 1.5)
"""Discounts where the counts of counts give none, as of single characters, of which few are rare."""


def parts(text: str) -> tuple[str, str, str]:
    """The text's parts for training, for validation and for evaluations."""
    end = len(text) - len(text) // 10
    return *parts_before(text[:end]), text[end:]


def parts_before(before: str) -> tuple[str, str]:
    """The parts for training and for validation of what lies before the held-out part."""
    stretch = len(before) // 10
    validation = stretch // 18
    stretches = [before[first : first + stretch] for first in range(0, 10 * stretch, stretch)]
    return "".join(s[validation:] for s in stretches), "".join(s[:validation] for s in stretches)


class Network:
    """The network of a training job, loaded by Keras alone, with its characters."""

    def __init__(self, folder: JobFolder) -> None:
        self.model = keras.saving.load_model(folder.path / "model.keras", compile=False)
        self.characters = "".join(json.loads((folder.path / "vocabulary.json").read_text())["characters"])

    def probabilities(self, text: str) -> Array:
        """Of each next character after each of the text, read as one stream: (characters, vocabulary)."""
        codes = np.array([self.characters.index(character) for character in text], np.int32)
        whole = np.pad(codes, (0, -len(codes) % _CHUNK))
        state = [np.zeros((1, self.model.inputs[1].shape[1]), np.float32)] * 2
        found = []
        for first in range(0, len(whole), _CHUNK):
            after, *state = self.model.predict_on_batch([whole[np.newaxis, first : first + _CHUNK], *state])
            found.append(after[0])
        return np.concatenate(found)[: len(codes)]

    def predictions(self, text: str, first: int) -> tuple[Array, Array, Array]:
        """Of each character from `first` on: nats, whether it was the likeliest, and the likeliest's probability."""
        probabilities = self.probabilities(text)[first - 1 : -1]
        codes = np.array([self.characters.index(character) for character in text[first:]])
        nats = -np.log(probabilities[np.arange(len(codes)), codes])
        return nats, probabilities.argmax(axis=1) == codes, probabilities.max(axis=1)


class KneserNey:
    """Modified Kneser-Ney smoothing, interpolated: Chen and Goodman (1998), section 3, in dictionaries."""

    def __init__(self, counted: str, vocab_size: int, highest: int) -> None:
        self._counted, self._vocab_size, self._highest = counted, vocab_size, highest
        occurrences = {length: Counter(_grams(counted, length)) for length in range(1, highest + 1)}
        neighbours = {
            length: Counter(gram[1:] for gram in occurrences[length + 1]) for length in range(1, highest)
        }
        self._longest = {length: _Level(counts) for length, counts in occurrences.items()}
        self._shorter = {length: _Level(counts) for length, counts in neighbours.items()}

    def nats(self, order: int, text: str) -> list[float]:
        """Minus the logarithm of each character's probability; the text follows what was counted."""
        levels = [*(self._shorter[length] for length in range(1, order)), self._longest[order]]
        whole = _BEGINNING * self._highest + self._counted[-self._highest :] + text
        found = []
        for at in range(len(whole) - len(text), len(whole)):
            probability = 1 / self._vocab_size
            for length, level in enumerate(levels, 1):
                context = whole[at - length + 1 : at]
                if context not in level.total:
                    break
                kept = level.kept.get(context + whole[at], 0.0)
                probability = (kept + level.left[context] * probability) / level.total[context]
            found.append(-math.log(probability))
        return found

    def best_order(self, validation: str) -> int:
        return min(range(1, self._highest + 1), key=lambda order: np.mean(self.nats(order, validation)))


def _grams(text: str, length: int) -> Iterator[str]:
    padded = _BEGINNING * (length - 1) + text
    return (padded[at : at + length] for at in range(len(text)))


class _Level:
    """The n-grams of one length: what is kept of each count, and of each context the total and what is left."""

    def __init__(self, counts: Counter[str]) -> None:
        n1, n2, n3, n4 = (sum(count == k for count in counts.values()) for k in (1, 2, 3, 4))
        off = _WITHOUT_ESTIMATE
        if min(n1, n2, n3, n4) > 0:
            y = n1 / (n1 + 2 * n2)
            estimated = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
            off = estimated if min(estimated) > 0 else off
        self.kept: dict[str, float] = {}
        self.total: dict[str, float] = Counter()
        self.left: dict[str, float] = Counter()
        for gram, count in counts.items():
            discount = off[min(count, 3) - 1]
            self.kept[gram] = count - discount
            self.total[gram[:-1]] += count
            self.left[gram[:-1]] += discount


def is_seen(training: str, text: str) -> Array:
    """Whether each character stands in a window of `WINDOW` that the training text has, one after the other."""
    windows = {training[at : at + WINDOW] for at in range(0, len(training) - WINDOW + 1, WINDOW)}
    seen = np.zeros(len(text), bool)
    for at in range(len(text) - WINDOW + 1):
        if text[at : at + WINDOW] in windows:
            seen[at : at + WINDOW] = True
    return seen


def kind_of(before: str, character: str) -> str:
    if character.isalpha():
        return "later letter" if before.isalpha() else "first letter of a word"
    if character in " \n":
        return "space" if character == " " else "line end"
    return "digit" if character.isdigit() else "any other"


def words_in(text: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Za-z]+(?:'[A-Za-z]+)*", text)]


def calibration(confidence: Array, right: Array) -> list[tuple[float, int, float, float]]:
    """Where each of ten bins begins, its characters, their mean confidence, and the share that is right."""
    bins = np.minimum(np.floor(confidence * 10), 9)
    return [
        (
            number / 10,
            int((bins == number).sum()),
            confidence[bins == number].mean(),
            right[bins == number].mean(),
        )
        for number in range(10)
        if (bins == number).any()
    ]


def odds(network: Network, text: str, temperature: float) -> Array:
    """The odds of each character after a text, (vocabulary,)."""
    weights = np.float64(network.probabilities(text)[-1]) ** (1 / temperature)
    return np.asarray(weights / weights.sum())


def check_draws(network: Network, drawn: list[str], expected: Array) -> None:
    """Compare drawn characters with their odds by chi-square; rare ones count as one."""
    counts = Counter(drawn)
    assert set(drawn) <= {c for c, share in zip(network.characters, expected, strict=True) if share > 0}
    pairs = [(counts[c], len(drawn) * share) for c, share in zip(network.characters, expected, strict=True)]
    rare = np.sum([pair for pair in pairs if pair[1] < 5], axis=0)
    found, hoped_for = np.array(
        [*(pair for pair in pairs if pair[1] >= 5), *([rare] if rare[1] > 0 else [])]
    ).T
    if len(found) > 1:
        assert chisquare(found, hoped_for * len(drawn) / hoped_for.sum()).pvalue > LEAST_CHANCE
