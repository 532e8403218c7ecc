"""Folders that hold secrets: the queue's file and the socket, which gives whoever owns it the next job.

A folder is made first and then looked at, through a descriptor: nobody can put another one in its place
between the look and the use, unless a folder above it lets everybody rename what it holds (`check_above`).
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidSetting

FIELD = "QUARTET_STATE_DIR"
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

_OURS = re.compile(
    r"redis\.(log|sock|lock)|up\.lock|server\.json(\.new)?|worker-\d+\.log|workers|gpu-locks"
    r"|appendonlydir|appendonly\.aof|temp-.*\.(aof|rdb)"
)
"""What Quartet and its Redis write into a state folder."""


def make_private(folder: Path) -> None:
    """Make a folder that only this user may enter, or check that an existing one is such a folder.

    One that is ours but open to others is closed to them if it holds nothing but Quartet's own files.

    Args:
        folder: an absolute path; missing folders above it are made too, as private as this one.

    Raises:
        InvalidSetting: it cannot be made, is another user's, a link or no folder, or is open to others and
            holds files that are not Quartet's.
    """
    with in_sentences(folder):
        for path in (*reversed(folder.parents), folder):
            if not path.exists():
                path.mkdir(mode=0o700, exist_ok=True)
        _check_owner(folder, os.lstat(folder), folder=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            found = os.fstat(descriptor)
            _check_owner(folder, found, folder=True)
            if found.st_mode & OTHERS or not found.st_mode & stat.S_IWUSR:
                _close_to_others(folder, descriptor)
        finally:
            os.close(descriptor)


def check_above(folder: Path) -> None:
    """Refuse a folder that every user may replace by another one, as one above it lets them.

    Args:
        folder: an absolute path.

    Raises:
        InvalidSetting: a folder above it is open to everybody for writing, and not sticky as /tmp is.
    """
    with in_sentences(folder):
        for above in Path(os.path.realpath(folder)).parents:
            found = above.stat()
            if found.st_uid not in (0, os.getuid()):
                what = f"in {shown_path(above)}, which belongs to another user, who may replace it"
                raise _refused(folder, what, "name another folder")
            if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
                where = shown_path(above)
                what = f"in {where}, where every user may replace it"
                raise _refused(folder, what, f"`chmod o-w {where}`, or name another folder")


def check_private_socket(socket: Path) -> None:
    """Refuse the socket of a private Redis that another user could have made; one that is missing is fine.

    Args:
        socket: the path of the socket, which is about to be connected to.

    Raises:
        InvalidSetting: the socket or its folder is another user's, a link, or open to others for writing.
    """
    folder = socket.parent
    with in_sentences(folder):
        try:
            found = os.lstat(folder)
        except (FileNotFoundError, NotADirectoryError):
            return
        _check_owner(folder, found, folder=True)
        if found.st_mode & OTHERS_WRITE:
            raise _refused(folder, "a folder that others may write to", f"`chmod 700 {shown_path(folder)}`")
        check_above(folder)
        try:
            _check_owner(socket, os.lstat(socket), folder=False)
        except FileNotFoundError:
            return


@contextmanager
def in_sentences(folder: Path) -> Iterator[None]:
    """Turn the errors of the file system about a state folder into ours.

    Raises:
        InvalidSetting: the folder cannot be made, read or written to.
    """
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a NUL, or what no file name can hold here
        why, path = "not a valid path", folder
        if isinstance(error, OSError):
            why, path = (error.strerror or "unusable").lower(), error.filename or folder
        given = f"{shown_path(path)} ({why})"
        raise InvalidSetting(
            FIELD, expected="a folder that can be made and written to", given=given
        ) from None


def _check_owner(path: Path, found: os.stat_result, *, folder: bool) -> None:
    other = "name another folder" if path.name != "redis.sock" else "remove it"
    if stat.S_ISLNK(found.st_mode):
        itself = shown_path(Path(os.path.realpath(path)))
        raise _refused(path, "a symbolic link", f"name the folder itself: {itself}")
    if folder and not stat.S_ISDIR(found.st_mode):
        raise _refused(path, "not a folder", other)
    if not folder and not stat.S_ISSOCK(found.st_mode):
        raise _refused(path, "not a socket", other)
    if found.st_uid != os.geteuid():
        raise _refused(path, f"which belongs to another user (id {found.st_uid})", other)


def _close_to_others(folder: Path, descriptor: int) -> None:
    for name in os.listdir(descriptor):
        found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        planted = stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid()
        if planted or not _OURS.fullmatch(name):
            raise _refused(
                folder,
                "open to other users, with files that are not Quartet's",
                f"`chmod 700 {shown_path(folder)}` if it is meant for Quartet, or name another folder",
            )
    os.fchmod(descriptor, 0o700)
    if os.fstat(descriptor).st_mode & OTHERS:
        raise _refused(folder, "on a volume without permissions", "name a folder on another volume")


def _refused(path: Path, what: str, hint: str) -> InvalidSetting:
    expected = "a folder of this user's that nobody else may enter"
    return InvalidSetting(FIELD, expected=expected, given=f"{shown_path(path)}, {what}", hint=hint)
