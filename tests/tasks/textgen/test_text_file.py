"""Text files: what is read, what is refused, and in which sentence."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.settings import Settings
from tests.tasks.textgen.jobs import TRAIN
from worker.tasks.textgen.text import Text, open_text
from worker.tasks.textgen.text_file import LARGEST_FILE

SENTENCE = "The quick brown fox jumps over the lazy dog.\n"
PLAIN = SENTENCE * 40


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
        ("gone.txt", nothing, "gone.txt, which does not exist"),
        ("folder.txt", a_folder, "expected shakespeare, pydoc or a .txt file, got "),
        ("folder.txt", a_folder, "folder.txt, a folder"),
        ("pipe.txt", a_pipe, "pipe.txt, which is neither a file nor a folder"),
        ("link.txt", a_broken_link, "which does not exist"),
        ("text.pdf", PLAIN.encode(), "text.pdf, a .pdf file"),
        ("text", PLAIN.encode(), "text, a file without a suffix"),
        ("huge.txt", a_huge_file, "huge.txt: expected at most 2,000,000,000 bytes, got 2,000,000,001 bytes"),
        ("empty.txt", b"", "empty.txt: expected a text, got an empty file"),
        ("mark.txt", b"\xef\xbb\xbf", "expected a text, got an empty file"),
        ("short.txt", SENTENCE.encode(), "short.txt: expected at least 1,000 characters, got 45"),
        ("one.txt", b"a" * 5_000, "expected at least two different characters, got 'a', 5,000 times"),
        ("lines.txt", b"\n" * 5_000, r"expected at least two different characters, got '\n', 5,000 times"),
        ("latin.txt", ("é" + PLAIN).encode("latin-1"), "latin.txt, byte 1: expected UTF-8, got 0xe9"),
        ("late.txt", (PLAIN * 1_000).encode() + b"\xff", "byte 1,800,001: expected UTF-8, got 0xff"),
        ("cut.txt", (PLAIN + "é").encode()[:-1], "cut.txt, byte 1,801: expected UTF-8, got 0xc3"),
        ("half.txt", PLAIN.encode() + b"\xed\xa0\x80", "byte 1,801: expected UTF-8, got 0xed"),
        ("wide.txt", PLAIN.encode("utf-16"), "wide.txt: expected UTF-8, got UTF-16 or UTF-32"),
        ("big_end.txt", b"\xfe\xff" + PLAIN.encode("utf-16-be"), "expected UTF-8, got UTF-16 or UTF-32"),
        ("unmarked.txt", PLAIN.encode("utf-16-le"), "unmarked.txt, character 2: expected text, got a NUL"),
        ("nul.txt", PLAIN.encode() + b"\0" + PLAIN.encode(), "character 1,801: expected text, got a NUL"),
        ("zip.txt", b"PK\x03\x04\x14\x00\x00\x00" + os.urandom(2_000), "zip.txt, "),
        (
            "symbols.txt",
            "".join(map(chr, range(0x4E00, 0x4E00 + 20_001))).encode(),
            "symbols.txt: expected at most 20,000 different characters, got 20,001",
        ),
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
        open_text(TRAIN, str(path), folders)
    message = str(caught.value)
    assert sentence in message
    assert ": expected " in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [PLAIN.encode("utf-16"), b"\xe9" + PLAIN.encode()])
def test_a_file_in_another_encoding_gets_a_hint(opened: Callable[[bytes], Text], content: bytes) -> None:
    with pytest.raises(InvalidData) as caught:
        opened(content)
    assert caught.value.hint == "save the file as UTF-8"


def test_a_wrong_name_gets_a_hint(folders: Settings) -> None:
    with pytest.raises(InvalidData) as caught:
        open_text(TRAIN, "shakespear", folders)
    assert caught.value.hint == "did you mean 'shakespeare'?"


def test_a_dataset_of_another_kind_gets_one_sentence(folders: Settings) -> None:
    with pytest.raises(InvalidData) as caught:
        open_text(TRAIN, "mnist", folders)
    assert str(caught.value) == (
        "data: expected shakespeare, pydoc or a .txt file, got 'mnist', which holds images"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read_gets_one_sentence(tmp_path: Path, folders: Settings) -> None:
    path = tmp_path / "secret.txt"
    path.write_text(PLAIN)
    path.chmod(0)
    with pytest.raises(
        InvalidData,
        match=r"secret\.txt: expected a readable file, got one that cannot be read \(permission denied\)",
    ):
        open_text(TRAIN, str(path), folders)


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
    assert text.notes == (f"own.txt: line ends {line_end!r} were read as '\\n'.",)


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
from worker.tasks.textgen.text_file import read_text_file
from pathlib import Path
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
read_text_file(Path(sys.argv[1]))
print(peak() - before)
"""
    kilobytes = int(
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
    )
    assert kilobytes * (1 if sys.platform == "linux" else 1 / 1024) < 1.6 * size / 1024
