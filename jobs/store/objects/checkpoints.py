"""The checkpoints of jobs that have not ended, in an object store: any host goes on from the furthest one.

A checkpoint is a function of the job and of how far it got. So the furthest is the newest, whoever wrote it
and whatever his clock says, and none overwrites another.
"""

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from jobs.ids import check_job_id, is_job_id
from jobs.store.manifest import MOST_MANIFEST_BYTES
from jobs.store.objects.layout import CHECKPOINTS, manifest_of
from jobs.store.objects.objects import Objects

MOST_BYTES = 64 * 2**30

Position = tuple[int, int]
"""Epochs done, and steps done of the next one."""

_NAME = re.compile(r"(\d{9})-(\d{12})-[0-9a-f]{8}\.npz")


@dataclass(frozen=True)
class SharedCheckpoints:
    """The checkpoints in a store.

    Attributes:
        objects: the store.
    """

    objects: Objects

    def add(self, job_id: str, position: Position, path: Path) -> None:
        """Upload a checkpoint, then remove those of less progress, or all if the job is published by now.

        Raises:
            UnknownJob: `job_id` is not a job id.
            StoreUnreachable: the store does not answer.
            OSError: the file cannot be read.
        """
        earlier = [name for name in self._names(job_id) if _position(name) < position]
        epoch, step = position
        name = f"{epoch:09}-{step:012}-{secrets.token_hex(4)}.npz"
        self.objects.upload(f"{CHECKPOINTS}/{job_id}/{name}", path)
        if self.objects.read(manifest_of(job_id), MOST_MANIFEST_BYTES) is not None:
            self.remove(job_id)  # by an attempt that was frozen, which would leave it for ever
        else:
            self.objects.remove([f"{CHECKPOINTS}/{job_id}/{each}" for each in earlier])

    def take(self, job_id: str, path: Path, beyond: Position | None) -> bool:
        """Download the furthest checkpoint of a job.

        Args:
            job_id: the job.
            path: of the file to write, whole or not at all.
            beyond: only one that got further than this; None for any.

        Returns:
            Whether there was one.

        Raises:
            UnknownJob: `job_id` is not a job id.
            StoreUnreachable: the store does not answer.
            OSError: the file cannot be written.
        """
        for name in reversed(self._names(job_id)):
            if beyond is not None and _position(name) <= beyond:
                return False
            part = path.with_name(f".{name}.tmp")
            part.unlink(missing_ok=True)
            # It may have been removed since, by an attempt that got further and so holds the job.
            if self.objects.download(f"{CHECKPOINTS}/{job_id}/{name}", part, MOST_BYTES):
                part.replace(path)
                return True
        return False

    def positions(self) -> dict[str, Position]:
        """How far each job got that has a checkpoint.

        Raises:
            StoreUnreachable: the store does not answer.
        """
        found: dict[str, Position] = {}
        for name in self.objects.names(CHECKPOINTS):
            job_id, _, file = name.partition("/")
            if is_job_id(job_id) and _NAME.fullmatch(file):
                found[job_id] = max(found.get(job_id, (0, 0)), _position(file))
        return found

    def remove(self, job_id: str) -> None:
        """Remove the checkpoints of a job that is published.

        Raises:
            StoreUnreachable: the store does not answer.
        """
        self.objects.remove([f"{CHECKPOINTS}/{job_id}/{name}" for name in self._names(job_id)])

    def _names(self, job_id: str) -> list[str]:
        names = self.objects.names(f"{CHECKPOINTS}/{check_job_id(job_id)}")
        return sorted(filter(_NAME.fullmatch, names))


def _position(name: str) -> Position:
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else (0, 0)
