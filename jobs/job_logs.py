"""The log of a job: in its folder once that is published, until then in the folder that its worker stages."""

import codecs
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import BufferedReader

from jobs.errors import JobConflict
from jobs.job import Job
from jobs.ledger.job_record import ENDED
from jobs.store.job_folder import LOG
from jobs.store.regular_files import NotRegular, open_regular
from jobs.store.results import Results
from jobs.store.staging import attempt_of_staging

POLL_SECONDS = 0.3
_MOST_BYTES = 2**40
_BLOCK = 2**16


def log_text(results: Results, job: Job) -> Iterator[str]:
    """The log as it is now, in pieces.

    Args:
        results: the folder of all jobs.
        job: the job.

    Raises:
        JobConflict: it has none here.
    """
    file = _open_log(results, job)
    if file is None:
        raise _no_log(job)
    with file:
        yield from _text_of(file, lambda: True)


def follow_log(results: Results, latest: Callable[[], Job]) -> Iterator[str]:
    """The log as it is written, of each attempt from its beginning, until the job has ended.

    Args:
        results: the folder of all jobs.
        latest: the job as it is at the moment of the call.

    Raises:
        JobConflict: the job has ended, and has no log here.
    """
    seen: set[int] = set()
    while True:
        job = latest()
        file = _open_log(results, job)
        if file is not None:
            with file:
                if job.attempt not in seen:
                    seen.add(job.attempt)
                    yield from _text_of(file, partial(_is_over, job, latest))
                    continue
        if job.state in ENDED:
            if not seen:
                raise _no_log(job)
            return
        time.sleep(POLL_SECONDS)


def _text_of(file: BufferedReader, is_over: Callable[[], bool]) -> Iterator[str]:
    """What is written to a log until it is over; publishing renames the folder of an open one."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while True:
        over = is_over()
        while block := file.read(_BLOCK):
            yield decoder.decode(block)
        if over:
            return
        time.sleep(POLL_SECONDS)


def _is_over(before: Job, latest: Callable[[], Job]) -> bool:
    """Whether the attempt that a job was at writes no more."""
    now = latest()
    return now.state != "running" or now.attempt != before.attempt


def _open_log(results: Results, job: Job) -> BufferedReader | None:
    folder = results.find(job.id)
    staged = [path for path in results.staged(job.id) if attempt_of_staging(path) == job.attempt]
    for path in [folder.path] if folder is not None else staged:
        try:
            return open_regular(path / LOG, _MOST_BYTES)
        except (FileNotFoundError, NotRegular):
            continue
    return None


def _no_log(job: Job) -> JobConflict:
    if job.state in ("waiting", "queued"):
        given, hint = f"{job.id}, which is {job.state}", "`quartet logs --follow` waits for it"
    elif job.state == "running":
        given = f"{job.id}, which has logged nothing here so far"
        hint = "its log is here if its worker writes to this results folder"
    else:
        given, hint = f"{job.id}, which logged nothing", None
    return JobConflict("job", expected="one with a log", given=given, hint=hint)
