"""Text files: what is read, what is refused, and in which sentence."""

import codecs
import hashlib
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.settings import Settings
from tests.tasks.textgen.jobs import TRAIN
from worker.datasets.text_encoding import READABLE
from worker.tasks.textgen import text_file
from worker.tasks.textgen.own_data import check_own_data
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
        ("late.txt", (PLAIN * 1_000).encode() + b"\x81", f"byte 1,800,001: expected {READABLE}, got 0x81"),
        (
            "marked.txt",
            codecs.BOM_UTF8 + PLAIN.encode() + b"\xe9",
            "byte 1,804: expected text in UTF-8, UTF-16",
        ),
        ("half.txt", PLAIN.encode() + b"\x9d\xed", f"byte 1,801: expected {READABLE}, got 0x9d"),
        ("cut.txt", PLAIN.encode("utf-16")[:-1], f"byte 3,601: expected {READABLE}, got 0x0a"),
        ("unmarked.txt", PLAIN.encode("utf-16-le"), f"character 2: expected {READABLE}, got a NUL"),
        (
            "nul.txt",
            PLAIN.encode() + b"\0" + PLAIN.encode(),
            f"character 1,801: expected {READABLE}, got a NUL",
        ),
        ("accents.txt", ("é" * 9 + "\0" + PLAIN).encode(), f"character 10: expected {READABLE}, got a NUL"),
        ("zip.txt", b"PK\x03\x04\x14\x00" + bytes(2_000), f"zip.txt: expected {READABLE}, got a ZIP file"),
        (
            "scan.txt",
            b"%PDF-1.7\n" + PLAIN.encode() + bytes(9),
            f"scan.txt: expected {READABLE}, got a PDF file",
        ),
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
    if path.suffix == ".txt" and path.is_file():  # the rest is refused by its name
        with pytest.raises(InvalidData) as at_submit:
            check_own_data(path, "train")
        assert str(at_submit.value) == message


@pytest.mark.parametrize("content", [PLAIN.encode("utf-16-le"), b"\x81" + PLAIN.encode()])
def test_a_file_in_another_encoding_gets_a_hint(opened: Callable[[bytes], Text], content: bytes) -> None:
    with pytest.raises(InvalidData) as caught:
        opened(content)
    assert caught.value.hint == "save the file as UTF-8"


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (("é – " + PLAIN).encode("utf-16"), ("own.txt was read as UTF-16.",)),
        (codecs.BOM_UTF16_BE + ("é – " + PLAIN).encode("utf-16-be"), ("own.txt was read as UTF-16.",)),
        (("é – " + PLAIN).encode("utf-32"), ("own.txt was read as UTF-32.",)),
        (("é – " + PLAIN).encode("cp1252"), ("own.txt was read as Windows-1252, since it is not UTF-8.",)),
        (("é – " + PLAIN).encode(), ()),
    ],
)
def test_texts_in_other_encodings_are_read_with_a_note(
    opened: Callable[[bytes], Text], tmp_path: Path, content: bytes, note: tuple[str, ...]
) -> None:
    text = opened(content)
    assert text.vocabulary.decode(text.codes) == "é – " + PLAIN
    assert text.notes == note
    assert text.sha256 == hashlib.sha256(content).hexdigest()
    check_own_data(tmp_path / "own.txt", "train")


def test_notes_call_stored_data_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "3f2a9c1b.txt"
    path.write_bytes(("é – " + PLAIN).encode("utf-16"))
    assert text_file.read_text_file(path, called="novels").notes == ("novels was read as UTF-16.",)


def test_a_file_that_turns_out_to_be_no_utf_8_late_is_read_from_its_beginning_again(
    opened: Callable[[bytes], Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_file, "_BLOCK", 1_000)
    text = opened(PLAIN.replace("\n", "\r\n").encode() * 3 + b"\xe9")
    assert text.vocabulary.decode(text.codes) == PLAIN * 3 + "é"
    assert len(text.notes) == 2


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


def test_letters_and_marks_become_one_character_and_a_note(opened: Callable[[bytes], Text]) -> None:
    content = "Tiếng Việt, élève, 한국어, Ёлка.\n" * 40
    text = opened(unicodedata.normalize("NFD", content).encode())
    assert text.vocabulary.decode(text.codes) == content
    assert text.notes == (
        "own.txt: letters and their marks were read as one character (Unicode's form NFC).",
    )
    assert opened(content.encode()).notes == ()


def test_a_mark_that_a_block_cuts_off_stays_with_its_letter(opened: Callable[[bytes], Text]) -> None:
    for length in range((1 << 20) - 3, (1 << 20) + 1):
        text = opened(("x" * length + "e\u0323\u0302" + "y").encode())
        assert text.vocabulary.characters == "xyệ"


@pytest.mark.parametrize("end", [b"\x81", b"\0"])
def test_of_a_long_file_the_beginning_is_checked_at_submit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    monkeypatch.setattr(text_file, "_BLOCK", 1_000)
    monkeypatch.setattr(text_file, "CHECKED_BYTES", 5_000)
    path = tmp_path / "long.txt"
    path.write_bytes(b"a" * 9_000 + end)
    check_own_data(path, "train")
    path.write_bytes(b"a" * 4_000 + end + b"b" * 5_000)
    with pytest.raises(InvalidData, match=r"long\.txt, (byte|character) 4,001: expected "):
        check_own_data(path, "train")


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
