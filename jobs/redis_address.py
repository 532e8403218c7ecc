"""The address of Redis: with its password, masked for messages, and the socket of a private server."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from jobs.datasets import shown_path
from jobs.errors import InvalidSetting

LONGEST_SOCKET_PATH = 99
"""In characters. A Unix socket's path has at most 104 on macOS and 108 on Linux, a final NUL included."""


def with_password(url: str, password_file: Path) -> str:
    """Add the password that a file holds to `url`, unless it has one or is a Unix socket's.

    Raises:
        InvalidSetting: the file cannot be read.
    """
    parts = urlsplit(url)
    if parts.scheme == "unix" or parts.password is not None:
        return url
    password, host = quote(_read_password(password_file), safe=""), parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:{password}@{host}"))


def _read_password(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "unreadable").lower() if isinstance(error, OSError) else "not text"
        raise InvalidSetting(
            "QUARTET_REDIS_PASSWORD_FILE",
            expected="a file that holds Redis' password",
            given=f"{shown_path(path)}, which cannot be read ({why})",
            hint="`make env` writes one",
        ) from None


def private_socket(state_dir: Path) -> Path:
    """The socket of the Redis that `quartet up` starts.

    It lies in the state folder, or, where that has a long path, in the folder for temporary files.
    """
    path = state_dir.absolute() / "redis.sock"
    if len(str(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"quartet-{os.getuid()}-{digest}" / "redis.sock"


def masked_url(url: str) -> str:
    """Replace the password of `url` by `***`, for messages and logs."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{host}"))
