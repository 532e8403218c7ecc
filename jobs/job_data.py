"""What `--data` becomes in a job: a dataset's name, a path, or stored data with its checksum.

Where workers may be on other machines, a path would lead nowhere: such a file is put into the store, once.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from jobs.data_check import check_data
from jobs.data_readers import readers_of
from jobs.datasets import shown_path
from jobs.errors import InvalidData, InvalidInput, RedisUnreachable
from jobs.ledger.ledger import Ledger
from jobs.ledger.store_of_ledger import other_store
from jobs.parameters import Parameters
from jobs.redis_access.address import read_address
from jobs.store.own_data import OwnData
from jobs.store.own_data_files import OwnFiles, Stamp
from jobs.store.own_data_pin import SHOWN_DIGITS, Pin
from jobs.store.results import Results
from jobs.wording import size_text

MOST_UNASKED = 10**9
"""Bytes that are stored without a question."""

_DIGITS_IN_NAME = 8


class JobData:
    """Checks what jobs read, and stores what would not reach their workers.

    Attributes:
        sends: whether a person's own files are stored where workers may be on other machines.
        keeps: whether what is sent is stored; otherwise, it is only said under which checksum it would be.
        allow_large: is called with path and size before more than `MOST_UNASKED` is stored; may raise.
    """

    def __init__(self, store: OwnData, results: Results, ledger: Ledger, redis_address: str) -> None:
        """Look at nothing yet."""
        self._store, self._results, self._ledger, self._address = store, results, ledger, redis_address
        self._sent: dict[tuple[Path, Stamp], Pin] = {}
        self.sends = self.keeps = True
        self.allow_large: Callable[[Path, int], None] = refuse_large

    def check(
        self,
        kind: type[Parameters],
        value: str,
        *,
        parameters: Parameters | None = None,
        note: Callable[[str], object] = lambda _: None,
    ) -> str:
        """What the job's `data` is, once it has been checked.

        Args:
            kind: the parameter class of the job that will read it.
            value: a dataset's name, the name of stored data, or a path.
            parameters: of the job, if they are known.
            note: gets each sentence about what was done, and about how the job will read it.

        Raises:
            InvalidData: it cannot be used.
            DamagedFolder: it is to be stored, and the store's volume is full, read-only or gone.
            OSError: the store cannot be read.
        """
        checked = check_data(kind, value, parameters=parameters, note=note, store=self._store)
        if not checked.startswith("/") or not self.sends or not self._workers_elsewhere:
            return checked
        return str(self._stored(Path(checked), f"{kind.model} {kind.action}", note))

    @cached_property
    def _workers_elsewhere(self) -> bool:
        """Whether workers may be on other machines, and share the store."""
        address = read_address(self._address)
        hosts = [host for host, _ in address.sentinels] or [address.host]
        if address.path or all(map(_is_loopback, hosts)):
            return False
        try:
            return other_store(self._ledger, self._results) is None
        except RedisUnreachable:
            return True

    def _stored(self, path: Path, reader: str, note: Callable[[str], object]) -> Pin:
        """A file or folder in the store, put there unless the same content is there already."""
        files = OwnFiles.of(path)
        if (path, files.stamp) in self._sent:
            return self._sent[path, files.stamp]
        sha256 = files.sha256()
        suffix = "" if files.folder else path.suffix.lower()
        pin = self._store.named(sha256, suffix)
        if pin is None:
            pin = Pin(_name_for(path, sha256), sha256, suffix)
            if self.keeps:
                self._put(files, pin, reader, note)
        else:
            note(f"{shown_path(path.name)} is in the store as {pin.shown}")
        self._sent[path, files.stamp] = pin
        return pin

    def _put(self, files: OwnFiles, pin: Pin, reader: str, note: Callable[[str], object]) -> None:
        if files.size > MOST_UNASKED:
            self.allow_large(files.root, files.size)
        readers = [reader]
        with suppress(InvalidInput):  # only the parameters of this job may say how it is read
            readers += readers_of(files.root)
        self._store.add(files, pin.name, pin.sha256, dict.fromkeys(readers))
        what, size, digits = shown_path(files.root.name), size_text(files.size), pin.sha256[:SHOWN_DIGITS]
        note(f"stored {what} in the store as {pin.name}, {size}, sha256 {digits}…")


def refuse_large(path: Path, size: int) -> None:
    """Refuse to store much data unasked.

    Raises:
        InvalidData: always.
    """
    raise large(path, size, "`quartet data add` stores it, whatever its size")


def large(path: Path, size: int, hint: str) -> InvalidData:
    """The error for more data than is stored unasked."""
    return InvalidData(
        "data",
        expected=f"at most {size_text(MOST_UNASKED)} to be stored without a question",
        given=f"{shown_path(path)}, {size_text(size)}",
        hint=hint,
    )


def _name_for(path: Path, sha256: str) -> str:
    """A name that only this content has: `my-csv-3f2a9c1b` for `my.csv`."""
    stem = re.sub("[^A-Za-z0-9]+", "-", path.name).strip("-")[:40].strip("-") or "data"
    return f"{stem}-{sha256[:_DIGITS_IN_NAME]}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
