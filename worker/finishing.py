"""The end of a job beside the beginning of the next.

Drawing figures and writing a report needs no GPU: it is done in a thread, while this process takes its next
job. The job's lease is renewed until its folder is published and the ledger says so. Should this process
die meanwhile, the lease runs out, and another attempt goes on from the checkpoint at the training's end.
"""

import threading
from collections.abc import Callable

NAME = "finishing"
"""Of the thread."""

_thread: threading.Thread | None = None


def finish(end: Callable[[], None]) -> None:
    """Call `end` beside what this process does next, after the end of the job before."""
    global _thread
    wait()
    _thread = threading.Thread(target=end, name=NAME)
    _thread.start()


def wait() -> None:
    """Wait for the end of the job before, so that this process may end."""
    if _thread is not None:
        _thread.join()
