"""Compares a folder with its manifest, which lists the SHA-256 of each file as `sha256sum` does."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from jobs.escape_control import escape_line
from jobs.store.regular_files import NotRegular, open_regular, read_regular
from jobs.wording import counted

NAME = "MANIFEST.sha256"
MOST_FILES = 10_000
"""Files and folders that a job's folder may hold; no job writes a hundredth of them."""

MOST_DIFFERENCES = 20
"""Differences that are told one by one."""

MOST_MANIFEST_BYTES = 8 * 2**20
_MOST_FILE_BYTES = 2**40
_LINE = re.compile(r"([0-9a-f]{64})  (.+)", re.DOTALL)


def text_of(checksums: Mapping[str, str]) -> str:
    """A manifest.

    Args:
        checksums: file's name -> SHA-256.
    """
    return "".join(f"{checksum}  {name}\n" for name, checksum in sorted(checksums.items()))


def checksums_in(content: bytes) -> dict[str, str]:
    """What a manifest says: file's name -> SHA-256, by name.

    Raises:
        ValueError: a line is not a checksum and a name, or names a file again, or there are too many.
    """
    lines = content.decode().removesuffix("\n").split("\n") if content else []
    matches = [match for line in lines if (match := _LINE.fullmatch(line))]
    found = {match[2]: match[1] for match in sorted(matches, key=lambda match: match[2])}
    if len(found) != len(lines) or len(lines) > MOST_FILES:
        raise ValueError(f"{NAME} is not a checksum and a name in each line, and each name once")
    return found


def differences(folder: Path) -> list[str]:
    """Every difference between a folder and its manifest, one sentence each; at most `MOST_DIFFERENCES`.

    Files are hashed in blocks, and what is no regular file is never opened.
    """
    found = list(islice(_differences(folder), 10 * MOST_FILES))
    rest = len(found) - MOST_DIFFERENCES
    return found if rest <= 0 else [*found[:MOST_DIFFERENCES], f"{counted(rest, 'more difference')}"]


def _differences(folder: Path) -> Iterator[str]:
    try:
        content = read_regular(folder / NAME, MOST_MANIFEST_BYTES)
    except FileNotFoundError:
        yield f"{NAME} is missing"
        return
    except OSError as error:
        yield f"{NAME} cannot be read ({reason(error)})"
        return
    listed: dict[str, str] = {}
    for number, line in enumerate(os.fsdecode(content).removesuffix("\n").split("\n"), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            if line or number > 1:
                yield f"line {number:,} of {NAME} is not a checksum and a name"
        elif match[2] in listed:
            yield f"{_shown(match[2])} is listed twice in {NAME}"
        else:
            listed[match[2]] = match[1]
    yield from _compared(folder, listed)


def _compared(folder: Path, listed: dict[str, str]) -> Iterator[str]:
    present: set[str] = set()
    others: list[str] = []
    try:
        for count, (name, kind) in enumerate(_entries(folder)):
            if count >= MOST_FILES:
                yield f"it has more than {MOST_FILES:,} files and folders"
                return
            if kind == "file":
                present.add(name)
            elif kind != "folder":
                others.append(f"{_shown(name)} is {kind}, and no job writes one")
    except OSError as error:
        yield f"it cannot be listed ({reason(error)})"
        return
    present.discard(NAME)
    yield from (f"{_shown(name)} is missing" for name in sorted(listed.keys() - present))
    yield from (f"{_shown(name)} is not in {NAME}" for name in sorted(present - listed.keys()))
    yield from sorted(others)
    for name in sorted(present & listed.keys()):
        try:
            same = _sha256(folder / name) == listed[name]
        except OSError as error:
            yield f"{_shown(name)} cannot be read ({reason(error)})"
        else:
            if not same:
                yield f"{_shown(name)} was changed after it was published"


def _entries(folder: Path) -> Iterator[tuple[str, str]]:
    """The path and the kind of all that lies in a folder, read as it is asked for."""
    pending = [""]
    while pending:
        above = pending.pop()
        with os.scandir(folder / above) as entries:
            for entry in entries:
                name = f"{above}{entry.name}"
                if entry.is_symlink():
                    yield name, "a symbolic link"
                elif entry.is_dir(follow_symlinks=False):
                    pending.append(f"{name}/")
                    yield name, "folder"
                else:
                    yield name, "file" if entry.is_file(follow_symlinks=False) else "no regular file"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open_regular(path, _MOST_FILE_BYTES) as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def reason(error: Exception) -> str:
    """Why something cannot be read, to be read in brackets: the error's name, or what lies there instead."""
    if not isinstance(error, NotRegular):
        return type(error).__name__
    text = str(error.strerror)
    return text[:1].lower() + text[1:]


def _shown(name: str) -> str:
    text = escape_line(name)
    return text if len(text) <= 120 else f"{text[:119]}…"
