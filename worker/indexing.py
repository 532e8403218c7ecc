"""The index of all jobs, written once for several that are published one soon after another.

With a thousand jobs it takes longer to write than a small job takes to do. So a thread writes it: at once
when it was not written a moment ago, else a moment later, for all that were published meanwhile.
"""

import threading

from jobs.folder import Results
from worker.failure import write_index

NAME = "index"
"""Of the thread."""

PAUSE_SECONDS = 0.5
"""Between two times that this process writes the index."""

_lock = threading.Lock()
_behind: set[Results] = set()
"""What a thread is about to write the index of."""
_thread: threading.Thread | None = None
_in_a_hurry = threading.Event()


def update(results: Results) -> None:
    """Have the index written soon, with every job that is published by now."""
    global _thread
    with _lock:
        if results not in _behind:
            _behind.add(results)
            _thread = threading.Thread(target=_write, args=(results, _thread), name=NAME)
            _thread.start()


def wait() -> None:
    """Have what is to be written written now, so that this process may end."""
    _in_a_hurry.set()
    if _thread is not None:
        _thread.join()
    _in_a_hurry.clear()


def _write(results: Results, before: threading.Thread | None) -> None:
    if before is not None:
        before.join()
    with _lock:
        _behind.discard(results)  # a job published from here on may not be seen: it asks again
    write_index(results)
    _in_a_hurry.wait(PAUSE_SECONDS)
