"""Labels reviews, a block at a time, and writes each decision, with reasons for the first ones."""

import re
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import count, islice
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidData
from jobs.store.atomic_files import whole_file, write_json
from jobs.wording import counted
from worker.context import JobContext
from worker.tasks.sentiment.artifacts import DECISIONS, PREDICTIONS
from worker.tasks.sentiment.explanation import MOST_REVIEWS, Effect, explain
from worker.tasks.sentiment.meant_text import note_on_encoded
from worker.tasks.sentiment.reviews import LABEL_NAMES, excerpt
from worker.tasks.sentiment.scoring import ReviewScorer, probabilities_of
from worker.tasks.sentiment.spec import Generate
from worker.tasks.sentiment.token_block import blocks_of
from worker.tasks.sentiment.tokens import TokenCollector, Tokens, note_on_cut
from worker.tasks.sentiment.vocabulary import UNKNOWN, Vocabulary

BLOCK = 4_096
BLOCK_CHARACTERS = 16_000_000
"""Reviews of a block, and with how many characters it is full. While one is judged, the next one is read and
tokenised, and the one before is written: a million reviews need no more memory than these."""

_TO_QUOTE = re.compile(r'[,"\r\n]')


class Block(NamedTuple):
    """Some reviews with what the model makes of them.

    Attributes:
        encoded: how many of them have something to decode.
        known_words: (reviews,), how many of the words that are read the model knows.
        positive: (reviews,), whether each is called positive, by words that the model knows.
    """

    texts: list[str]
    tokens: Tokens
    encoded: int
    logits: NDArray[np.float32]
    known_words: NDArray[np.int64]
    positive: NDArray[np.bool_]

    @property
    def names(self) -> list[str]:
        """The labels; that of a review without a known word is empty, since it would mean nothing."""
        called = zip(self.positive.tolist(), self.known_words.tolist(), strict=True)
        return [LABEL_NAMES[positive] if known else "" for positive, known in called]


class _Counts(NamedTuple):
    """How many reviews there are, are called positive, have unknown words only, are encoded, and are cut."""

    reviews: int = 0
    positive: int = 0
    unknown: int = 0
    encoded: int = 0
    cut: int = 0


class Labeller:
    """One model, ready to label."""

    def __init__(
        self, context: JobContext, scorer: ReviewScorer, vocabulary: Vocabulary, length: int, threshold: float
    ) -> None:
        """Nothing is read before `label`.

        Args:
            context: of the job, whose `limit` holds; its folder gets the files.
            scorer: of the model.
            vocabulary: of that model.
            length: words of a review that it reads.
            threshold: the probability from which a review is called positive.
        """
        self._context, self._scorer, self._vocabulary = context, scorer, vocabulary
        self._length, self._threshold = length, threshold
        parameters = context.spec.parameters
        assert isinstance(parameters, Generate)
        self._limit = parameters.limit

    def label(self, texts: Iterable[str]) -> dict[str, float]:
        """Label reviews in their order: all of them, or as many as the job's `limit` allows.

        Writes `predictions.csv` with a row for each: its number, counted from 1; its label, which is empty
        where it has no word that the model knows; the probability that it is positive; how many of the words
        that are read the model knows; and its text as it was given. And `decisions.json` with what moved the
        first.

        Returns:
            `reviews` and `threshold`; `unlabelled_reviews`, if any; and of the others `positive_share`.

        Raises:
            InvalidData: there are no reviews, or one of them cannot be read.
            Cancelled: a stop was requested.
        """
        remaining = iter(texts)
        with whole_file(self._context.folder / PREDICTIONS) as file:
            counts = self._write_predictions(file, islice(remaining, self._limit))
        if not counts.reviews:
            raise InvalidData("data", expected="at least one review to label", given="none")
        if next(remaining, None) is not None:
            self._context.note(f"--limit {self._limit}: the data has more reviews, which were not labelled.")
        self._note(counts)
        labelled = counts.reviews - counts.unknown
        return {
            "reviews": counts.reviews,
            **({"positive_share": counts.positive / labelled} if labelled else {}),
            **({"unlabelled_reviews": counts.unknown} if counts.unknown else {}),
            "threshold": self._threshold,
        }

    def _note(self, counts: _Counts) -> None:
        if counts.encoded:
            self._context.note(note_on_encoded(counts.encoded))
        if counts.cut:
            self._context.note(note_on_cut(counts.cut, self._length))
        if counts.unknown:
            its = "It has" if counts.unknown == 1 else "They have"
            self._context.note(
                f"{counted(counts.unknown, 'review has', 'reviews have')} no word that the model knows among "
                f"the last {self._length:,}, which it reads. {its} no label."
            )

    def _write_predictions(self, file: IO[bytes], texts: Iterator[str]) -> _Counts:
        file.write(b"review,label,probability,known_words,text\n")
        counts = _Counts()
        with closing(self._judged(texts)) as blocks:
            for block in blocks:
                file.write(csv_rows(counts.reviews + 1, block).encode())
                if counts.reviews == 0:
                    self._explain(block)
                counts = _Counts(
                    counts.reviews + len(block.texts),
                    counts.positive + int(block.positive.sum()),
                    counts.unknown + int((block.known_words == 0).sum()),
                    counts.encoded + block.encoded,
                    counts.cut + int(block.tokens.is_cut.sum()),
                )
                self._context.progress(stage=f"{counted(counts.reviews, 'review')} labelled")
        return counts

    def _judged(self, texts: Iterator[str]) -> Generator[Block, None, None]:
        """The blocks of some reviews; the network judges the next one while the caller has one."""
        with ThreadPoolExecutor(1, "network") as network:
            judging: deque[Future[Block]] = deque()
            for block in blocks_of(texts, BLOCK, BLOCK_CHARACTERS):
                collector = TokenCollector(self._length, self._vocabulary).add_all(block)
                judging.append(network.submit(self._judge, block, collector.tokens(), collector.encoded))
                if len(judging) > 1:
                    yield judging.popleft().result()
            while judging:
                yield judging.popleft().result()

    def _judge(self, texts: list[str], tokens: Tokens, encoded: int) -> Block:
        logits = self._scorer.logits(tokens, self._context.check_stop)
        known_words = np.add.reduceat((tokens.ids != UNKNOWN).astype(np.int64), tokens.offsets[:-1])
        positive = (probabilities_of(logits) >= self._threshold) & (known_words > 0)
        return Block(texts, tokens, encoded, logits, known_words, positive)

    def _explain(self, block: Block) -> None:
        """Write what moved the first decisions of a block."""
        self._context.progress(force=True, stage="finding the words that decided")
        effects = explain(
            self._scorer, self._vocabulary, block.tokens, block.logits, self._context.check_stop
        )
        probabilities, names = probabilities_of(block.logits), block.names
        decisions = [
            {
                "review": index + 1,
                "label": names[index],
                "probability": float(probabilities[index]),
                "text": f"“{excerpt(block.texts[index])}”",
                "words": _described(effects[index]) if index < len(effects) else [],
            }
            for index in range(min(len(names), MOST_REVIEWS))
        ]
        write_json(self._context.folder / DECISIONS, decisions)


def csv_rows(first: int, block: Block) -> str:
    """The rows of `predictions.csv` for a block, the first review of which has the number `first`.

    Ours, because Python's `csv` looks at each character by itself, which took as long as finding the words.
    """
    probabilities, known = probabilities_of(block.logits).tolist(), block.known_words.tolist()
    values = zip(count(first), block.names, probabilities, known, map(_quoted, block.texts), strict=False)
    return "".join(
        [f"{number},{name},{odds!r},{words},{text}\n" for number, name, odds, words, text in values]
    )


def _quoted(text: str) -> str:
    """A text as a field of a CSV file."""
    return '"' + text.replace('"', '""') + '"' if _TO_QUOTE.search(text) else text


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
