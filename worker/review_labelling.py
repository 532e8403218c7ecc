"""Labels reviews of any number, a block at a time, and writes what was decided and why."""

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidData
from jobs.files import whole_file, write_json
from worker.data.reviews import LABEL_NAMES, counted
from worker.data.tokens import UNKNOWN, TokenCollector, Tokens, Vocabulary
from worker.report.review_parts import excerpt
from worker.review_explanation import MOST_REVIEWS, Effect, explain
from worker.review_scoring import ReviewScorer, probabilities_of
from worker.run import Run

BLOCK = 4_096
"""Reviews that are read at once, so that a million need no more memory than these."""

PREDICTIONS = "predictions.csv"
DECISIONS = "decisions.json"


class Labeller:
    """One model, ready to label."""

    def __init__(
        self, run: Run, scorer: ReviewScorer, vocabulary: Vocabulary, length: int, threshold: float
    ) -> None:
        """Nothing is read before `label`.

        Args:
            run: its folder gets the files.
            scorer: of the model.
            vocabulary: of that model.
            length: words of a review that it reads.
            threshold: the probability from which a review is called positive.
        """
        self._run, self._scorer, self._vocabulary = run, scorer, vocabulary
        self._length, self._threshold = length, threshold

    def label(self, texts: Iterable[str]) -> dict[str, float]:
        """Label reviews in their order.

        Writes `predictions.csv` with a row for each: its number, counted from 1, its label, the probability
        that it is positive, and how it begins and ends, in quotation marks (so that no program that opens the
        table takes it for a formula); and `decisions.json` with what moved the first ones.

        Returns:
            `reviews` and `positive_share`.

        Raises:
            InvalidData: there is no review, or a line that cannot be understood.
            Cancelled: the run was asked to stop.
        """
        remaining = iter(texts)
        count = positive = unknown = 0
        with whole_file(self._run.folder / PREDICTIONS) as file:
            lines = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            table = csv.writer(lines, lineterminator="\n")
            table.writerow(("review", "label", "probability", "text"))
            while block := list(islice(remaining, BLOCK)):
                tokens = TokenCollector(self._length, self._vocabulary).add_all(block).tokens()
                logits = self._scorer.logits(tokens, self._run.check_stop)
                probabilities = probabilities_of(logits)
                labels = probabilities >= self._threshold
                numbers = range(count + 1, count + len(block) + 1)
                names = [LABEL_NAMES[int(label)] for label in labels]
                shown = [f"“{excerpt(text)}”" for text in block]
                table.writerows(zip(numbers, names, probabilities.tolist(), shown, strict=True))
                if count == 0:
                    self._explain(tokens, logits, names, shown)
                count += len(block)
                positive += int(labels.sum())
                unknown += int((np.maximum.reduceat(tokens.numbers, tokens.offsets[:-1]) == UNKNOWN).sum())
                self._run.progress(stage=f"{count:,} reviews labelled")
            lines.detach()
        if not count:
            raise InvalidData("there is no review to label; allowed: one or more")
        if unknown:
            which = counted(unknown, "review has", "reviews have")
            self._run.note(f"{which} no word that the model knows; what it says of such is no judgement.")
        return {"reviews": count, "positive_share": positive / count}

    def _explain(
        self, tokens: Tokens, logits: NDArray[np.float32], names: Sequence[str], shown: Sequence[str]
    ) -> None:
        self._run.progress(force=True, stage="looking for the words that decided")
        effects = explain(self._scorer, self._vocabulary, tokens, logits, self._run.check_stop)
        probabilities = probabilities_of(logits)
        decisions = [
            {
                "review": place + 1,
                "label": names[place],
                "probability": float(probabilities[place]),
                "text": shown[place],
                "words": [_described(effect) for effect in effects[place]] if place < len(effects) else [],
            }
            for place in range(min(len(names), MOST_REVIEWS))
        ]
        write_json(self._run.folder / DECISIONS, decisions)


def _described(effect: Effect) -> dict[str, Any]:
    without = probabilities_of(np.array([effect.logit_without], np.float32))
    return {
        "word": effect.word,
        "times": effect.times,
        "weight": round(effect.weight, 6),
        "probability_without": float(without[0]),
    }
