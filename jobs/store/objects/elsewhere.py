"""`Elsewhere`: an object store for a process that forks. It asks through a process that never does."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.errors import StoreUnreachable
from jobs.local.answering_process import AnsweringProcess, ProcessEnded, answer_questions
from jobs.store.objects.bucket import Bucket


class Elsewhere:
    """The objects below an address, asked one question at a time."""

    def __init__(self, address: str, credentials_file: Path | None = None) -> None:
        """Nothing is started before the first question.

        Args:
            address: as `checked_store` returns it.
            credentials_file: as the setting `store_credentials_file`.
        """
        self.address = address
        file = [str(credentials_file)] if credentials_file is not None else []
        self._process = AnsweringProcess("jobs.store.objects.elsewhere", address, *file)

    def __repr__(self) -> str:
        return f"Elsewhere({self.address!r})"

    def write(self, key: str, content: bytes) -> None:
        """As `Objects.write`."""
        self._ask("write", key, content)

    def upload(self, key: str, path: Path) -> None:
        """As `Objects.upload`."""
        self._ask("upload", key, path)

    def create(self, key: str, content: bytes) -> bool:
        """As `Objects.create`."""
        return bool(self._ask("create", key, content))

    def read(self, key: str, most: int) -> bytes | None:
        """As `Objects.read`."""
        found: bytes | None = self._ask("read", key, most)
        return found

    def read_all(self, keys: Sequence[str], most: int) -> list[bytes | None]:
        """As `Objects.read_all`."""
        return list(self._ask("read_all", list(keys), most))

    def download(self, key: str, path: Path, most: int) -> bool:
        """As `Objects.download`."""
        return bool(self._ask("download", key, path, most))

    def names(self, prefix: str, after: str = "", most: int = 10_000) -> list[str]:
        """As `Objects.names`."""
        return list(self._ask("names", prefix, after, most))

    def sizes(self, prefixes: Sequence[str]) -> list[int]:
        """As `Objects.sizes`."""
        return list(self._ask("sizes", list(prefixes)))

    def remove(self, keys: Sequence[str]) -> None:
        """As `Objects.remove`."""
        self._ask("remove", list(keys))

    def _ask(self, verb: str, *arguments: Any) -> Any:
        try:
            return self._process.ask(verb, *arguments)
        except ProcessEnded as error:
            what = f"the process that asks it ended ({error})"
            raise StoreUnreachable(f"the store {self.address} cannot be used: {what}") from None


def serve(address: str, credentials_file: str | None = None) -> None:
    """Answer questions of an `Elsewhere` of this address."""
    bucket = Bucket(address, None if credentials_file is None else Path(credentials_file))
    answer_questions(lambda verb, *arguments: getattr(bucket, verb)(*arguments))


if __name__ == "__main__":
    serve(*sys.argv[1:])
