"""Datasets into the data folder, once, with a pinned checksum, by Keras' own `get_file`."""

import fcntl
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TextIO

from jobs.datasets import DATASETS, Original, find, shown_path
from jobs.errors import InvalidData, MissingPart
from jobs.settings import Settings

PARTIAL = ".partial"
"""Where downloads lie in the data folder until they are complete and checked."""

SILENCE_SECONDS = 30.0
"""How long a server may send nothing."""


def obtain(name: str, settings: Settings, progress: TextIO | None = None) -> Path:
    """Find a dataset's file in the data folder, or download it there.

    Args:
        name: a dataset that is not made offline.
        settings: its `data_dir` is the data folder.
        progress: where a progress bar goes, if anywhere.

    Raises:
        InvalidData: it cannot be downloaded, or not into that folder.
        MissingPart: Keras is not installed.
    """
    data_dir = settings.data_dir.absolute()
    found = find(name, data_dir)
    if found is not None:
        return found
    original = DATASETS[name].originals[0]
    try:
        with _alone(data_dir):
            # Another worker may have fetched it in the meantime.
            return find(name, data_dir) or download(original, data_dir, progress)
    except OSError as error:
        raise InvalidData(
            f"{name}: nothing can be kept in the data folder {shown_path(data_dir)} "
            f"({(error.strerror or str(error)).lower()}); allowed: a folder that can be written, "
            f"or one that holds {original.file} already"
        ) from None


def download(original: Original, data_dir: Path, progress: TextIO | None = None) -> Path:
    """Download a file into a folder; it appears there complete and checked, or not at all.

    Raises:
        InvalidData: it cannot be reached, or is not the file that is expected.
        MissingPart: Keras is not installed.
        OSError: the folder cannot be written.
    """
    try:
        from keras.utils import get_file
    except ModuleNotFoundError:
        raise MissingPart(
            "downloading needs Keras, which is not installed; install it by: pip install 'quartet[worker]'"
        ) from None
    partial = data_dir / PARTIAL
    partial.mkdir(parents=True, exist_ok=True)
    help_yourself = f"allowed: a network that reaches it, or {original.file} put into {shown_path(data_dir)}"
    try:
        # get_file waits as long as sockets do by default, which is forever.
        with _socket_timeout(SILENCE_SECONDS), redirect_stdout(progress or StringIO()):
            get_file(
                original.file, original.url, file_hash=original.sha256, cache_subdir=str(partial.absolute())
            )
    except ValueError:
        (partial / original.file).unlink(missing_ok=True)
        raise InvalidData(
            f"{original.url} sent another file than the one that is expected (SHA-256 {original.sha256}), "
            f"so it was thrown away; {help_yourself}"
        ) from None
    # For most failures get_file raises a bare Exception, with the reason behind the last dashes.
    except Exception as error:
        reason = re.sub(r"^\[Errno -?\d+\] ", "", str(error).rpartition(" -- ")[2]) or type(error).__name__
        raise InvalidData(f"{original.url} cannot be downloaded ({reason}); {help_yourself}") from None
    return (partial / original.file).rename(data_dir / original.file)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Let one process at a time download into a folder."""
    (data_dir / PARTIAL).mkdir(parents=True, exist_ok=True)
    with (data_dir / PARTIAL / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
