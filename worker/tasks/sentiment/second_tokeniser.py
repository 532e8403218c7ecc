"""Tokenises many reviews on two cores: in this process, and in a second one beside it.

Python computes in one thread at a time, and the tokeniser shares nothing between reviews. The second process
loads no TensorFlow, holds two blocks of reviews at most, and ends with this one.
"""

import logging
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from jobs.local.answering_process import AnsweringProcess, ProcessEnded, answer_questions
from worker.tasks.sentiment.tokeniser import TokenBlock, tokenise
from worker.training.cpu_parallel import usable_processors

log = logging.getLogger(__name__)

BLOCK = 1_000
BLOCK_CHARACTERS = 5_000_000
"""Reviews in a block, and from how many characters on fewer are."""

AHEAD = 4
"""Blocks that may wait for the one that the second process has."""

_ANSWER_SECONDS = 60.0
"""A process that takes longer for a block is stuck, or was stopped by somebody."""


class TokenisedTexts(NamedTuple):
    """A block of reviews, and their words."""

    texts: list[str]
    tokens: TokenBlock


def blocks_of(
    texts: Iterable[str], most: int = BLOCK, most_characters: int = BLOCK_CHARACTERS
) -> Iterator[list[str]]:
    """Cut reviews into blocks.

    Args:
        texts: of the reviews.
        most: reviews in a block.
        most_characters: with which a block is full.
    """
    block: list[str] = []
    characters = 0
    for text in texts:
        block.append(text)
        characters += len(text)
        if len(block) == most or characters >= most_characters:
            yield block
            block, characters = [], 0
    if block:
        yield block


def tokenised(blocks: Iterable[list[str]], length: int) -> Generator[TokenisedTexts, None, None]:
    """Tokenise blocks of reviews, and yield them in their order, while the next one is on its way.

    The second process is started for the second block, if there are two cores. While it is at work, blocks
    that follow are tokenised here; after its end, all of them.

    Args:
        blocks: of the texts of reviews.
        length: words of a review that get an id, the last ones.

    Raises:
        Exception: whatever reading the blocks raises.
    """
    second = _SecondProcess(length)
    waiting: list[_Begun] = []
    try:
        for number, texts in enumerate(blocks):
            begun: list[_Begun] = []
            if number and second.is_free():
                begun, waiting = waiting, [second.begin(texts)]
            else:
                waiting.append((texts, tokenise(texts, length)))
                if second.has_ended or len(waiting) > AHEAD:
                    begun, waiting = waiting, []
            yield from map(second.finish, begun)
        yield from map(second.finish, waiting)
    finally:
        second.close()


_Begun = tuple[list[str], "TokenBlock | Future[TokenBlock]"]


class _SecondProcess:
    """The process that tokenises beside this one."""

    def __init__(self, length: int) -> None:
        """Nothing is started yet."""
        self.has_ended = usable_processors() == 1
        self._length = length
        self._process = AnsweringProcess(
            "worker.tasks.sentiment.second_tokeniser", answer_seconds=_ANSWER_SECONDS
        )
        self._thread = ThreadPoolExecutor(1, "tokenise")
        self._asked: Future[TokenBlock] | None = None

    def is_free(self) -> bool:
        """Whether it can be given a block."""
        return not self.has_ended and (self._asked is None or self._asked.done())

    def begin(self, texts: list[str]) -> _Begun:
        """Have it tokenise a block."""
        self._asked = self._thread.submit(self._process.ask, texts, self._length)
        return texts, self._asked

    def finish(self, begun: _Begun) -> TokenisedTexts:
        """A block with its words, which are found here if the process has ended."""
        texts, tokens = begun
        if isinstance(tokens, Future):
            try:
                tokens = tokens.result()
            except ProcessEnded as error:
                log.warning("the second process that tokenises ended (%s); this one goes on alone", error)
                self.has_ended = True
                tokens = tokenise(texts, self._length)
        return TokenisedTexts(texts, tokens)

    def close(self) -> None:
        """End it, once it has given its answer, if it has a block."""
        self._thread.shutdown(wait=False, cancel_futures=True)


if __name__ == "__main__":
    answer_questions(tokenise)
