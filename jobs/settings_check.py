"""Checks what one setting alone does not show: its environment, its folder, and other settings beside it."""

import difflib
import io
import logging
import os
import stat
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from dotenv import dotenv_values

from jobs.datasets import shown_path
from jobs.errors import InvalidSetting
from jobs.escape_control import escape_line
from jobs.store.regular_files import read_regular

log = logging.getLogger(__name__)

PREFIX = "QUARTET_"
DOTENV = Path(".env")
OWN_VARIABLES = (
    "QUARTET_PARENT", "QUARTET_TEMPORARY", "QUARTET_WORKER_DIR", "QUARTET_WORKER_NAME",
    "QUARTET_HELD_GPU", "QUARTET_TEST_DATA",
    "QUARTET_AWAY_SECONDS", "QUARTET_FAULT_SECONDS",
    "QUARTET_COMPLETE",
)  # fmt: skip
"""Variables that are no settings: what a worker's processes tell each other, and what the tests read."""

OWN_PREFIXES = ("QUARTET_CHAOS_",)
MOST_BYTES = 1_000_000
LONGEST_PATH, LONGEST_NAME = 3_000, 255
"""In bytes: of a folder, so that there is room for the names of what is put into it; and of each name."""


def folder(path: Path) -> Path:
    """A folder's path with the home folder in place of a `~`.

    Raises:
        ValueError: no system call would take it.
    """
    try:
        path = path.expanduser()
        name = os.fsencode(path)
    except RuntimeError:
        if path.parts[0] == "~":
            return path  # `check_folders` says that this user has none
        raise ValueError("a folder of a user who has a home folder") from None
    except UnicodeEncodeError:
        raise ValueError("a path in the characters of this locale (LC_ALL)") from None
    if b"\0" in name:
        raise ValueError("a path without NUL characters")
    if len(name) > LONGEST_PATH or any(len(part) > LONGEST_NAME for part in name.split(b"/")):
        raise ValueError(f"a path of at most {LONGEST_PATH:,} bytes, {LONGEST_NAME} in each name")
    return path


def check_folders(folders: Mapping[str, Path]) -> None:
    """Check that each folder leads somewhere.

    Args:
        folders: name of a setting -> its path.

    Raises:
        InvalidSetting: it is in a home folder or a working folder that does not exist, or something else is
            in its place.
    """
    for name, path in folders.items():
        if path.parts[:1] == ("~",):
            raise InvalidSetting(
                _variable(name),
                expected="a folder",
                given=f"{path}, and this user has no home folder",
                hint=f"set {_variable(name)}, or HOME",
            )
        if not path.is_absolute():
            try:
                Path.cwd()
            except OSError:
                raise InvalidSetting(
                    _variable(name),
                    expected="an absolute path where the working folder does not exist",
                    given=shown_path(path),
                    hint="change to another folder",
                ) from None
        if name.endswith("_dir") and _is_something_else(path):
            raise InvalidSetting(
                _variable(name), expected="a folder", given=f"{shown_path(path)}, which is none"
            )


def _is_something_else(path: Path) -> bool:
    """Whether a path leads to what is no folder, or through what is none."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except NotADirectoryError:
        return True
    except (OSError, ValueError):  # it does not exist yet, or whoever uses it says why it cannot
        return False


def check_together(lease: float, heartbeat: float, sweep: float) -> None:
    """Check that a worker's lease outlives a late heartbeat, and that the sweeper looks at each lease.

    Args:
        lease: setting `lease_seconds`.
        heartbeat: setting `heartbeat_seconds`.
        sweep: setting `sweep_seconds`.

    Raises:
        InvalidSetting: they do not fit together; the message names both settings.
    """
    if heartbeat > lease / 2:
        raise InvalidSetting(
            _variable("heartbeat_seconds"),
            expected=f"at most half of {_variable('lease_seconds')}, which is {lease:g}",
            given=f"{heartbeat:g}",
            hint="a worker whose one heartbeat is late would lose its job",
        )
    if sweep > lease:
        raise InvalidSetting(
            _variable("sweep_seconds"),
            expected=f"at most {_variable('lease_seconds')}, which is {lease:g}",
            given=f"{sweep:g}",
            hint="a lost job would be found later than its lease says",
        )


def check_environment(known: Sequence[str]) -> None:
    """Log each variable that looks like a setting and is none, once in this process.

    Args:
        known: the variables of all settings.

    Raises:
        InvalidSetting: `.env` in the working folder cannot be read.
    """
    for name in sorted({*os.environ, *_names_in_dotenv()}):
        upper = name.upper()
        if (
            upper.startswith(PREFIX)
            and not upper.startswith(OWN_PREFIXES)
            and upper not in {*known, *OWN_VARIABLES}
        ):
            _warn(name, tuple(known))


@lru_cache(maxsize=100)
def _warn(name: str, known: tuple[str, ...]) -> None:
    close = difflib.get_close_matches(name.upper()[:100], known, n=1, cutoff=0.8)
    remedy = f"did you mean {close[0]}?" if close else "`quartet settings` lists them all"
    log.warning("%s is not a setting; %s", escape_line(name[:100]), remedy)


def _names_in_dotenv() -> list[str]:
    try:
        if not DOTENV.is_file():
            return []
        text = read_regular(DOTENV, MOST_BYTES, follow=True).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable("not text in UTF-8") from None
    except OSError as error:
        raise _unreadable((error.strerror or "unreadable").lower()) from None
    return list(dotenv_values(stream=io.StringIO(text), interpolate=False))


def _unreadable(why: str) -> InvalidSetting:
    return InvalidSetting(
        ".env",
        expected="a file of lines NAME=value in the working folder",
        given=f"one that cannot be read ({why})",
        hint="rename it, or change to another folder",
    )


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"
