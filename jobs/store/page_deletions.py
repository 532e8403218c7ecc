"""Hides deleted jobs from the page of all jobs, which only workers write: it loads a list of them."""

import json
import logging
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from jobs.store.atomic_files import whole_file
from jobs.store.file_lock import try_lock
from jobs.store.regular_files import read_regular

log = logging.getLogger(__name__)

PAGE_LIST = Path("index", "deleted.js")
"""Beside the scripts of `results/index.html`: the ids of the jobs that it still holds and must not show."""

_LOCK = ".deleted.lock"
_LOCK_SECONDS = 3.0
_MOST_LIST_BYTES = 2**24
_ID = re.compile(rb"\d{8}-\d{6}-\d{3}-[a-z2-7]{4}")


def hide_from_page(results: Path, *job_ids: str) -> None:
    """Hide jobs from the page of all jobs, if there is one.

    An error is logged, since the next page lacks the job.

    Args:
        results: the folder of all jobs.
        job_ids: of jobs whose folders are gone.
    """
    place = results / PAGE_LIST
    if place.parent.is_symlink() or not place.parent.is_dir():
        return
    try:
        with try_lock(place.with_name(_LOCK), _LOCK_SECONDS) as held:
            if held:
                _write_list(results, deleted_of_page(results).union(job_ids))
    except OSError as error:
        log.warning("results/index.html still shows job %s: %s", ", ".join(job_ids[:3]), error)


def deleted_of_page(results: Path) -> set[str]:
    """The ids of the jobs that were deleted since the page of all jobs was written.

    Args:
        results: the folder of all jobs.
    """
    try:
        return {found.decode() for found in _ID.findall(read_regular(results / PAGE_LIST, _MOST_LIST_BYTES))}
    except OSError:
        return set()


def forget_deleted(results: Path, job_ids: Collection[str]) -> None:
    """Empty the list of hidden jobs, once the page no longer holds them; it is there from then on.

    Args:
        results: the folder of all jobs, with the scripts of its page.
        job_ids: as `deleted_of_page` gave them before the page was written.

    Raises:
        OSError: the results volume is full, read-only or gone.
    """
    with try_lock((results / PAGE_LIST).with_name(_LOCK), _LOCK_SECONDS) as held:
        if held:
            _write_list(results, deleted_of_page(results) - set(job_ids))


def _write_list(results: Path, job_ids: Collection[str]) -> None:
    content = f"quartetDeleted('{json.dumps(sorted(job_ids))}');\n".encode()
    with suppress(OSError):
        if read_regular(results / PAGE_LIST, len(content)) == content:
            return
    with whole_file(results / PAGE_LIST, durable=False) as file:
        file.write(content)
