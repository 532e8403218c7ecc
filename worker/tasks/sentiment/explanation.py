"""Which words moved a decision: each one is hidden, and the review judged again (occlusion).

After Zeiler and Fergus (2014), "Visualizing and Understanding Convolutional Networks", section 4.2, with
words in the place of grey squares: https://arxiv.org/abs/1311.2901.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from worker.tasks.sentiment.scoring import ReviewScorer
from worker.tasks.sentiment.tokens import Tokens
from worker.tasks.sentiment.vocabulary import UNKNOWN, Vocabulary

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
        logit_without: the log-odds without it.
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
    """Find the words of the first reviews, those that moved the decision most first.

    A word is hidden by replacing it with the unknown word. Of a review too long for the rest of the
    budget, the words nearest to its end are tried; once nothing is left of it, the list ends.

    Args:
        scorer: of the network that judged.
        vocabulary: of that network.
        tokens: the reviews.
        logits: (reviews,), what the scorer computed for them.
        check_stop: may raise.

    Returns:
        A list for each of the first reviews, `MOST_REVIEWS` at most.
    """
    tried = list(_words_to_try(tokens))
    hidden = [
        np.where(tokens.of(review) == word, np.int32(UNKNOWN), tokens.of(review))
        for review, words in enumerate(tried)
        for word in words
    ]
    without = iter(scorer.logits(Tokens.joined(hidden), check_stop).tolist() if hidden else [])
    effects = []
    for review, words in enumerate(tried):
        row, logit = tokens.of(review), float(logits[review])
        found = [
            Effect(vocabulary.shown(word), int((row == word).sum()), logit - left, left)
            for word, left in zip(words, islice(without, len(words)), strict=True)
        ]
        effects.append(sorted(found, key=lambda effect: -abs(effect.weight)))
    return effects


def _words_to_try(tokens: Tokens) -> Iterator[list[int]]:
    """The different known words of each of the first reviews, from its end, as far as the budget reaches."""
    budget = BUDGET_TOKENS
    for review in range(min(len(tokens), MOST_REVIEWS)):
        row = tokens.of(review)
        if len(row) > budget:
            return
        words = list(dict.fromkeys(row[row != UNKNOWN][::-1].tolist()))[: budget // len(row)]
        budget -= len(words) * len(row)
        yield words
