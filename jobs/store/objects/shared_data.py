"""A person's own data in an object store: the content by its SHA-256, and an entry for each name.

.data/names/<name>.json             created once, after the content, as `StoredData` has it
.data/content/<form>.json           the names and sizes of the content's files, written after them
.data/content/<form>/<file>         the files; a form is the checksum with the suffix of a file
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import DamagedFolder
from jobs.store.objects.objects import Objects
from jobs.store.objects.publishing import upload_all
from jobs.store.own_data_pin import NAME
from jobs.store.strict_json import parse_json

MOST_BYTES = 2**44
"""Of one file."""

_NAMES = ".data/names"
_CONTENT = ".data/content"
_MOST_ENTRY_BYTES = 16 * 1024
_MOST_LIST_BYTES = 64 * 2**20
_MOST_FILES = 1_000_000
"""Of one content, with what uploads left that were cut short."""

_AT_ONCE = 8


@dataclass(frozen=True)
class SharedData:
    """The own data of a store. Every method raises StoreUnreachable where the store does not answer.

    Attributes:
        objects: the store.
    """

    objects: Objects

    def names(self) -> list[str]:
        """All names that have an entry, in alphabetical order."""
        names = (name.removesuffix(".json") for name in self.objects.names(_NAMES, most=100_000))
        return sorted(name for name in names if NAME.fullmatch(name))

    def entry(self, name: str) -> bytes | None:
        """What is written under a name, None for nothing.

        Raises:
            DamagedFolder: it is larger than an entry.
        """
        return self.objects.read(f"{_NAMES}/{name}.json", _MOST_ENTRY_BYTES)

    def create_entry(self, name: str, content: bytes) -> bool:
        """Write an entry, whose content is in the store; False if the name has another one already."""
        return self.objects.create(f"{_NAMES}/{name}.json", content)

    def replace_entry(self, name: str, content: bytes) -> None:
        """Write what has changed of an entry."""
        self.objects.write(f"{_NAMES}/{name}.json", content)

    def remove_entry(self, name: str) -> None:
        """Remove a name."""
        self.objects.remove([f"{_NAMES}/{name}.json"])

    def upload(self, form: str, root: Path) -> None:
        """Upload content, unless it is there.

        Args:
            form: its checksum with the suffix of a file.
            root: the file or folder.

        Raises:
            OSError: a file cannot be read.
        """
        if self._files(form) is not None:
            return
        if root.is_dir():
            paths = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
            paths = {f"{root.name}/{name}": path for name, path in paths.items()}
        else:
            paths = {root.name: root}
        upload_all(self.objects, {f"{_CONTENT}/{form}/{name}": path for name, path in paths.items()})
        sizes = {name: path.stat().st_size for name, path in paths.items()}
        self.objects.write(f"{_CONTENT}/{form}.json", json.dumps(sizes).encode())

    def size(self, form: str) -> int | None:
        """How many bytes content has, None if it is not in the store.

        Raises:
            DamagedFolder: the list of its files cannot be read.
        """
        files = self._files(form)
        return None if files is None else sum(files.values())

    def download(self, form: str, folder: Path) -> bool:
        """Download content into an empty folder; nobody has compared it with its checksum yet.

        Returns:
            Whether it is in the store; False if another host removed it meanwhile.

        Raises:
            DamagedFolder: a file is missing, or the list of files cannot be read.
            OSError: the volume is full, read-only or gone.
        """

        def fetch(name: str) -> None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not self.objects.download(f"{_CONTENT}/{form}/{name}", path, MOST_BYTES):
                raise DamagedFolder(f"{name} is missing in the store")

        files = self._files(form)
        try:
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="download") as pool:
                list(pool.map(fetch, files or {}))
        except DamagedFolder:
            if self._files(form) is not None:
                raise
            return False
        return files is not None

    def remove(self, form: str) -> None:
        """Remove content, or what a removal left that the store did not answer."""
        self.objects.remove([f"{_CONTENT}/{form}.json"])
        names = self.objects.names(f"{_CONTENT}/{form}", most=_MOST_FILES)
        self.objects.remove([f"{_CONTENT}/{form}/{name}" for name in names])

    def _files(self, form: str) -> Mapping[str, int] | None:
        """The names and sizes of the files of content, which a stranger may have written."""
        content = self.objects.read(f"{_CONTENT}/{form}.json", _MOST_LIST_BYTES)
        if content is None:
            return None
        try:
            found = parse_json(content)
            if not isinstance(found, dict) or not found or not all(map(_is_name, found)):
                raise ValueError("no list of files")
            if not all(type(size) is int and 0 <= size <= MOST_BYTES for size in found.values()):
                raise ValueError("a size that is none")
            if len({name.partition("/")[0] for name in found}) != 1:
                raise ValueError("more than one file or folder")
        except ValueError as error:
            raise DamagedFolder(f"stored data {form[:12]}… in the store cannot be read ({error})") from None
        return found


def _is_name(name: str) -> bool:
    parts = name.split("/")
    return len(name) <= 4_000 and name.isprintable() and not any(part in ("", ".", "..") for part in parts)
