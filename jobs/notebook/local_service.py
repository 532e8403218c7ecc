"""Quartet within one Python process: a private Redis, workers, and a client of them.

import jobs

client = jobs.service()
job = client.submit(model, "train", data=data)
job = job.wait(progress=True)
client.close()
"""

import atexit
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

from jobs.client import Client
from jobs.errors import InvalidInput, QuartetError
from jobs.job import Job
from jobs.local.supervisor import Service, temporary_service
from jobs.settings import read_settings
from jobs.sweeps.sweep import Sweep
from jobs.wording import shown

CHECK_SECONDS = 1.0
MOST_WORKERS = 64


def service(workers: int = 1, **overrides: Any) -> "LocalService":
    """Start a private Redis and workers on this machine, and return a client of them.

    They end with `close`, with a `with` block, or with this process, and jobs that have not ended then are
    lost. What jobs leave stays in the results folder.

    Args:
        workers: how many; each runs one job at a time.
        overrides: settings by name, as for `Client`.

    Raises:
        InvalidInput: `workers` is no such number.
        InvalidSetting: a setting is wrong, or there is none of that name.
        MissingPart: no Redis server is installed, or no Celery or TensorFlow.
        QuartetError: Redis or a worker did not start.
    """
    if not isinstance(workers, int) or isinstance(workers, bool) or not 1 <= workers <= MOST_WORKERS:
        raise InvalidInput("workers", expected=f"an integer from 1 to {MOST_WORKERS}", given=shown(workers))
    stack = ExitStack()
    started = stack.enter_context(temporary_service(read_settings(**overrides), workers))
    return LocalService(started, stack)


class LocalService(Client):
    """A client with workers of its own, which a thread watches: what dies is started again."""

    def __init__(self, started: Service, stack: ExitStack) -> None:
        """Watch what was started.

        Args:
            started: Redis and the workers.
            stack: ends them.
        """
        super().__init__(started.settings)
        self._started, self._stack = started, stack
        self._trouble: QuartetError | None = None
        self._closed = threading.Event()
        self._watcher = threading.Thread(target=self._check, name="quartet service", daemon=True)
        self._watcher.start()
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers and Redis; running jobs are interrupted. Doing it twice is no error."""
        self._closed.set()
        self._watcher.join()
        atexit.unregister(self.close)
        self._stack.close()

    def watch(self, reference: str | Job) -> Iterator[tuple[Job, dict[str, Any]]]:
        """As `Client.watch`.

        Raises:
            QuartetError: as `Client.watch` does; or Redis or a worker keeps dying.
        """
        for update in super().watch(reference):
            self._raise_trouble()
            yield update

    def find_sweep(self, name: str) -> Sweep:
        """As `Client.find_sweep`.

        Raises:
            QuartetError: as `Client.find_sweep` does; or Redis or a worker keeps dying.
        """
        self._raise_trouble()
        return super().find_sweep(name)

    def _check(self) -> None:
        while not self._closed.wait(CHECK_SECONDS):
            try:
                self._started.check()
            except QuartetError as error:
                self._trouble = error
                return

    def _raise_trouble(self) -> None:
        if self._trouble is not None:
            raise self._trouble
