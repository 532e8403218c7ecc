"""Texts as numbers, words and n-grams; nothing here needs TensorFlow."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.settings import Settings, read_settings
from worker.data.characters import Vocabulary, named
from worker.data.pydoc import prose
from worker.data.text import LARGEST_FILE, STRETCHES, Text, open_text
from worker.data.word_list import common_words, word_use
from worker.models.ngrams import NGrams

SENTENCE = "The quick brown fox jumps over the lazy dog.\n"
PLAIN = SENTENCE * 40


@pytest.fixture
def folders(tmp_path: Path) -> Settings:
    return read_settings(data_dir=tmp_path / "data")


@pytest.fixture
def opened(tmp_path: Path, folders: Settings) -> Callable[[bytes], Text]:
    def write_and_open(content: bytes) -> Text:
        (tmp_path / "own.txt").write_bytes(content)
        return open_text(str(tmp_path / "own.txt"), folders, "train")

    return write_and_open


# --- files of one's own ---------------------------------------------------------------


def a_folder(path: Path) -> None:
    path.mkdir()


def nothing(path: Path) -> None:
    del path


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_broken_link(path: Path) -> None:
    path.symlink_to(path.with_name("gone"))


def a_huge_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gone.txt", nothing, "gone.txt does not exist"),
        ("folder.txt", a_folder, "is a folder, which textgen train does not take"),
        ("pipe.txt", a_pipe, "is neither a file nor a folder"),
        ("link.txt", a_broken_link, "does not exist"),
        ("text.pdf", PLAIN.encode(), "is a file ending in .pdf, which textgen train does not take"),
        ("text", PLAIN.encode(), "is a file without an ending"),
        ("huge.txt", a_huge_file, "has 2.0 GB; allowed: up to 2 GB"),
        ("empty.txt", b"", "is empty; allowed: a text file in UTF-8"),
        ("mark.txt", b"\xef\xbb\xbf", "is empty"),
        ("short.txt", SENTENCE.encode(), "has 45 characters; allowed: 1,000 or more"),
        ("one.txt", b"a" * 5_000, "has nothing but the character 'a', 5,000 times"),
        ("lines.txt", b"\n" * 5_000, r"has nothing but the character '\n', 5,000 times"),
        ("latin.txt", ("é" + PLAIN).encode("latin-1"), "is not UTF-8 at byte 1;"),
        ("late.txt", (PLAIN * 1_000).encode() + b"\xff", "is not UTF-8 at byte 1,800,001;"),
        ("cut.txt", (PLAIN + "é").encode()[:-1], "is not UTF-8 at byte 1,801;"),
        ("half.txt", PLAIN.encode() + b"\xed\xa0\x80", "is not UTF-8 at byte 1,801;"),
        ("wide.txt", PLAIN.encode("utf-16"), "is UTF-16 or UTF-32; allowed: a text file in UTF-8"),
        ("big_end.txt", b"\xfe\xff" + PLAIN.encode("utf-16-be"), "is UTF-16 or UTF-32"),
        ("unmarked.txt", PLAIN.encode("utf-16-le"), "is no text: character 2 is NUL"),
        ("nul.txt", PLAIN.encode() + b"\0" + PLAIN.encode(), "is no text: character 1,801 is NUL"),
        ("zip.txt", b"PK\x03\x04\x14\x00\x00\x00" + os.urandom(2_000), "is no"),
        ("symbols.txt", "".join(map(chr, range(0x4E00, 0x4E00 + 20_001))).encode(), "different characters"),
    ],
)
def test_a_file_that_cannot_be_used_gets_one_sentence(
    tmp_path: Path, folders: Settings, name: str, content: bytes | Callable[[Path], None], sentence: str
) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    with pytest.raises(InvalidData) as caught:
        open_text(str(path), folders, "train")
    message = str(caught.value)
    assert sentence in message
    assert "allowed: " in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("shakespear", "did you mean 'shakespeare'?"),
        ("mnist", "mnist holds images, not text; allowed: shakespeare, pydoc"),
    ],
)
def test_a_wrong_name_gets_one_sentence(folders: Settings, name: str, sentence: str) -> None:
    with pytest.raises(InvalidData) as caught:
        open_text(name, folders, "train")
    assert sentence in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read_gets_one_sentence(tmp_path: Path, folders: Settings) -> None:
    path = tmp_path / "secret.txt"
    path.write_text(PLAIN)
    path.chmod(0)
    with pytest.raises(InvalidData, match=r"secret\.txt cannot be read \(Permission denied\)"):
        open_text(str(path), folders, "train")


def test_a_text_comes_back_from_its_codes(opened: Callable[[bytes], Text]) -> None:
    content = PLAIN + "naïve Ω 🎻 …"
    text = opened(content.encode())
    assert text.vocabulary.decode(text.codes) == content
    assert text.codes.dtype == np.uint8
    assert text.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert text.record["characters"] == len(content)
    assert text.notes == ()


def test_more_than_256_characters_take_two_bytes_each(opened: Callable[[bytes], Text]) -> None:
    content = PLAIN + "".join(map(chr, range(0x4E00, 0x4F00)))
    text = opened(content.encode())
    assert text.codes.dtype == np.uint16
    assert text.vocabulary.decode(text.codes) == content


def test_a_byte_order_mark_is_no_character(opened: Callable[[bytes], Text]) -> None:
    assert opened(b"\xef\xbb\xbf" + PLAIN.encode()).codes.tolist() == opened(PLAIN.encode()).codes.tolist()


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_foreign_line_ends_become_newlines_and_a_note(opened: Callable[[bytes], Text], line_end: str) -> None:
    text = opened(PLAIN.replace("\n", line_end).encode())
    assert text.vocabulary.decode(text.codes) == PLAIN
    assert text.notes == (f"own.txt: its line ends {line_end!r} were read as '\\n'.",)


def test_what_a_block_cuts_in_two_stays_whole(opened: Callable[[bytes], Text]) -> None:
    ahead = "x" * ((1 << 20) - 1)
    text = opened(f"{ahead}é\r\n{ahead[:-4]}\r\nend".encode())
    assert text.vocabulary.decode(text.codes) == f"{ahead}é\n{ahead[:-4]}\nend"


def test_a_long_text_needs_little_more_memory_than_its_size(tmp_path: Path) -> None:
    size = 32_000_000
    path = tmp_path / "long.txt"
    path.write_bytes((SENTENCE * (size // len(SENTENCE))).encode())
    program = """
import resource, sys
from jobs.settings import read_settings
from worker.data.text import open_text
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
open_text(sys.argv[1], read_settings(), "train")
print(peak() - before)
"""
    kilobytes = int(
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
    )
    assert kilobytes * (1 if sys.platform == "linux" else 1 / 1024) < 1.6 * size / 1024


# --- datasets -------------------------------------------------------------------------


def test_pydoc_is_prose_and_always_the_same(folders: Settings) -> None:
    text = prose()
    assert len(text) > 100_000
    assert not [line for line in text.splitlines() if line.startswith((">>>", "***", "   "))]
    opened = open_text("pydoc", folders, "train")
    assert opened.path is None
    assert opened.vocabulary.decode(opened.codes) == text
    assert opened.sha256 == open_text("pydoc", folders, "train").sha256


def test_shakespeare_in_the_data_folder_is_used_as_it_is(folders: Settings) -> None:
    folders.data_dir.mkdir()
    (folders.data_dir / "shakespeare.txt").write_text(PLAIN)
    text = open_text("shakespeare", folders, "train")
    assert (text.name, text.path) == ("shakespeare", folders.data_dir / "shakespeare.txt")
    assert text.sha256 == hashlib.sha256(PLAIN.encode()).hexdigest()


# --- parts of a text ------------------------------------------------------------------


def test_training_validation_and_held_out_parts_share_no_character() -> None:
    codes = np.arange(50_000)
    text = Text("own", None, "", Vocabulary("".join(map(chr, range(0x10000, 0x10000 + 50_000)))), codes)
    training, validation = text.split(text.vocabulary)
    held_out = set(codes[text.held_out :].tolist())
    assert len(held_out) == 5_000
    assert len(validation) == 50_000 * 9 // 10 // 18
    assert not set(training.tolist()) & set(validation.tolist())
    assert not held_out & (set(training.tolist()) | set(validation.tolist()))
    assert text.held_out - len(training) - len(validation) < STRETCHES
    assert training.max() == text.held_out - 1


def test_the_vocabulary_is_that_of_the_training_text(opened: Callable[[bytes], Text]) -> None:
    text = opened((PLAIN + "é").encode())
    assert "é" in text.vocabulary.characters
    assert "é" not in text.vocabulary_before(text.held_out).characters


def test_characters_of_another_vocabulary_are_left_out_and_counted(opened: Callable[[bytes], Text]) -> None:
    text = opened(("ab" * 1_000 + "c" * 7 + "d").encode())
    vocabulary = Vocabulary("aby")
    codes, unknown, left_out = text.codes_in(vocabulary, 1_000)
    assert (unknown, left_out) == ("cd", 8)
    assert vocabulary.decode(codes) == "ab" * 500
    assert codes.dtype == np.uint8


def test_a_vocabulary_is_read_as_it_was_written(tmp_path: Path) -> None:
    vocabulary = Vocabulary("".join(sorted('\n\t "\\</script>é\u2028🎻')))
    vocabulary.write(tmp_path / "vocabulary.json")
    assert Vocabulary.read(tmp_path / "vocabulary.json") == vocabulary


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"characters": 3}', '{"characters": ["b", "a"]}', '{"characters": ["ab"]}']
)
def test_what_is_no_vocabulary_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "vocabulary.json").write_text(content)
    with pytest.raises(InvalidData, match="is no vocabulary of this model"):
        Vocabulary.read(tmp_path / "vocabulary.json")


def test_unknown_characters_are_named_once_each() -> None:
    codes, unknown = Vocabulary("abc").encode("a\tb🎻\ud83dc🎻")
    assert codes.tolist() == [0, 1, 2]
    assert named(unknown) == r"'\t', '🎻', '\ud83d'"
    assert named("abcdefghijklm").endswith("'j' and 3 more")


# --- words ----------------------------------------------------------------------------


def test_words_are_counted_without_their_case() -> None:
    known = frozenset(common_words("To be, or not to be: that's the question", 100))
    assert known == {"to", "be", "or", "not", "that's", "the", "question"}
    assert common_words("b b a", 1) == ["b"]
    use = word_use("To be OR zounds! To be or zounds", known)
    assert use == (8, 0.5, pytest.approx(1 / 3), 0.75)
    assert word_use("... 42", known) == (0, 0, 0, 0)


# --- n-grams --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    text = prose()[:60_000]
    return Vocabulary("".join(sorted(set(text)))).encode(text)[0]


@pytest.mark.parametrize("context", [[], [5], [0, 1, 2, 3], [20, 21, 20, 21, 20, 21]])
def test_the_probabilities_after_a_context_sum_to_one(codes: np.ndarray, context: list[int]) -> None:
    size = int(codes.max()) + 3  # two characters that were never seen have a probability too
    grams = NGrams(codes, size, 5)
    after = [grams.probabilities(np.array([*context, character]))[-1] for character in range(size)]
    assert sum(after) == pytest.approx(1)
    assert min(after) > 0


def test_a_fivegram_beats_a_unigram_on_text_it_did_not_count(codes: np.ndarray) -> None:
    training, held_out = codes[:50_000], codes[50_000:]
    size = int(codes.max()) + 1
    one, two, five = (
        -np.log(NGrams(training, size, order).probabilities(held_out)).mean() for order in (1, 2, 5)
    )
    assert five < two < one < np.log(size)


def test_ngrams_agree_with_counting_by_hand() -> None:
    grams = NGrams(np.array([0, 1, 0, 1, 1]), 2, 2)
    unigram = np.array([2 + 2 / 2, 3 + 2 / 2]) / (5 + 2)
    after_one = (np.array([1, 1]) + 2 * unigram) / (2 + 2)
    assert grams.probabilities(np.array([1, 0])).tolist() == pytest.approx([unigram[1], after_one[0]])
