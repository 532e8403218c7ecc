"""Ends a worker when the process that started it is gone."""

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable

from jobs.ledger.connection import connect
from jobs.local.supervisor import TEMPORARY_VARIABLE
from worker.health import is_alive


def end_with_parent(parent: int, redis_url: str, clean_up: Callable[[], None]) -> None:
    """Watch a worker's parent from a thread; when it is gone, end its Redis and this worker.

    Args:
        parent: the process id of the parent, which may have ended by now.
        redis_url: the Redis that the parent started.
        clean_up: called before this worker ends.
    """
    is_child = os.getppid() == parent

    def is_gone() -> bool:
        # A process that has ended keeps its id until somebody waits for it, but not its children.
        return os.getppid() != parent if is_child else not is_alive(parent)

    def watch() -> None:
        while not is_gone():
            time.sleep(1)
        with contextlib.suppress(Exception):
            connect(redis_url).shutdown(nosave=True)
        with contextlib.suppress(Exception):
            clean_up()
        if TEMPORARY_VARIABLE in os.environ:
            shutil.rmtree(os.environ[TEMPORARY_VARIABLE], ignore_errors=True)
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=watch, name="parent", daemon=True).start()
