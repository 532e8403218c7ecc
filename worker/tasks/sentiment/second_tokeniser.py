"""Tokenises many reviews on two cores: in this process, and in a second one beside it.

Python computes in one thread at a time, and the tokeniser shares nothing between reviews. The second process
loads no TensorFlow, and ends with this one. The next block is ready for it before it has answered for the one
before, so that it does not wait while this process reads reviews or uses their words.
"""

import logging
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from jobs.local.answering_process import AnsweringProcess, ProcessEnded, answer_questions
from worker.tasks.sentiment.tokeniser import TokenBlock, tokenise
from worker.training.cpu_parallel import usable_processors

log = logging.getLogger(__name__)

BLOCK = 1_000
BLOCK_CHARACTERS = 5_000_000
"""Reviews in a block, and from how many characters on fewer are."""

AHEAD = 4
"""Blocks that may wait for one that the second process has."""

_ASKED = 2
"""Blocks for the second process: the one that it tokenises, and the next."""

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

    The second process is started for the second block, if there are two cores. While it has enough to do,
    blocks are tokenised here; after its end, all of them.

    Args:
        blocks: of the texts of reviews.
        length: words of a review that get an id, the last ones.

    Raises:
        Exception: whatever reading the blocks raises.
    """
    second, remaining = _SecondProcess(length), iter(blocks)
    waiting = deque[_Begun]((texts, tokenise(texts, length)) for texts in islice(remaining, 1))
    is_read = False

    def is_second_free() -> bool:
        return not second.has_ended and sum(not _is_done(begun) for begun in waiting) < _ASKED

    try:
        while waiting or not is_read:
            has_next = bool(waiting) and _is_done(waiting[0])
            if is_read or len(waiting) > AHEAD or (has_next and not is_second_free()):
                yield second.finish(waiting.popleft())
                continue
            texts = next(remaining, None)
            if texts is None:
                is_read = True
            elif is_second_free():
                waiting.append(second.begin(texts))
            else:
                waiting.append((texts, tokenise(texts, length)))
    finally:
        second.close()


_Begun = tuple[list[str], "TokenBlock | Future[TokenBlock | None]"]


def _is_done(begun: _Begun) -> bool:
    _, tokens = begun
    return not isinstance(tokens, Future) or tokens.done()


class _SecondProcess:
    """The process that tokenises beside this one.

    Attributes:
        has_ended: whether it can be given no block: it has ended, or there is only one core.
    """

    def __init__(self, length: int) -> None:
        """Nothing is started yet."""
        self.has_ended = usable_processors() == 1
        self._length = length
        self._process = AnsweringProcess(
            "worker.tasks.sentiment.second_tokeniser", answer_seconds=_ANSWER_SECONDS
        )
        self._thread = ThreadPoolExecutor(1, "tokenise")

    def begin(self, texts: list[str]) -> _Begun:
        """Have it tokenise a block."""
        return texts, self._thread.submit(self._ask, texts)

    def finish(self, begun: _Begun) -> TokenisedTexts:
        """A block with its words, which are found here if the process has ended."""
        texts, tokens = begun
        found = tokens.result() if isinstance(tokens, Future) else tokens
        return TokenisedTexts(texts, tokenise(texts, self._length) if found is None else found)

    def _ask(self, texts: list[str]) -> TokenBlock | None:
        """The words of a block; None if the process has ended."""
        if not self.has_ended:
            try:
                tokens: TokenBlock = self._process.ask(texts, self._length)
            except ProcessEnded as error:
                log.warning("the second process that tokenises ended (%s); this one goes on alone", error)
                self.has_ended = True
            else:
                return tokens
        return None

    def close(self) -> None:
        """End it, once it has answered for the block that it tokenises, if there is one."""
        self._thread.shutdown(wait=False, cancel_futures=True)


if __name__ == "__main__":
    answer_questions(tokenise)
