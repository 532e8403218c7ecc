"""Deletes ended jobs, never one that is needed by a job which has not ended.

Folders are first moved out of sight. A job that names one and was submitted at that moment is seen
afterwards, and the folder is moved back. What a command that is killed leaves in `.deleted`, is undone or
ended by the next one that deletes or restores jobs.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from jobs.errors import DamagedFolder, InvalidInput, JobConflict, QuartetError
from jobs.finding.job_list import in_results
from jobs.finding.known_jobs import KnownJobs
from jobs.ids import submitted_at
from jobs.ledger.job_record import ENDED, state_phrase
from jobs.needed import Needed
from jobs.store.atomic_files import fsync_folder
from jobs.store.file_lock import try_lock
from jobs.store.history_row import Row
from jobs.store.page_deletions import hide_from_page
from jobs.store.set_aside import SetAside
from jobs.wording import reason_of

BATCH = 100
"""Jobs that are deleted together, so that who needs them is asked once for all."""

LOCK_SECONDS = 60.0
"""How long a deletion waits for that of another person."""

_LOCK = ".deleting.lock"
_CLOCKS_DIFFER_BY = timedelta(days=1)
"""At most: the ids of two hosts' jobs need not be in the order in which those were submitted."""


def delete(known: KnownJobs, job_id: str) -> None:
    """Delete an ended job: its folder and what Redis knows of it.

    Args:
        known: finds jobs.
        job_id: the job's id.

    Raises:
        JobConflict: it has not ended or has no folder yet, or a job that has not ended reads it or continues
            it, or another process deletes for long.
        UnknownJob: there is no such job.
        RedisUnreachable: Redis cannot be reached.
        DamagedFolder: its folder cannot be deleted.
    """
    for _, refused in delete_all(known, [job_id]):
        if refused is not None:
            raise refused


def delete_all(known: KnownJobs, job_ids: Sequence[str]) -> Iterator[tuple[str, QuartetError | None]]:
    """As `delete`, for many jobs; those that must stay keep no other from being deleted.

    Args:
        known: finds jobs.
        job_ids: the jobs' ids; they are deleted in this order, some at once.

    Yields:
        Each id, and why the job stays; None for one that was deleted.

    Raises:
        JobConflict: another process deletes for long.
        RedisUnreachable: Redis cannot be reached.
        DamagedFolder: the results folder cannot be changed.
    """
    for start in range(0, len(job_ids), BATCH):
        batch = job_ids[start : start + BATCH]
        with in_results(known.results), alone(known):
            refused = _delete(known, batch)
        yield from ((job_id, refused.get(job_id)) for job_id in batch)


def check_deletable(known: KnownJobs, job_id: str) -> None:
    """Refuse to delete a job that must stay.

    Raises:
        JobConflict, UnknownJob, RedisUnreachable, DamagedFolder: as `delete` does.
    """
    _check_ended(known, job_id)
    Needed.of(known).check(job_id)


@contextmanager
def alone(known: KnownJobs) -> Iterator[None]:
    """Keep others from deleting for the length of the block, and end first what a killed command began.

    Raises:
        JobConflict: another process deletes for long.
        RedisUnreachable: Redis cannot be reached.
        OSError: the results volume is full, read-only or gone.
    """
    if not known.results.root.is_dir():  # nothing is there to delete
        yield
        return
    with try_lock(known.results.root / _LOCK, LOCK_SECONDS) as held:
        if not held:
            given = f"a deletion that has taken more than {LOCK_SECONDS:g} s"
            raise JobConflict("jobs", expected="jobs that nobody else deletes", given=given)
        aside = SetAside(known.results.root)
        for job_id in aside.whole():
            aside.put_back(job_id)
        _end(known, aside.gone())
        yield


def end_what_was_begun(known: KnownJobs) -> None:
    """Undo or end what a command began that was killed while it deleted.

    Raises:
        JobConflict, RedisUnreachable: as `delete` does.
        OSError: the results volume is full, read-only or gone.
    """
    aside = SetAside(known.results.root)
    if aside.whole() or aside.gone():
        with alone(known):
            pass


def dependents(known: KnownJobs, job_ids: Collection[str]) -> dict[str, list[Row]]:
    """The ended jobs that used the models of some jobs, or went on from their checkpoints.

    What they left stays whole, but they cannot be run again without those.

    Args:
        known: finds jobs.
        job_ids: of jobs that are to be deleted together.

    Returns:
        Of each of them that has any: those that are not deleted with it, newest first.

    Raises:
        DamagedFolder: the results folder cannot be read.
    """
    found: dict[str, list[Row]] = {}
    deleted = set(job_ids)
    if not deleted:
        return found
    oldest = submitted_at(min(deleted))
    with in_results(known.results):
        for row in known.history.rows():
            if oldest - submitted_at(row.id) > _CLOCKS_DIFFER_BY:  # a job needs older ones
                break
            if row.id in deleted:
                continue
            for job_id in deleted.intersection(used_by(row)):
                found.setdefault(job_id, []).append(row)
    return found


def used_by(row: Row) -> set[str]:
    """The ids of the jobs that a job used or went on from, among other texts of its parameters."""
    texts = (row.source, row.continues, *row.parameters.values())
    return {each for each in texts if isinstance(each, str)}


def _check_ended(known: KnownJobs, job_id: str) -> None:
    """Refuse to delete a job that has not ended, or has no folder yet."""
    record = known.ledger.record(job_id)
    if record is None and known.folder(job_id) is None:
        known.job(job_id)  # which says that there is no such job
    if record is not None and record.state not in ENDED:
        given = f"{job_id}, which {state_phrase(record.state)}"
        raise JobConflict("job", expected="one that has ended", given=given)
    if record is not None and not record.folder:
        given = f"{job_id}, which has none yet"
        hint = "a worker writes it, with whatever the job left"
        raise JobConflict("job", expected="one with a folder", given=given, hint=hint)


def _delete(known: KnownJobs, job_ids: Sequence[str]) -> dict[str, QuartetError]:
    """Delete jobs; the reasons of those that stay."""
    refused: dict[str, QuartetError] = {}
    needed = Needed.of(known)
    for job_id in job_ids:
        try:
            _check_ended(known, job_id)
            needed.check(job_id)
        except (InvalidInput, DamagedFolder) as error:
            refused[job_id] = error
    aside, moved = SetAside(known.results.root), set[str]()
    try:
        for job_id in job_ids:
            folder = known.results.root / job_id
            if job_id in refused or not folder.exists():  # of some, only Redis knows
                continue
            try:
                aside.take(job_id)
                moved.add(job_id)
            except OSError as error:
                refused[job_id] = DamagedFolder(f"{folder} cannot be deleted ({reason_of(error)})")
        needed = Needed.of(known)
        for job_id in job_ids:
            try:
                needed.check(job_id)
            except JobConflict as error:
                refused[job_id] = error
        going = [job_id for job_id in job_ids if job_id not in refused]
        for job_id in moved.intersection(going):
            aside.give_up(job_id)
            moved.remove(job_id)
    finally:
        for job_id in moved:
            aside.put_back(job_id)
    _end(known, going)
    return refused


def _end(known: KnownJobs, job_ids: Sequence[str]) -> None:
    """End the deletion of jobs whose folders do not come back."""
    if not job_ids:
        return
    for job_id in job_ids:
        known.results.deleted(job_id)  # first: a job that Redis does not know cannot be named again
        known.ledger.delete(job_id)
    fsync_folder(known.results.root)
    known.history.drop(*job_ids)
    hide_from_page(known.results.root, *job_ids)
    SetAside(known.results.root).erase()
