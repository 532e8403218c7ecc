"""Which words moved a decision: each one is hidden, and the review judged again (occlusion).

After Zeiler and Fergus (2014), "Visualizing and Understanding Convolutional Networks", section 4.2, with
words in the place of grey squares: https://arxiv.org/abs/1311.2901.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.data.tokens import UNKNOWN, Tokens, Vocabulary
from worker.review_scoring import ReviewScorer

MOST_REVIEWS = 50
BUDGET_TOKENS = 2_000_000
"""Words that are read for all explanations together: some ten seconds on two cores."""


@dataclass(frozen=True)
class Effect:
    """What a word does to a decision.

    Attributes:
        word: as the tokeniser has it.
        times: how often it is among the words that are read; all are hidden at once.
        weight: by how much the log-odds of `positive` fall when it is hidden.
        logit_without: the log-odds that are left then.
    """

    word: str
    times: int
    weight: float
    logit_without: float


def explain(
    scorer: ReviewScorer,
    vocabulary: Vocabulary,
    tokens: Tokens,
    logits: NDArray[np.float32],
    check_stop: Callable[[], None] = lambda: None,
) -> list[list[Effect]]:
    """The words of the first reviews, those that moved the decision most first.

    A word is hidden by taking the unknown word for it. Of a review that is too long for what is left of
    the budget the words nearest to its end are tried; from where nothing is left there is no list.

    Args:
        scorer: of the network that judged.
        vocabulary: of that network.
        tokens: the reviews.
        logits: what the scorer gave for them.
        check_stop: may raise.
    """
    hidden: list[NDArray[np.int32]] = []
    tried: list[list[int]] = []
    budget = BUDGET_TOKENS
    for review in range(min(len(tokens), MOST_REVIEWS)):
        row = tokens.of(review)
        if len(row) > budget:
            break
        words = list(dict.fromkeys(row[row != UNKNOWN][::-1].tolist()))[: budget // len(row)]
        budget -= len(words) * len(row)
        tried.append(words)
        hidden += [np.where(row == word, np.int32(UNKNOWN), row) for word in words]
    without = scorer.logits(Tokens.joined(hidden), check_stop).tolist() if hidden else []
    effects, place = [], 0
    for review, words in enumerate(tried):
        row, logit = tokens.of(review), float(logits[review])
        found = [
            Effect(vocabulary.shown(word), int((row == word).sum()), logit - left, left)
            for word, left in zip(words, without[place : place + len(words)], strict=True)
        ]
        place += len(words)
        effects.append(sorted(found, key=lambda effect: -abs(effect.weight)))
    return effects
