"""Books of Project Gutenberg: what is read of them, what is left out, and that it is said."""

from collections.abc import Callable
from pathlib import Path

import pytest

from worker.tasks.textgen import text_file
from worker.tasks.textgen.gutenberg import Frames
from worker.tasks.textgen.own_data import check_own_data
from worker.tasks.textgen.text import Text

BOOK = "\nCall me Ishmael. Some years ago, never mind how long precisely.\n" * 20
HEADER = "The Project Gutenberg eBook of Moby Dick\n\nThis ebook is for the use of anyone anywhere.\n\n"
LICENCE = "\nTHE FULL PROJECT GUTENBERG LICENSE\nPLEASE READ THIS BEFORE YOU DISTRIBUTE OR USE THIS WORK\n"
START = "*** START OF THE PROJECT GUTENBERG EBOOK MOBY DICK ***\n"
END = "*** END OF THE PROJECT GUTENBERG EBOOK MOBY DICK ***\n"

FRAMED = {
    "both": HEADER + START + BOOK + END + LICENCE,
    "this": HEADER + START.replace("THE", "THIS") + BOOK + END.replace("THE", "THIS") + LICENCE,
    "no space": HEADER + START.replace("* S", "*S") + BOOK + END.replace("* E", "*E") + LICENCE,
    "long title": HEADER + START.replace("DICK", "DICK; OR,\nTHE WHALE") + BOOK + END.replace("Y ", "Y\n"),
    "copyrighted": HEADER + START.replace("THE ", "THE COPYRIGHTED ") + BOOK + END,
    "start alone": HEADER + START + BOOK,
    "end alone": BOOK + END + LICENCE,
    "two ends": HEADER
    + START
    + BOOK
    + "End of Project Gutenberg's Moby Dick, by Melville\n\n"
    + END
    + LICENCE,
    "small print": f"{HEADER}*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n{BOOK}"
    "End of The Project Gutenberg Etext of Moby Dick\n",
    "small print of 2001": f"{HEADER}*END THE SMALL PRINT! FOR PUBLIC DOMAIN EBOOKS*Ver.02/11/02*END*\n{BOOK}",
}


@pytest.mark.parametrize("name", FRAMED)
def test_of_a_book_in_its_frame_the_book_is_read_and_the_rest_is_counted(
    opened: Callable[[bytes], Text], tmp_path: Path, name: str
) -> None:
    content = FRAMED[name]
    text = opened(b"\xef\xbb\xbf" + content.encode())
    assert text.vocabulary.decode(text.codes) == BOOK
    assert text.vocabulary.characters == "".join(sorted(set(BOOK)))
    note = (
        "own.txt: Project Gutenberg's header and licence were left out, "
        f"{len(content) - len(BOOK):,} of {len(content):,} characters."
    )
    assert text.notes == (note,) == check_own_data(tmp_path / "own.txt", "evaluate")


def test_of_several_books_in_one_file_each_is_read(opened: Callable[[bytes], Text]) -> None:
    text = opened((BOOK + END + LICENCE + 2 * (HEADER + START + BOOK + END + LICENCE)).encode())
    assert text.vocabulary.decode(text.codes) == 3 * BOOK


def test_what_would_leave_too_little_is_read_whole(opened: Callable[[bytes], Text]) -> None:
    content = HEADER * 20 + START + "A stub.\n" + END + LICENCE
    text = opened(content.encode())
    assert text.vocabulary.decode(text.codes) == content
    assert text.notes == (
        "own.txt was read with Project Gutenberg's header and licence, since without them 8 characters are left.",
    )


@pytest.mark.parametrize(
    "line",
    [
        "He read: *** START OF THE PROJECT GUTENBERG EBOOK MOBY DICK ***\n",
        "*** START OF THE STORY ***\n",
        "Project Gutenberg ends here.\n",
        "This is the End of Project Gutenberg's year.\n",
    ],
)
def test_what_only_looks_like_a_mark_is_text(opened: Callable[[bytes], Text], line: str) -> None:
    text = opened((BOOK + line + BOOK).encode())
    assert text.vocabulary.decode(text.codes) == BOOK + line + BOOK
    assert text.notes == ()


def test_no_block_hides_a_mark(monkeypatch: pytest.MonkeyPatch, opened: Callable[[bytes], Text]) -> None:
    for size in (7, 64, 1_000, 2_001):
        monkeypatch.setattr(text_file, "_BLOCK", size)
        text = opened((HEADER * 30 + START + BOOK * 3 + END + LICENCE * 30).encode())
        assert text.vocabulary.decode(text.codes) == BOOK * 3


def test_a_line_without_an_end_holds_up_no_memory() -> None:
    longest = 0
    frames = Frames()
    for parts in frames.parts("GUTENBERG " * 1_000 for _ in range(50)):
        longest = max(longest, len(frames.of_books(parts)))
    assert longest <= 12_000


def test_the_middle_of_a_line_that_was_cut_is_no_beginning() -> None:
    pieces = ["x" * 500 + (START + BOOK * 2)[:2_000], BOOK * 2]
    assert len(pieces[0]) == 2_500
    frames = Frames()
    whole = "".join(map(frames.of_books, frames.parts(pieces)))
    assert whole == "".join(pieces)
