"""What is done beside the next job: the end of the job before, and the index of all jobs.

Drawing figures and writing a report needs no GPU: a thread does it while this process takes its next job.
The job's lease is renewed until its folder is published and the ledger says so. Should this process die
meanwhile, the lease expires, and another attempt resumes from the checkpoint at the end of training.

With a thousand jobs the index takes longer to write than a small job takes to run. So a second thread writes
it: at once when it was not written a moment ago, else a moment later, for all jobs published meanwhile.
"""

import logging
import threading
from collections.abc import Callable

from jobs.store.results import Results
from worker.report import index_page

log = logging.getLogger(__name__)

FINISHING = "finishing"
"""The name of the thread that ends a job."""

INDEX = "index"
"""The name of the thread that writes the index."""

PAUSE_SECONDS = 0.5
"""Between two times that this process writes the index."""

_finishing: threading.Thread | None = None
_indexing: threading.Thread | None = None
_lock = threading.Lock()
_behind: set[Results] = set()
"""The results folders whose index a thread is about to write."""
_hurry = threading.Event()


def finish(end: Callable[[], None]) -> None:
    """End a job beside what this process does next, once the job before has ended.

    Args:
        end: ends the job; nobody catches what it raises.
    """
    global _finishing
    _wait_for_job()
    _finishing = threading.Thread(target=end, name=FINISHING)
    _finishing.start()


def wait() -> None:
    """Wait until nothing is done in the background any more, so that this process may end."""
    _wait_for_job()
    wait_for_index()


def update_index(results: Results) -> None:
    """Have the index written soon, with every job that is published by now."""
    global _indexing
    with _lock:
        if results not in _behind:
            _behind.add(results)
            _indexing = threading.Thread(target=_write_soon, args=(results, _indexing), name=INDEX)
            _indexing.start()


def wait_for_index() -> None:
    """Have the index written now, if it is to be written at all."""
    _hurry.set()
    if _indexing is not None:
        _indexing.join()
    _hurry.clear()


def write_index(results: Results) -> None:
    """Write the index. That it cannot be written is logged, for it is no reason to fail a job."""
    try:
        index_page.write_index(results)
    except OSError as error:
        log.warning("results/index.html was not written: %s", error)
    except Exception:
        log.exception("results/index.html was not written")


def _wait_for_job() -> None:
    if _finishing is not None:
        _finishing.join()


def _write_soon(results: Results, before: threading.Thread | None) -> None:
    if before is not None:
        before.join()
    with _lock:
        _behind.discard(results)  # a job that is published from here on asks again
    write_index(results)
    _hurry.wait(PAUSE_SECONDS)
