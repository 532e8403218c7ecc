"""A job's numbers as soon as its folder is there, for a `Job` that was looked at before."""

from collections.abc import Iterator, Mapping

from jobs.errors import DamagedFolder
from jobs.store.job_folder import JobFolder


class PublishedMetrics(Mapping[str, float]):
    """The numbers in a folder; none before it is published, or where they cannot be read."""

    def __init__(self, folder: JobFolder) -> None:
        """Nothing is read yet."""
        self._folder = folder
        self._read: Mapping[str, float] = {}

    def __getitem__(self, name: str) -> float:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __repr__(self) -> str:
        return repr(dict(self._values()))

    def _values(self) -> Mapping[str, float]:
        if not self._read:
            try:
                self._read = self._folder.metrics
            except DamagedFolder:
                return {}
        return self._read
