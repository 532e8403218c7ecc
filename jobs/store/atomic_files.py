"""Files that are replaced atomically, whatever dies while they are written.

Ours, since the standard library has no file that is synced to disk and then renamed into place.
"""

import hashlib
import json
import os
import platform
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from jobs.store.regular_files import open_regular

_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
"""Two hosts, or containers, may have threads of the same number."""


@contextmanager
def whole_file(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Open a new file that replaces `path` atomically when the block ends without an error.

    Args:
        path: the file to replace or make.
        durable: sync it to disk first; False for a file whose folder is published later, which syncs it.

    Raises:
        OSError: the volume is full, read-only or gone; `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{_HOST}-{threading.get_native_id()}.tmp")
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
        # Left by a process that died, or a link that somebody made to have another file overwritten.
        path.unlink()
        return path.open("xb")


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Write `value` as JSON: UTF-8, indented, with a final newline.

    Args:
        path: the file to replace or make.
        value: what to write.
        durable: as in `whole_file`.

    Raises:
        ValueError: `value` has a NaN or an infinity.
        OSError: the volume is full, read-only or gone; `path` is as it was.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    with whole_file(path, durable=durable) as file:
        file.write(text.encode() + b"\n")


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write `text` as UTF-8.

    Args:
        path: the file to replace or make.
        text: what to write.
        durable: as in `whole_file`.

    Raises:
        OSError: the volume is full, read-only or gone; `path` is as it was.
    """
    with whole_file(path, durable=durable) as file:
        file.write(text.encode())


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with open_regular(path, sys.maxsize, follow=True) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal_file(path: Path, mode: int) -> str:
    """Set a file's permissions and sync it to disk.

    Returns:
        Its SHA-256, as 64 hexadecimal digits.

    Raises:
        OSError: the volume is full, read-only or gone.
    """
    with open_regular(path, sys.maxsize) as file:
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync_folder(path: Path) -> None:
    """Sync the names in a folder to disk.

    Raises:
        OSError: the volume is full, read-only or gone.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
