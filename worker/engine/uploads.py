"""Uploads the checkpoints of a running job to the object store, so that any host can go on with it."""

import contextlib
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import QuartetError, StoreUnreachable
from jobs.store.objects.checkpoints import SharedCheckpoints
from worker.context import JobContext
from worker.engine.held_job import HeldJob
from worker.training.checkpoint import Checkpoint

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at whether there is a new checkpoint."""


@contextmanager
def uploading(held: HeldJob, context: JobContext) -> Iterator[None]:
    """Upload each new checkpoint beside the block, the newest alone where they come faster than uploads end.

    Nothing is done where all hosts share the folder. The last checkpoint is uploaded before the block ends,
    unless the store does not answer.

    Args:
        held: the job.
        context: of its task, which writes the checkpoint.
    """
    checkpoints = held.results.checkpoints
    if checkpoints is None:
        yield
        return
    uploads = _Uploads(checkpoints, held.claim.job_id, context.checkpoint)
    thread = threading.Thread(target=uploads.run, name="uploads", daemon=True)
    thread.start()
    try:
        yield
    finally:
        uploads.over.set()
        thread.join()


class _Uploads:
    """The checkpoints of one attempt.

    Attributes:
        over: set when the task has ended.
    """

    def __init__(self, checkpoints: SharedCheckpoints, job_id: str, path: Path) -> None:
        self.over = threading.Event()
        self._checkpoints, self._job_id, self._path = checkpoints, job_id, path
        self._uploaded: tuple[int, ...] | None = self._stamp()
        self._away = False

    def run(self) -> None:
        """Look for new checkpoints until the task has ended."""
        while not self.over.wait(LOOK_SECONDS):
            self._look()
        self._look()

    def _look(self) -> None:
        stamp = self._stamp()
        if stamp is None or stamp == self._uploaded:
            return
        copy = self._path.with_name(f".{self._path.name}.upload.tmp")
        try:
            copy.unlink(missing_ok=True)
            _copy(self._path, copy)
            self._checkpoints.add(self._job_id, Checkpoint.position(copy), copy)
            self._uploaded, self._away = stamp, False
        except StoreUnreachable as error:
            log.log(
                logging.DEBUG if self._away else logging.WARNING, "a checkpoint was not uploaded: %s", error
            )
            self._away = True
        except (QuartetError, OSError) as error:
            log.warning("a checkpoint was not uploaded: %s", error)
            self._uploaded = stamp  # the next one may be another matter
        finally:
            with contextlib.suppress(OSError):
                copy.unlink(missing_ok=True)

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            now = self._path.stat()
        except OSError:
            return None
        return now.st_ino, now.st_size, now.st_mtime_ns


def _copy(path: Path, copy: Path) -> None:
    """Keep what a file has now; the next checkpoint replaces its name, not the file."""
    try:
        os.link(path, copy)
    except FileNotFoundError:
        raise
    except OSError:  # a volume without hard links
        shutil.copyfile(path, copy)
