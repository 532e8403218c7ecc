"""A person's own data in the store, where every worker finds it: `results/.data/`.

`names/NAME.json` is an entry for each name; the content lies there once for all names that have it, as
`own_data_content` describes.
"""

import errno
import json
import math
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import DamagedFolder, InvalidData, JobConflict
from jobs.settings import Settings
from jobs.store.atomic_files import fsync_folder, whole_file
from jobs.store.file_lock import try_lock
from jobs.store.manifest import reason
from jobs.store.objects.shared_data import SharedData
from jobs.store.own_data_content import Content
from jobs.store.own_data_entry import MOST_BYTES, StoredData
from jobs.store.own_data_files import OwnFiles
from jobs.store.own_data_pin import NAME, Pin, check_name
from jobs.store.regular_files import read_regular
from jobs.store.results import Results
from jobs.wording import reason_of, shown

FOLDER = ".data"
MOST_NAMES = 10_000
LOCK_SECONDS = 20.0
"""How long a change waits for that of another person."""

_NAMES = "names"
_LOCK = ".lock"
_TRIES = 3


@dataclass(frozen=True)
class OwnData:
    """The own data of a results folder.

    Attributes:
        root: the results folder.
        umask: permissions to remove from what is written.
        shared: what all hosts have, where the results folder is a copy of an object store.
        most_bytes: of content that such a copy keeps, beside what a job needs now.
    """

    root: Path
    umask: int = 0o022
    shared: SharedData | None = None
    most_bytes: float = math.inf

    @classmethod
    def of(cls, results: Results, settings: Settings) -> "OwnData":
        """The own data of a store."""
        return cls(results.root, settings.umask, results.shared_data, settings.data_cache_gb * 1e9)

    def entry(self, name: str) -> StoredData | None:
        """What the store has under a name; None for nothing, or for what is no name.

        Raises:
            InvalidData: the entry cannot be read.
        """
        if NAME.fullmatch(name) is None:
            return None
        path = self.entry_file(name)
        if self.shared is not None:
            self._take_entry(self.shared, name)
        try:
            return StoredData.read(read_regular(path, MOST_BYTES), name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            given = f"{name!r}, of which {shown_path(path)} cannot be read ({reason(error)})"
            raise InvalidData("data", expected="a name of stored data", given=given) from None

    def known(self, name: str) -> StoredData:
        """What the store has under a name.

        Raises:
            InvalidData: it has nothing, or the entry cannot be read.
        """
        entry = self.entry(name)
        if entry is not None:
            return entry
        expected, given = "a name of stored data", shown(name)
        raise InvalidData("name", expected=expected, given=given, hint=self.similar(name))

    def similar(self, name: str) -> str | None:
        """A hint with the most similar name, or with what lists them; None where there is none."""
        try:
            names = self.names()
        except OSError:
            return None
        nearest = get_close_matches(name[:200], names, n=1)
        others = "`quartet data list` names what is stored" if names else None
        return f"did you mean {nearest[0]!r}?" if nearest else others

    def pin(self, text: str) -> Pin | None:
        """What a name of stored data means now, or a pin itself; None for anything else.

        Raises:
            InvalidData: its entry cannot be read.
        """
        entry = self.entry(text)
        return Pin.read(text) if entry is None else entry.pin

    def entries(self) -> tuple[list[StoredData], list[str]]:
        """All entries by name, and the names of those that cannot be read.

        Raises:
            OSError: the store cannot be read.
        """
        found, unreadable = [], []
        for name in self.names():
            try:
                entry = self.entry(name)
            except InvalidData:
                unreadable.append(name)
            else:
                found += [entry] if entry is not None else []
        return found, unreadable

    def named(self, sha256: str, suffix: str) -> Pin | None:
        """The oldest name of content that is in the store; None if it is not there, or has no name.

        Raises:
            OSError: the store cannot be read.
        """
        if self.content.find(sha256, suffix) is None:
            return None
        entries = sorted(self.entries()[0], key=lambda entry: (entry.added, entry.name))
        pins = (entry.pin for entry in entries)
        return next((pin for pin in pins if (pin.sha256, pin.suffix) == (sha256, suffix)), None)

    def names(self) -> list[str]:
        """The names that have an entry, in alphabetical order; at most `MOST_NAMES`.

        Raises:
            OSError: the store cannot be read.
        """
        if self.shared is not None:
            return self.shared.names()[:MOST_NAMES]
        try:
            with os.scandir(self._folder / _NAMES) as entries:
                names = [entry.name.removesuffix(".json") for entry in islice(entries, 2 * MOST_NAMES)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(filter(NAME.fullmatch, names))[:MOST_NAMES]

    def here(self, pin: Pin) -> Path | None:
        """Where the content that a pin means lies; None if it must be fetched first. Does not count as a use.

        Raises:
            InvalidData: it is not in the store.
            DamagedFolder: the object store's list of its files cannot be read.
        """
        path = self.content.find(pin.sha256, pin.suffix)
        if path is None and (self.shared is None or self.shared.size(pin.form) is None):
            raise self._missing(pin)
        return path

    def find(self, pin: Pin) -> Path:
        """The file or folder that a pin means, which is fetched if need be; its content is not looked at.

        Raises:
            InvalidData: it is not in the store.
        """
        path = self.content.find(pin.sha256, pin.suffix)
        if path is None and self.shared is not None:
            path = self._fetched(self.shared, pin)
        if path is None:
            raise self._missing(pin)
        self.content.used(path)
        return path

    def _missing(self, pin: Pin) -> InvalidData:
        return InvalidData(
            "data",
            expected=f"data that is in the store {shown_path(self.root)}",
            given=f"{pin.shown}, which is not",
            hint=f"`quartet data add` with the same {'file' if pin.suffix else 'folder'} stores it again",
        )

    def verified(self, pin: Pin) -> Path:
        """As `find`, once the content has been compared with the checksum: once in a process, unless it
        changes.

        Raises:
            InvalidData: it is not in the store, or was changed after it was added.
        """
        path = self.find(pin)
        how = self.content.difference(path, pin.sha256)
        if how is None:
            return path
        raise InvalidData(
            "data",
            expected="stored data as it was added",
            given=f"{pin.shown}, which was changed since: {how}",
            hint=f"`quartet data add` with the original {'file' if pin.suffix else 'folder'} stores it again",
        )

    def add(self, files: OwnFiles, name: str, sha256: str, models: Iterable[str]) -> StoredData:
        """Store content under a name; content that is there already, whole, is not stored again.

        Args:
            files: the content.
            name: a new one, or one that has this content already.
            sha256: that `files` had when it was looked at.
            models: whose readers accepted it, as `StoredData` has them.

        Returns:
            The entry; if the name had this content already, that one, with these models as well.

        Raises:
            InvalidData: the name is none or has other content, or the files changed or cannot be read.
            JobConflict: another process holds the lock.
            DamagedFolder: the volume is full, read-only or gone.
        """
        try:
            return self._add(files, name, sha256, models)
        except OSError as error:
            why = reason_of(error)
            raise DamagedFolder(f"{shown_path(files.root)} was not stored in {self.root} ({why})") from None

    def _add(self, files: OwnFiles, name: str, sha256: str, models: Iterable[str]) -> StoredData:
        suffix = "" if files.folder else files.root.suffix.lower()
        entry = StoredData(name, sha256, suffix, files.size, len(files.names), _now(), tuple(models))
        self.check_free(name, entry.pin)
        self._make_folders()
        content = self.content
        content.sweep()
        for _ in range(_TRIES):
            before = content.find(sha256, suffix)
            whole = before is not None and content.difference(before, sha256) is None
            part = None if whole else content.copy(files, sha256)
            try:
                with self._locked():
                    if part is not None and (before is not None or content.find(sha256, suffix) is None):
                        content.put(part, sha256, suffix)
                    stored = content.find(sha256, suffix)
                    if stored is not None:  # nobody removed it meanwhile
                        if self.shared is None:
                            return self._named(entry)
                        self.shared.upload(entry.pin.form, stored)
                        named = self._named(entry)
                        # Until it had this name, another host may have removed it with its last one.
                        self.shared.upload(entry.pin.form, stored)
                        return named
            finally:
                if part is not None:
                    shutil.rmtree(part, ignore_errors=True)
        raise JobConflict("data", expected="data that nobody else removes", given=entry.pin.shown)

    def check_free(self, name: str, pin: Pin) -> StoredData | None:
        """Refuse a name that has other content; the entry that has the same, if there is one.

        Raises:
            InvalidData: the name is none, or has other content.
        """
        entry = self.entry(check_name(name))
        if entry is None or entry.pin == pin:
            return entry
        raise InvalidData(
            "name",
            expected="a name that has no other content",
            given=f"{name!r}, which has content with the SHA-256 {entry.sha256}",
            hint=f"choose another name, or `quartet data remove {name}` first",
        )

    def remove(self, name: str) -> bool:
        """Remove a name, and its content unless another name has it.

        Returns:
            Whether the content was removed.

        Raises:
            InvalidData: there is no such name, or its entry cannot be read.
            JobConflict: another process holds the lock.
            StoreUnreachable: the object store does not answer; the name stays, and can be removed again.
            OSError: the volume is read-only or gone.
        """
        self.known(name)
        away = None
        with self._locked():
            entry = self.known(name)
            entries, unreadable = self.entries()
            others = [other for other in entries if other.name != name]
            gone = not unreadable and all(other.pin.content != entry.pin.content for other in others)
            # The content first: whatever dies in between, the name says what is left to be removed.
            if self.shared is not None:
                if gone:
                    self.shared.remove(entry.pin.form)
                self.shared.remove_entry(name)
            path = self.content.find(entry.sha256, entry.suffix)
            if gone and path is not None:
                away = self.content.take_away(path)
            self.entry_file(name).unlink(missing_ok=True)
            fsync_folder(self._folder / _NAMES)
        if away is not None:
            shutil.rmtree(away, ignore_errors=True)
        return gone

    @property
    def content(self) -> Content:
        """The content of all names."""
        return Content(self._folder, self.umask)

    @property
    def _folder(self) -> Path:
        return self.root / FOLDER

    def entry_file(self, name: str) -> Path:
        """Where the entry of a name is."""
        return self._folder / _NAMES / f"{name}.json"

    def _named(self, entry: StoredData) -> StoredData:
        before = self.check_free(entry.name, entry.pin)
        if before is not None:
            entry = replace(before, models=tuple(dict.fromkeys([*before.models, *entry.models])))
            if entry == before:
                return entry
        content = json.dumps(entry.as_dict(), indent=2).encode() + b"\n"
        if self.shared is not None and before is not None:
            self.shared.replace_entry(entry.name, content)
        elif self.shared is not None and not self.shared.create_entry(entry.name, content):
            self.check_free(entry.name, entry.pin)  # another host was first
        with whole_file(self.entry_file(entry.name)) as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o666 & ~self.umask)
        fsync_folder(self._folder / _NAMES)
        return entry

    def _take_entry(self, shared: SharedData, name: str) -> None:
        """Bring an entry of this copy to what all hosts have."""
        try:
            content = shared.entry(name)
        except DamagedFolder as error:
            raise InvalidData("data", expected="a name of stored data", given=f"{name!r} ({error})") from None
        if content is None:
            self.entry_file(name).unlink(missing_ok=True)
            return
        self._make_folders()
        with whole_file(self.entry_file(name), durable=False) as file:
            file.write(content)

    def _fetched(self, shared: SharedData, pin: Pin) -> Path | None:
        """Fetch content into this copy; None if it is not in the store."""
        part = None
        try:
            size = shared.size(pin.form)
            if size is None:
                return None
            self._make_folders()
            self.content.make_room(self.most_bytes - size)
            part = self.content.new_part()
            if not shared.download(pin.form, part):
                return None
            with self._locked():
                if self.content.find(pin.sha256, pin.suffix) is None:
                    self.content.put(part, pin.sha256, pin.suffix)
        except DamagedFolder as error:
            raise InvalidData("data", expected="stored data", given=f"{pin.shown} ({error})") from None
        finally:
            if part is not None:
                shutil.rmtree(part, ignore_errors=True)
        return self.content.find(pin.sha256, pin.suffix)

    def _make_folders(self) -> None:
        for folder in (self._folder, self._folder / _NAMES):
            folder.mkdir(parents=True, exist_ok=True)
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise NotADirectoryError(errno.ENOTDIR, "Not a folder of its own", str(folder))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with try_lock(self._folder / _LOCK, LOCK_SECONDS) as held:
            if not held:
                given = f"a lock that is held for more than {LOCK_SECONDS:g} s"
                raise JobConflict("data", expected="stored data that nobody else changes", given=given)
            yield


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
