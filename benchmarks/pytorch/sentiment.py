"""The review model in PyTorch: the worker's network and batches, which hold reviews of similar length.

Reviews are padded on the right to the longest of their batch, `nn.LSTM` reads all of it, and the state after
the last word of each is taken.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.data import arrays

BATCH, BATCHES_SORTED, LEARNING_RATE = 128, 50, 1e-3


class PyTorch:
    """The network and the reviews, in batches of similar length."""

    def __init__(self, data: Path | str, seed: int) -> None:
        """The batches of one epoch are made."""
        torch.manual_seed(seed)
        self._data = arrays(data)
        self._embedding = nn.Embedding(int(self._data["vocabulary"]), 32)
        self._lstm, self._dense = nn.LSTM(32, 64, batch_first=True), nn.Linear(64, 1)
        weights = [*self._embedding.parameters(), *self._lstm.parameters(), *self._dense.parameters()]
        self._optimizer = torch.optim.Adam(weights, LEARNING_RATE, eps=1e-7, fused=True)
        self._batches = _batches_of_similar_length(self._data, seed)
        self._next = 0

    def train(self, most_reviews: int | None = None) -> dict[str, float]:
        """Train on the next batches of the epoch, with so many reviews at most."""
        count = max(1, (most_reviews or 10**9) // BATCH)
        chosen = [self._batches[(self._next + place) % len(self._batches)] for place in range(count)]
        self._next += count
        began = time.perf_counter()
        for reviews in chosen:
            self._learn(reviews)
        took = time.perf_counter() - began
        return {"seconds": took, "reviews_per_second": sum(map(len, chosen)) / took}

    def _learn(self, reviews: Any) -> None:
        begins = torch.from_numpy(self._data["offsets"][reviews])
        sizes = torch.from_numpy(self._data["offsets"][reviews + 1]) - begins
        steps = torch.arange(int(sizes.max()))
        inside = steps < sizes[:, None]
        stored = torch.from_numpy(self._data["tokens"])
        tokens = torch.where(inside, stored[torch.where(inside, begins[:, None] + steps, 0)], 0)
        states, _ = self._lstm(self._embedding(tokens))
        last = states[torch.arange(len(reviews)), sizes - 1]
        labels = torch.from_numpy(self._data["labels"][reviews].astype("float32"))
        loss = binary_cross_entropy_with_logits(self._dense(last)[:, 0], labels)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()


def _batches_of_similar_length(data: dict[str, Any], seed: int) -> list[Any]:
    rng = np.random.default_rng([seed, 0, 2])
    drawn = rng.permutation(data["training"])
    sizes = np.diff(data["offsets"])
    together = BATCHES_SORTED * BATCH
    for first in range(0, len(drawn), together):
        some = drawn[first : first + together]
        drawn[first : first + together] = some[np.argsort(sizes[some], kind="stable")]
    batches = np.array_split(drawn, -(-len(drawn) // BATCH))
    return [batches[place] for place in rng.permutation(len(batches))]


def start(**options: Any) -> PyTorch:
    """PyTorch's side."""
    return PyTorch(**options)
