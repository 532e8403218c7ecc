"""Labels reviews, a block at a time, and writes each decision, with reasons for the first ones."""

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidData
from jobs.store.atomic_files import whole_file, write_json
from jobs.wording import counted
from worker.context import JobContext
from worker.tasks.sentiment.artifacts import DECISIONS, PREDICTIONS
from worker.tasks.sentiment.explanation import MOST_REVIEWS, Effect, explain
from worker.tasks.sentiment.reviews import LABEL_NAMES, excerpt
from worker.tasks.sentiment.scoring import ReviewScorer, probabilities_of
from worker.tasks.sentiment.tokens import UNKNOWN, TokenCollector, Tokens, Vocabulary

BLOCK = 4_096
"""Reviews that are read at once, so that a million need no more memory than these."""


class _Block(NamedTuple):
    """Some reviews with their labels: the names of the labels, and the texts as the tables show them."""

    tokens: Tokens
    logits: NDArray[np.float32]
    labels: NDArray[np.bool_]
    names: list[str]
    excerpts: list[str]


class Labeller:
    """One model, ready to label."""

    def __init__(
        self, context: JobContext, scorer: ReviewScorer, vocabulary: Vocabulary, length: int, threshold: float
    ) -> None:
        """Nothing is read before `label`.

        Args:
            context: its folder gets the files.
            scorer: of the model.
            vocabulary: of that model.
            length: words of a review that it reads.
            threshold: the probability from which a review is called positive.
        """
        self._context, self._scorer, self._vocabulary = context, scorer, vocabulary
        self._length, self._threshold = length, threshold

    def label(self, texts: Iterable[str]) -> dict[str, float]:
        """Label reviews in their order.

        Writes `predictions.csv` with a row for each: its number, counted from 1, its label, the probability
        that it is positive, and how it begins and ends, in quotation marks (so that no program that opens the
        table takes it for a formula); and `decisions.json` with what moved the first ones.

        Returns:
            `reviews`, `positive_share` and `threshold`.

        Raises:
            InvalidData: there are no reviews, or one of them cannot be read.
            Cancelled: a stop was requested.
        """
        with whole_file(self._context.folder / PREDICTIONS) as file:
            count, positive, unknown = self._write_predictions(file, iter(texts))
        if not count:
            raise InvalidData("data", expected="at least one review to label", given="none")
        if unknown:
            self._context.note(
                f"{counted(unknown, 'review has', 'reviews have')} no word that the model knows: "
                f"{'its label means' if unknown == 1 else 'their labels mean'} nothing."
            )
        return {"reviews": count, "positive_share": positive / count, "threshold": self._threshold}

    def _write_predictions(self, file: IO[bytes], texts: Iterable[str]) -> tuple[int, int, int]:
        """How many reviews there are, how many are called positive, and how many have unknown words only."""
        lines = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(("review", "label", "probability", "text"))
        remaining = iter(texts)
        count = positive = unknown = 0
        while some := list(islice(remaining, BLOCK)):
            block = self._judge(some)
            numbers = range(count + 1, count + len(some) + 1)
            probabilities = probabilities_of(block.logits).tolist()
            table.writerows(zip(numbers, block.names, probabilities, block.excerpts, strict=True))
            if count == 0:
                self._explain(block)
            count += len(some)
            positive += int(block.labels.sum())
            unknown += _without_known_words(block.tokens)
            self._context.progress(stage=f"{counted(count, 'review')} labelled")
        lines.detach()
        return count, positive, unknown

    def _judge(self, texts: list[str]) -> _Block:
        tokens = TokenCollector(self._length, self._vocabulary).add_all(texts).tokens()
        logits = self._scorer.logits(tokens, self._context.check_stop)
        labels = probabilities_of(logits) >= self._threshold
        names = [LABEL_NAMES[int(label)] for label in labels]
        return _Block(tokens, logits, labels, names, [f"“{excerpt(text)}”" for text in texts])

    def _explain(self, block: _Block) -> None:
        """Write what moved the first decisions of a block."""
        self._context.progress(force=True, stage="finding the words that decided")
        effects = explain(
            self._scorer, self._vocabulary, block.tokens, block.logits, self._context.check_stop
        )
        probabilities = probabilities_of(block.logits)
        decisions = [
            {
                "review": index + 1,
                "label": block.names[index],
                "probability": float(probabilities[index]),
                "text": block.excerpts[index],
                "words": _described(effects[index]) if index < len(effects) else [],
            }
            for index in range(min(len(block.names), MOST_REVIEWS))
        ]
        write_json(self._context.folder / DECISIONS, decisions)


def _without_known_words(tokens: Tokens) -> int:
    return int((np.maximum.reduceat(tokens.ids, tokens.offsets[:-1]) == UNKNOWN).sum())


def _described(effects: Sequence[Effect]) -> list[dict[str, Any]]:
    without = probabilities_of(np.array([effect.logit_without for effect in effects], np.float32))
    return [
        {
            "word": effect.word,
            "times": effect.times,
            "weight": round(effect.weight, 6),
            "probability_without": probability,
        }
        for effect, probability in zip(effects, without.tolist(), strict=True)
    ]
