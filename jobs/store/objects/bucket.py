"""`Bucket`: an object store, asked by this process; one that forks afterwards must use `elsewhere`.

See https://developmentseed.org/obstore for obstore, whose threads do not survive a fork.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jobs.errors import DamagedFolder, InvalidSetting, StoreUnreachable
from jobs.secrets import hide_secrets
from jobs.store.objects.address import allows_http, unusable_variable
from jobs.store.objects.credentials import credentials_in

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

SECONDS = 30
"""That one request may take."""

SECONDS_FOR_FILES = 300
"""That one request may take which carries a part of a file, of which a slow line has several at once."""

TRIES = 3

_CHUNK = 8 * 2**20
_READERS = 16
_REASONS = (
    ("NoSuchBucket", "there is no such bucket"),
    ("ExpiredToken", "the credentials have expired"),
    ("InvalidAccessKeyId", "the credentials are unknown to it"),
    ("SignatureDoesNotMatch", "the credentials are wrong"),
    ("403 Forbidden", "access is denied"),
    ("401 Unauthorized", "it wants other credentials"),
    ("169.254.169.254", "there are no credentials in the environment"),
    ("error sending request", "it does not answer"),
    ("operation timed out", "it did not answer in time"),
)


@dataclass(frozen=True)
class Bucket:
    """The objects below an address.

    Attributes:
        address: as `checked_store` returns it.
        credentials_file: as the setting `store_credentials_file`.
    """

    address: str
    credentials_file: Path | None = None

    def write(self, key: str, content: bytes) -> None:
        """As `Objects.write`."""
        import obstore

        with self._asked():
            obstore.put(self._store, key, content)

    def upload(self, key: str, path: Path) -> None:
        """As `Objects.upload`."""
        import obstore

        with path.open("rb") as file, self._asked():
            obstore.put(self._store_for_files, key, file, chunk_size=_CHUNK, max_concurrency=4)

    def create(self, key: str, content: bytes) -> bool:
        """As `Objects.create`."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._asked():
            try:
                obstore.put(self._store, key, content, mode="create")
            except AlreadyExistsError:
                with suppress(DamagedFolder):  # larger than ours, so another's
                    return self.read(key, len(content)) == content
                return False
        return True

    def read(self, key: str, most: int) -> bytes | None:
        """As `Objects.read`."""
        import obstore

        with self._asked():
            try:
                found = obstore.get(self._store, key)
            except FileNotFoundError as error:
                _check_bucket(error)
                return None
            self._check_size(key, found.meta["size"], most)
            return bytes(found.bytes())

    def read_all(self, keys: Sequence[str], most: int) -> list[bytes | None]:
        """As `Objects.read_all`."""

        def read(key: str) -> bytes | None:
            try:
                return self.read(key, most)
            except DamagedFolder:
                return None

        with ThreadPoolExecutor(_READERS, thread_name_prefix="read") as pool:
            return list(pool.map(read, keys))

    def download(self, key: str, path: Path, most: int) -> bool:
        """As `Objects.download`."""
        import obstore

        done = path.stat().st_size if path.exists() else 0
        with self._asked():
            try:
                size = obstore.head(self._store, key)["size"]
            except FileNotFoundError as error:
                _check_bucket(error)
                return False
        self._check_size(key, size, most)
        with path.open("ab" if done <= size else "wb") as file:
            done = file.tell()
            while done < size:
                with self._asked():
                    length = min(_CHUNK, size - done)
                    part = obstore.get_range(self._store_for_files, key, start=done, length=length)
                done += file.write(part)
        return True

    def names(self, prefix: str, after: str = "", most: int = 10_000) -> list[str]:
        """As `Objects.names`."""
        import obstore

        found: list[str] = []
        with self._asked():
            offset = f"{prefix}/{after}" if after else None
            for chunk in obstore.list(self._store, prefix=prefix, offset=offset, chunk_size=1_000):
                found += [each["path"].removeprefix(f"{prefix}/") for each in chunk]
                if len(found) >= most:
                    break
        return found[:most]

    def sizes(self, prefixes: Sequence[str]) -> list[int]:
        """As `Objects.sizes`."""
        import obstore

        def size(prefix: str) -> int:
            with self._asked():
                chunks = obstore.list(self._store, prefix=prefix, chunk_size=1_000)
                return sum(each["size"] for chunk in chunks for each in chunk)

        with ThreadPoolExecutor(_READERS, thread_name_prefix="size") as pool:
            return list(pool.map(size, prefixes))

    def remove(self, keys: Sequence[str]) -> None:
        """As `Objects.remove`."""
        import obstore

        if keys:
            with self._asked():
                try:
                    obstore.delete(self._store, list(keys))
                except FileNotFoundError as error:
                    _check_bucket(error)

    @property
    def _store(self) -> "ObjectStore":
        return self._open(SECONDS)

    @property
    def _store_for_files(self) -> "ObjectStore":
        return self._open(SECONDS_FOR_FILES)

    def _open(self, seconds: int) -> "ObjectStore":
        return _opened(self.address, self.credentials_file, self._credentials_stamp(), seconds, os.getpid())

    def _credentials_stamp(self) -> tuple[int, int, int] | None:
        """What changes with the file of credentials, so that those are read again which were replaced."""
        if self.credentials_file is None:
            return None
        with suppress(OSError):
            now = self.credentials_file.stat()
            return now.st_ino, now.st_size, now.st_mtime_ns
        return None

    def _check_size(self, key: str, size: int, most: int) -> None:
        if size > most:
            raise DamagedFolder(f"{self.address}/{key} has {size:,} bytes, more than any that Quartet wrote")

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Say in a sentence what goes wrong with the store."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise StoreUnreachable(
                f"the store {self.address} cannot be used: {_reason(str(error))}"
            ) from None


def _check_bucket(error: FileNotFoundError) -> None:
    """Go on where an object is missing, and not where its bucket is."""
    if "NoSuchBucket" in str(error):
        raise error


def _reason(text: str) -> str:
    for word, reason in _REASONS:
        if word in text:
            return reason
    return hide_secrets(text.partition("\n")[0][:200])


@lru_cache(maxsize=8)
def _opened(
    address: str,
    credentials_file: Path | None,
    _credentials_stamp: tuple[int, int, int] | None,
    seconds: int,
    _process: int,
) -> "ObjectStore":
    from obstore.store import from_url

    try:
        given = credentials_in(credentials_file) if credentials_file is not None else {}
    except InvalidSetting as error:
        raise StoreUnreachable(f"the store {address} cannot be used: {error}") from None
    variables = {**os.environ, **given}
    wrong = unusable_variable(variables)
    if wrong is not None:
        raise StoreUnreachable(f"the store {address} cannot be used: {wrong}")
    options: ClientConfig = {
        "timeout": f"{seconds}s",
        "connect_timeout": "5s",
        "allow_http": allows_http(variables),
    }
    retries: RetryConfig = {"max_retries": TRIES}
    if address.startswith("s3:") and not {"AWS_REGION", "AWS_DEFAULT_REGION"} & variables.keys():
        given = given | {"AWS_REGION": "us-east-1"}
    config = cast("Any", given)  # of whichever cloud the address names
    return from_url(address, config=config, client_options=options, retry_config=retries)
