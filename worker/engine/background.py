"""Work that is done while the next job runs: the end of the previous job, and the index of all jobs.

Drawing figures and writing a report needs no GPU, so a thread sees to it while this process takes its next
job. The job's lease is renewed until its folder is published and the ledger says so. Should this process die
meanwhile, the lease expires, and another attempt resumes from the checkpoint at the end of training.

Small jobs may end faster than the index is synced to disk. So a second thread writes it: at once if it was
not written a moment ago, else a moment later, for all jobs published meanwhile.
"""

import logging
import threading
from collections.abc import Callable

from jobs.store.results import Results

log = logging.getLogger(__name__)

FINISHING = "finishing"
"""The name of the thread that ends a job."""

INDEX = "index"
"""The name of the thread that writes the index."""

PAUSE_SECONDS = 2.0
"""Shortest time between two writes of the index by this process."""

RETRY_SECONDS = 30.0
"""Until the index is tried again that another worker, which may be frozen, was writing."""

_finishing: threading.Thread | None = None
_indexing: threading.Thread | None = None
_lock = threading.Lock()
_behind: set[Results] = set()
"""The results folders whose index a thread is about to write."""
_hurry = threading.Event()


def finish(end: Callable[[], None]) -> None:
    """End a job in the background, once the previous job has ended.

    Args:
        end: ends the job, and must catch every error, since no caller would.
    """
    global _finishing
    _wait_for_job()
    thread = threading.Thread(target=end, name=FINISHING)
    try:
        thread.start()
    except RuntimeError:  # the system has no room for one more: the next job waits instead
        end()
    else:
        _finishing = thread


def wait() -> None:
    """Wait until all work in the background is done, so that this process may end."""
    _wait_for_job()
    wait_for_index()


def update_index(results: Results) -> None:
    """Have the index written soon, with every job that has been published.

    Args:
        results: the folder of all jobs.
    """
    global _indexing
    with _lock:
        if results not in _behind:
            # A daemon, since it may wait for another worker; `wait` hurries it before this process ends.
            thread = threading.Thread(target=_write_soon, args=(results, _indexing), name=INDEX, daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                log.warning("results/index.html will be written with the next job: %s", error)
                return
            _behind.add(results)
            _indexing = thread


def wait_for_index() -> None:
    """Have the index written at once if it is due, and wait for it."""
    _hurry.set()
    if _indexing is not None:
        _indexing.join()
    _hurry.clear()


def write_index(results: Results) -> bool:
    """Write the index. An error is logged, since it is no reason to fail a job.

    Args:
        results: the folder of all jobs.

    Returns:
        False if another worker was writing it, for so long that it may be frozen.
    """
    from worker.report import index_page  # not by each process that imports this module

    try:
        return index_page.write_index(results)
    except OSError as error:
        log.warning("results/index.html was not written: %s", error)
    except Exception:
        log.exception("results/index.html was not written")
    return True


def _wait_for_job() -> None:
    if _finishing is not None:
        _finishing.join()


def _write_soon(results: Results, before: threading.Thread | None) -> None:
    if before is not None:
        before.join()
    with _lock:
        _behind.discard(results)  # a job that is published from here on asks again
    while not write_index(results) and not _hurry.wait(RETRY_SECONDS):
        pass
    _hurry.wait(PAUSE_SECONDS)
