"""Reads the file that holds Redis' password."""

from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidSetting
from jobs.secrets import remember
from jobs.store.regular_files import read_regular

MOST_BYTES = 8_000


def read_password(path: Path) -> str:
    """The password in a file: its one line, without a byte-order mark; `jobs.secrets` knows it from then on.

    Raises:
        InvalidSetting: the file cannot be read, or does not hold one password.
    """
    try:
        text = read_regular(path, MOST_BYTES, follow=True).decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise _invalid(path, "which cannot be read (not text)") from None
    except OSError as error:
        why = (error.strerror or "unreadable").lower()
        raise _invalid(path, f"which cannot be read ({why})") from None
    if not text:
        raise _invalid(path, "which is empty")
    if not text.isprintable():
        raise _invalid(path, "which has several lines, or characters that cannot be printed")
    remember(text)
    return text


def _invalid(path: Path, why: str) -> InvalidSetting:
    return InvalidSetting(
        "QUARTET_REDIS_PASSWORD_FILE",
        expected="a file that holds Redis' password",
        given=f"{shown_path(path)}, {why}",
        hint="`make env` writes one",
    )
