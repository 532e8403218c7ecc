"""`Objects`: what Quartet asks of an object store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Objects(Protocol):
    """Objects by their keys, paths without a slash at either end.

    Every method raises StoreUnreachable where the store does not answer, refuses, or has no such bucket.
    """

    def write(self, key: str, content: bytes) -> None:
        """Write an object, whole or not at all; one that is there is replaced."""

    def upload(self, key: str, path: Path) -> None:
        """Write an object from a file, which may be replaced meanwhile but not written to.

        Raises:
            OSError: the file cannot be read.
        """

    def create(self, key: str, content: bytes) -> bool:
        """Write an object unless there is one.

        Returns:
            Whether the object that is there has this content: the one call that wrote it may have lost the
            answer. So of several writers who must be told apart, each writes something of its own.
        """

    def read(self, key: str, most: int) -> bytes | None:
        """The content of an object, None if there is none.

        Raises:
            DamagedFolder: it has more than `most` bytes.
        """

    def read_all(self, keys: Sequence[str], most: int) -> list[bytes | None]:
        """The contents of objects, many at once; None for one that is not there, or larger than `most`."""

    def download(self, key: str, path: Path, most: int) -> bool:
        """Write an object into a new file; whether there is one. What is there of the file goes on.

        Raises:
            DamagedFolder: it has more than `most` bytes.
            OSError: the file cannot be written.
        """

    def names(self, prefix: str, after: str = "", most: int = 10_000) -> list[str]:
        """The names of the objects in a folder, without the folder's, in their order.

        Args:
            prefix: the folder, whose objects may be in folders of their own.
            after: only names that come after this one.
            most: at most so many.
        """

    def sizes(self, prefixes: Sequence[str]) -> list[int]:
        """How many bytes the objects in each of these folders have together."""

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects; one that is not there is none to remove."""
