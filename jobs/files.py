"""Files that are there whole or not at all, whatever dies while they are written."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def whole_file(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Open a new file that replaces `path` in one step when the block ends without an error.

    `durable=False` is for a file that is of no use before its folder is published, which makes it durable.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _new_file(temporary) as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _new_file(path: Path) -> IO[bytes]:
    try:
        return path.open("xb")
    except FileExistsError:
        # It was left by a process that died, or put there to be written through.
        path.unlink()
        return path.open("xb")


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Write `value` as JSON for people and programs: UTF-8, indented, no NaN, a final newline."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    with whole_file(path, durable=durable) as file:
        file.write(text.encode() + b"\n")


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write `text` as UTF-8."""
    with whole_file(path, durable=durable) as file:
        file.write(text.encode())


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal_file(path: Path, mode: int) -> str:
    """Give a file its permissions for good and make it durable; its SHA-256."""
    with path.open("rb") as file:
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
