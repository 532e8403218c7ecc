"""One worker of a name for each Redis: a lock that the kernel frees however its holder ends.

The lock files of a user lie in one folder of this machine, whatever the settings of each worker say: two
workers with different state folders would find each other nowhere else. Workers of different users do not.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from jobs.errors import InvalidInput, InvalidSetting, QuartetError
from jobs.local.private_folders import make_private
from jobs.redis_access.address import read_address
from jobs.wording import shown


def server(address: str) -> str:
    """What tells one server, database and namespace from all others, however its address is spelled.

    Args:
        address: of Redis; who logs in and which options it has make no difference.
    """
    read = read_address(address)
    if read.path:
        place = os.path.realpath(read.path)
    elif read.sentinels:
        place = " ".join([read.service, *sorted(f"{_host(host)} {port}" for host, port in read.sentinels)])
    else:
        place = f"{_host(read.host)} {read.port}"
    return f"{place} {read.database}" + (f" {read.namespace}" if read.namespace else "")


def folder() -> Path:
    """The folder of this user's locks. It is not in TMPDIR, which may differ between two workers."""
    return Path("/tmp") / f"quartet-{os.geteuid()}-workers"


@contextlib.contextmanager
def only_one(name: str, redis: str) -> Iterator[None]:
    """Hold a worker's name for the length of the block.

    Args:
        name: of the worker, with its host.
        redis: as `server` names it.

    Raises:
        InvalidInput: another worker holds it.
        QuartetError: no lock can be made.
    """
    path = folder() / f"{hashlib.sha256(f'{name} {redis}'.encode(errors='surrogateescape')).hexdigest()}.lock"
    try:
        make_private(path.parent)
        lock = _lock(path)
    except InvalidSetting as error:  # as if it were the state folder
        raise _unusable(error.given) from None
    except OSError as error:
        raise _unusable(f"{path} ({(error.strerror or 'unusable').lower()})") from None
    if lock is None:
        raise InvalidInput(
            "--name",
            expected="a name that no other worker of this host has",
            given=shown(name.partition("@")[0]),
            hint="start each worker with a --name of its own",
        )
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()  # before the lock is free: afterwards it may be another worker's
        os.close(lock)


def _lock(path: Path) -> int | None:
    """Lock a file without waiting; its descriptor, or None if another process holds it."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock).st_nlink:
                return lock
        except BlockingIOError:
            os.close(lock)
            return None
        os.close(lock)  # its holder removed it between the two steps


def _host(host: str) -> str:
    """A host's name; every way to write this machine itself is one."""
    name = host.rstrip(".")
    with contextlib.suppress(ValueError):
        address = ip_address(name)
        if address.is_loopback or address.is_unspecified:
            return "localhost"
    return name


def _unusable(where: str) -> QuartetError:
    return QuartetError(
        f"a worker's name cannot be locked in {where}", hint="remove it, or have its owner do so"
    )
