"""The review model as a worker trains it."""

import time
from pathlib import Path
from typing import Any

from benchmarks.data import arrays
from jobs.spec import JobSpec
from worker.engine.gpu import device
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.scoring import ReviewScorer
from worker.tasks.sentiment.tokens import Tokens
from worker.tasks.sentiment.training import ReviewTraining

PARTS = 2
"""An epoch is made in so many parts, so that the network can be measured in between."""


class Quartet:
    """`ReviewTraining` with the defaults of a job, driven as `fit` drives it."""

    def __init__(self, data: Path | str, seed: int) -> None:
        """Nothing is compiled yet."""
        device.prepare()
        self._data = arrays(data)
        self._tokens = Tokens(self._data["tokens"], self._data["offsets"], self._data["lengths"])
        parameters: Any = JobSpec.make("sentiment", "train").parameters
        self._model = build_sentiment(int(self._data["vocabulary"]), seed)
        self._training = ReviewTraining(
            self._model,
            self._tokens,
            self._data["labels"],
            training=self._data["training"],
            validation=self._data["validation"],
            batch_size=parameters.batch_size,
            learning_rate=parameters.learning_rate,
            seed=seed,
        )
        self._batch_size = parameters.batch_size
        self._scorer = ReviewScorer(self._model)
        self._step = 0

    def train(self, most_reviews: int | None = None) -> dict[str, float]:
        """Train on the next part of an epoch, or on so many reviews of it if that is less."""
        training = self._training
        part = -(-training.steps // PARTS)
        began = time.perf_counter()
        epoch, first = divmod(self._step, training.steps)
        if first == 0:
            training.begin_epoch(epoch)
        last = min(training.steps, first + part)
        if most_reviews is not None:
            last = min(last, first + max(1, most_reviews // self._batch_size))
        for step in range(first, last, training.chunk):
            training.make_steps(step, min(training.chunk, last - step))
        took = time.perf_counter() - began
        self._step += last - first
        reviews = (last - first) * len(self._data["training"]) / training.steps
        return {
            "seconds": took,
            "reviews_per_second": reviews / took,
            "epoch": self._step / training.steps,
        }

    def score(self, most_reviews: int) -> dict[str, float]:
        """Score so many of the test reviews; `words` is the mean of theirs."""
        tokens = self._tokens.taken(self._data["test"][:most_reviews])
        began = time.perf_counter()
        self._scorer.logits(tokens)
        took = time.perf_counter() - began
        return {"reviews_per_second": len(tokens) / took, "words": float(tokens.sizes.mean())}

    def accuracy(self, part: str = "test") -> float:
        """The share of `test` or `validation` reviews that the network judges right."""
        reviews = self._data[part]
        logits = self._scorer.logits(self._tokens.taken(reviews))
        return float(((logits >= 0) == self._data["labels"][reviews]).mean())


def start(**options: Any) -> Quartet:
    """Quartet's side."""
    return Quartet(**options)
