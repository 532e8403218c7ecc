"""Texts and files of the character model that are damaged cost a sentence, in time that grows linearly."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from jobs.errors import DamagedFolder, InvalidData
from jobs.store.job_folder import JobFolder
from tests.tasks.hostile_files import Change, assert_linear, changes, damaged, mutations, read_or_refused
from worker.tasks.textgen import text_file
from worker.tasks.textgen.artifacts import VOCABULARY, WORDS, read_network, read_words
from worker.tasks.textgen.text_file import read_text_file
from worker.tasks.textgen.vocabulary import Vocabulary
from worker.tasks.textgen.word_stats import common_words, word_use

WHOLE = ("It was a dark and stormy night; ünïcode ✓ 🎻\r\n" * 40).encode()

TEXTS: dict[str, Callable[[int], str]] = {
    "lines": lambda size: "a b\n" * (size // 4),
    "one line": lambda size: "ab" * (size // 2),
    "returns": lambda size: "a\r" * (size // 2),
    "marks": lambda size: "a" + "\u0315\u0300" * (size // 2),
    "apostrophes": lambda size: "a'" * (size // 2) + "'" * size,
}


@mutations
@given(done=changes)
def test_a_damaged_text_is_read_or_refused(tmp_path: Path, done: list[Change]) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(damaged(WHOLE, done))
    with read_or_refused(60):
        read_text_file(path)


@pytest.mark.quality
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_read_in_linear_time(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.txt"

    def work(size: int) -> Callable[[], Any]:
        path.write_text(TEXTS[name](size), newline="")
        return lambda: read_text_file(path)

    assert_linear(work, 1_000_000)


@pytest.mark.quality
@pytest.mark.parametrize("name", TEXTS)
def test_words_are_counted_in_linear_time(name: str) -> None:
    assert_linear(
        lambda size: lambda: (common_words(TEXTS[name](size), 9), word_use(TEXTS[name](size), set())), 100_000
    )


def test_a_text_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_file, "LARGEST_FILE", 5_000)
    path = tmp_path / "a.txt"
    path.write_bytes(WHOLE[:4_000] if len(WHOLE) > 4_000 else WHOLE)

    def grow() -> None:
        with path.open("ab") as file:
            file.write(b"more " * 1_000)

    with pytest.raises(InvalidData, match="expected at most 5,000 bytes, got more"):
        read_text_file(path, grow)


def test_a_pipe_in_the_place_of_a_text_holds_up_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(InvalidData, match="not a regular file"):
        read_text_file(tmp_path / "a.txt")


@pytest.mark.parametrize("parameters", [[], "many", {"units": None}, {"layers": 1, "units": 10**9},
    {"layers": 9, "units": 8}, {"layers": True, "units": 8}, {"layers": 1e309, "units": 8}])  # fmt: skip
def test_a_network_larger_than_any_is_not_built(tmp_path: Path, parameters: Any) -> None:
    Vocabulary("ab").write(tmp_path / VOCABULARY)
    spec = {"model": "textgen", "action": "train"}
    (tmp_path / "job.json").write_text(json.dumps({"spec": spec | {"parameters": parameters}}))
    with pytest.raises(DamagedFolder, match=r"job\.json"):
        read_network(JobFolder(tmp_path))
    (tmp_path / "job.json").write_text(json.dumps({"spec": spec | {"parameters": {"layers": 2, "units": 8}}}))
    assert read_network(JobFolder(tmp_path))[1] == (2, 2, 8)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.write_bytes(b"\xff")])
def test_words_that_cannot_be_read_are_refused(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    make(tmp_path / WORDS)
    with pytest.raises(DamagedFolder, match=WORDS):
        read_words(JobFolder(tmp_path))


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"characters": [1e309]}', '{"characters": [["a"]]}', "1"]
)
def test_a_vocabulary_that_is_something_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / VOCABULARY).write_text(content)
    with pytest.raises(InvalidData, match="expected a sorted list of characters"):
        Vocabulary.read(tmp_path / VOCABULARY)
