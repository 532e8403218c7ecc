"""Ends a worker when the process that started it is gone."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

from jobs.ledger.connection import connect


def end_with_parent(parent: int, redis_url: str, clean_up: Callable[[], None]) -> None:
    """Watch a worker's parent from a thread; when it is gone, end its Redis and this worker.

    Args:
        parent: the process id of the parent.
        redis_url: the Redis that the parent started.
        clean_up: called before this worker ends.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        with contextlib.suppress(Exception):
            connect(redis_url).shutdown(nosave=True)
        with contextlib.suppress(Exception):
            clean_up()
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=watch, name="parent", daemon=True).start()
