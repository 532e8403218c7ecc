"""Two processes tokenise what one would, in the same order, whatever becomes of the second."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.local import message_socket
from jobs.local.answering_process import AnsweringProcess
from jobs.settings import Settings
from tests.tasks.sentiment.test_tokeniser import mixed_texts
from worker.tasks.sentiment import datasets, second_tokeniser
from worker.tasks.sentiment.datasets import Recipe, load_reviews
from worker.tasks.sentiment.review_set import ReviewSet
from worker.tasks.sentiment.second_tokeniser import blocks_of, tokenised
from worker.tasks.sentiment.sources import open_reviews
from worker.tasks.sentiment.tokeniser import tokenise

BLOCKS = list(blocks_of(mixed_texts(400), most=20))


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_tokeniser, "usable_processors", lambda: 2)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[AnsweringProcess]:
    """Whom each question was for, once it has been answered."""
    answered: list[AnsweringProcess] = []
    ask = AnsweringProcess.ask

    def recorded(process: AnsweringProcess, *question: Any) -> Any:
        answer = ask(process, *question)
        answered.append(process)
        return answer

    monkeypatch.setattr(AnsweringProcess, "ask", recorded)
    return answered


def expected() -> list[tuple[list[str], Any]]:
    return [(texts, tokenise(texts, 20)) for texts in BLOCKS]


def test_two_processes_find_what_one_finds_in_the_same_order(asked: list[AnsweringProcess]) -> None:
    assert list(tokenised(BLOCKS, 20)) == expected()
    assert asked


def test_one_block_or_one_core_needs_no_second_process(
    asked: list[AnsweringProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(tokenised(BLOCKS[:1], 20)) == expected()[:1]
    assert list(tokenised([], 20)) == []
    monkeypatch.setattr(second_tokeniser, "usable_processors", lambda: 1)
    assert list(tokenised(BLOCKS, 20)) == expected()
    assert not asked


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_second_process_that_is_killed_or_stopped_leaves_all_to_the_first(
    asked: list[AnsweringProcess],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_killed: bool,
) -> None:
    monkeypatch.setattr(message_socket, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(second_tokeniser, "_ANSWER_SECONDS", 60.0 if is_killed else 0.5)
    monkeypatch.setattr(second_tokeniser, "AHEAD", len(BLOCKS))
    caplog.set_level(logging.WARNING)

    def blocks() -> Iterator[list[str]]:
        for number, texts in enumerate(BLOCKS):
            yield texts
            if number == 0:
                continue
            while number == 1 and not asked:
                time.sleep(0.01)
            if number == 1:
                started = asked[0]._started
                assert started is not None
                started.process.send_signal(signal.SIGSTOP)
                if is_killed:
                    threading.Timer(0.2, started.process.kill).start()

    found = list(tokenised(blocks(), 20))
    assert found == expected()
    assert len(asked) == 1
    assert caplog.messages[0].startswith("the second process that tokenises ended (")
    assert len(caplog.messages) == 1


def test_no_more_than_a_few_blocks_are_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr(
        AnsweringProcess, "ask", lambda _, *question: answers.wait(0.3) or tokenise(*question)
    )
    read = 0

    def blocks() -> Iterator[list[str]]:
        nonlocal read
        for texts in BLOCKS:
            read += 1
            yield texts

    for place, (texts, _) in enumerate(tokenised(blocks(), 20)):
        assert texts == BLOCKS[place]
        assert read - place <= 2 * second_tokeniser.AHEAD


def test_an_error_of_the_reader_comes_through_and_ends_the_second_process(
    asked: list[AnsweringProcess],
) -> None:
    def blocks() -> Iterator[list[str]]:
        yield from BLOCKS
        raise InvalidData("a.csv", expected="a row", given="none")

    with pytest.raises(InvalidData, match="expected a row"):
        list(tokenised(blocks(), 20))
    started = asked[0]._started
    assert started is not None
    deadline = time.monotonic() + 10
    while started.process.poll() is None and time.monotonic() < deadline:
        asked.clear()  # it answers for what it still had
        time.sleep(0.01)
    assert started.process.returncode == 0


def test_reviews_load_the_same_on_one_core_and_on_two(
    tmp_path: Path, folders: Settings, monkeypatch: pytest.MonkeyPatch, asked: list[AnsweringProcess]
) -> None:
    texts = [text for text in mixed_texts(200) if text.strip() and "\0" not in text and "\ud83d" not in text]
    path = tmp_path / "a.tsv"
    rows = [f"{' '.join(text.split())}\t{number % 2}\n" for number, text in enumerate(texts)]
    path.write_text("text\tlabel\n" + "".join(rows))
    monkeypatch.setattr("worker.tasks.sentiment.datasets.blocks_of", lambda texts: blocks_of(texts, 10))

    def loaded(cores: int) -> ReviewSet:
        monkeypatch.setattr(second_tokeniser, "usable_processors", lambda: cores)
        datasets._load.cache_clear()
        source = open_reviews(str(path), folders, labelled=True)
        return load_reviews(source, Recipe(8, 50), folders.data_dir / str(cores))

    one, two = loaded(1), loaded(2)
    assert asked
    assert one.vocabulary == two.vocabulary
    assert one.notes == two.notes
    for name in ("labels", "keys", "digests", "groups"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    for name in ("ids", "offsets", "lengths"):
        assert np.array_equal(getattr(one.tokens, name), getattr(two.tokens, name))


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("reviews", "seconds"),
    [(0, 0.1), (2_000, 0.1), (10_000, 0.01)],
    ids=["nothing to do", "an answer due", "a question on its way"],
)
def test_the_second_process_ends_with_the_first_without_a_word(reviews: int, seconds: float) -> None:
    program = (
        "import time\n"
        "from worker.tasks.sentiment import second_tokeniser as it\n"
        "it.usable_processors = lambda: 2\n"
        "second = it._SecondProcess(9)\n"
        "second.finish(second.begin(['a review']))\n"
        f"second.begin([f'word{{number}} ' * 500 for number in range({reviews})])\n"
        f"time.sleep({seconds})\n"
        "print(second._process._started.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    second = int(first.stdout.readline())
    os.kill(second, 0)
    first.kill()
    _, said = first.communicate(timeout=60)  # until the second, which has the same standard error, has ended
    assert said == ""
