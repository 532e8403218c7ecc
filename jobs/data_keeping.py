"""`DataKeeping`: a person's own data in the store, under names, where every worker finds it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from jobs.datasets import shown_path
from jobs.errors import InvalidData, InvalidInput, JobConflict, QuartetError, RedisUnreachable
from jobs.finding.job_list import UNFINISHED, in_results
from jobs.finding.job_reader import JobReader
from jobs.models import datasets
from jobs.specs.stored_spec import StoredSpec
from jobs.store.own_data import OwnData
from jobs.store.own_data_entry import StoredData
from jobs.store.own_data_files import OwnFiles
from jobs.store.own_data_pin import Pin, check_name
from jobs.wording import shown


class DataKeeping(JobReader):
    """Stores data, lists it and removes it."""

    @cached_property
    def own_data(self) -> OwnData:
        """The stored data."""
        return OwnData.of(self.results, self.settings)

    def add_data(self, path: str | os.PathLike[str], *, name: str, **parameters: Any) -> StoredData:
        """Store a file or a folder under a name, by which jobs then read it: `data="reviews2026"`.

        A name has one content; equal content is stored once, whatever its names.

        Args:
            path: of a file or folder that at least one model can read.
            name: letters, digits, hyphens and underscores.
            parameters: that say how a job is to read it, where the data alone does not. They are not stored;
                a job that reads the data needs them as well.

        Returns:
            What is stored, with the kinds of jobs that can read it.

        Raises:
            InvalidData: no model can read it, it has links or too many files, or the name is none, is a
                dataset's or has other content.
            InvalidJob: a parameter is none of a job that reads data, or has a wrong value.
            JobConflict: another process changes stored data for long.
            DamagedFolder: the results folder cannot be written.
        """
        from jobs.data_readers import readers_of

        if check_name(name) in datasets():
            raise InvalidData("name", expected="a name that no dataset has", given=shown(name))
        place = _absolute(path)
        readers = readers_of(place, parameters)
        files = OwnFiles.of(place)
        sha256 = files.sha256()
        return self.own_data.add(files, name, sha256, readers)

    def stored_data(self) -> list[StoredData]:
        """All stored data, by name; entries that cannot be read are left out.

        Raises:
            DamagedFolder: the results folder cannot be read.
        """
        with in_results(self.results):
            return self.own_data.entries()[0]

    def find_data(self, name: str) -> StoredData:
        """Stored data by its name.

        Raises:
            InvalidData: there is none of this name, or its entry cannot be read.
        """
        return self.own_data.known(name)

    def check_data_removable(self, name: str) -> StoredData:
        """Refuse stored data that `remove_data` would not remove.

        Raises:
            InvalidData, JobConflict, RedisUnreachable, DamagedFolder: as `remove_data` does.
        """
        entry = self.find_data(name)
        with in_results(self.results):
            others, _ = self.own_data.entries()
            if all(other.name == name or other.pin.content != entry.pin.content for other in others):
                self._check_unread(entry.pin)
        return entry

    def remove_data(self, name: str) -> bool:
        """Remove a name of stored data, and the content unless another name has it.

        Published jobs that read it keep their folders, with name and checksum; they cannot be run again.

        Returns:
            Whether the content was removed.

        Raises:
            InvalidData: there is no such name, or its entry cannot be read.
            JobConflict: a job that has not ended, or a sweep that runs, reads it.
            RedisUnreachable: Redis cannot be reached, so nobody knows which jobs read it.
            DamagedFolder: the results folder cannot be changed.
        """
        self.check_data_removable(name)
        with in_results(self.results):
            return self.own_data.remove(name)

    def _check_unread(self, pin: Pin) -> None:
        """Refuse content that a job which has not ended reads, or a sweep that runs."""
        try:
            job, sweep = self._unfinished_reader(pin.content), self._running_reader(pin.content)
        except RedisUnreachable:
            if self._nobody_expects_redis():
                return
            raise
        hint = f"`quartet sweeps stop {sweep}` stops it" if sweep else f"`quartet cancel {job}` cancels it"
        if job or sweep:
            given = f"{pin.name}, which {f'the sweep {sweep}' if sweep else f'job {job}'} reads"
            raise JobConflict("data", expected="data that no unfinished job reads", given=given, hint=hint)

    def _unfinished_reader(self, content: str) -> str | None:
        """A job that has not ended and reads this content."""
        ids = [each for state in UNFINISHED for each in self.ledger.ids(state)]
        for record in self.ledger.records(ids):
            if content in self._read_by(record.stored):
                return record.id
        return None

    def _running_reader(self, content: str) -> str | None:
        """A sweep that runs and reads this content."""
        for name, state in self.ledger.sweep_states().items():
            with suppress(InvalidInput):  # one that cannot be read does not go on
                found = self.ledger.sweep(name) if state == "running" else None
                if found is not None and content in _pinned(found.spec.model_dump(mode="json")):
                    return name
        return None

    def _read_by(self, stored: StoredSpec) -> set[str]:
        """What a job reads: its data, else what its training job read."""
        data = stored.data
        if data is None and stored.source is not None:
            with suppress(QuartetError):
                folder = self._known.folder(stored.source)
                data = None if folder is None else StoredSpec.of_folder(folder.job).data
        return set() if data is None else set(_pinned(data))


def _absolute(path: str | os.PathLike[str]) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except (RuntimeError, ValueError, TypeError):
        raise InvalidData("path", expected="a file or a folder", given=shown_path(str(path))) from None


def _pinned(value: Any) -> Iterator[str]:
    """The content of each pin in a value of JSON."""
    if isinstance(value, str):
        pin = Pin.read(value)
        if pin is not None:
            yield pin.content
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _pinned(each)
