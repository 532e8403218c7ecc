"""What a job takes over from other jobs: the folders it reads, and the checkpoint it resumes from."""

import contextlib
import os
import shutil
from io import BufferedReader
from pathlib import Path

from jobs.errors import DamagedFolder, InvalidJob
from jobs.ids import is_job_id
from jobs.ledger.job_record import State, state_phrase
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.atomic_files import whole_file
from jobs.store.job_folder import CHECKPOINT, JobFolder
from jobs.store.regular_files import open_regular
from jobs.store.results import Results
from jobs.store.staging import progress_of_staging
from jobs.wording import with_article
from worker.context import JobContext
from worker.engine.held_job import HeldJob
from worker.training.checkpoint import MOST_BYTES, Checkpoint


def source_folders(spec: JobSpec, results: Results) -> dict[str, JobFolder]:
    """The folders of the training jobs that a job reads, each checked against its manifest.

    Args:
        spec: the job.
        results: where their folders are.

    Returns:
        By the name of the parameter that names the training job: `from`, for one.

    Raises:
        InvalidJob: a training job has no folder here, is of another model, or did not succeed.
        DamagedFolder: a folder does not match its manifest.
    """
    found = {}
    for name, (job_id, model) in spec.needs().items():
        folder = results.whole(job_id)
        expected = f"{with_article(f'{model} train')} job that succeeded"
        if folder is None:
            raise InvalidJob(
                name, expected=expected, given=f"job {job_id}, which has no folder in {results.name}"
            )
        kind, state = _kind_and_state(folder)
        if (kind, state) != (f"{model} train", "succeeded"):
            given = f"job {job_id}, {with_article(kind)} job, which {state_phrase(state)}"
            raise InvalidJob(name, expected=expected, given=given)
        folder.check()
        found[name] = folder
    return found


def _kind_and_state(folder: JobFolder) -> tuple[str, State]:
    try:
        return StoredSpec.of_folder(folder.job).kind, folder.job["state"]
    except (InvalidJob, AttributeError, KeyError) as error:
        raise DamagedFolder(f"{folder.path}: job.json is not a job's record ({error})") from None


def take_checkpoint(context: JobContext, held: HeldJob) -> None:
    """Copy the checkpoint of the job that this one continues, unless this one has its own already.

    A job that ended before it began left none; the one that it was to continue did.

    Args:
        context: of this job; its `checkpoint` is written.
        held: the job.

    Raises:
        DamagedFolder: the folder of the job before does not match its manifest.
        OSError: the results volume is full, read-only or gone.
        RedisUnreachable: Redis cannot be reached.
    """
    before, seen = held.record.continues, {held.record.id}
    while before and before not in seen and not context.checkpoint.exists():
        seen.add(before)
        left = _left_by(before, held.results)
        if left is not None:
            with left, whole_file(context.checkpoint) as mine:
                shutil.copyfileobj(left, mine)
        elif held.results.checkpoints is not None:
            held.results.checkpoints.take(before, context.checkpoint, None)
        before = _continued_by(before, held)


def take_further_checkpoint(results: Results, job_id: str, path: Path) -> None:
    """Take the checkpoint that an attempt on another host left in the object store, if it got further.

    Args:
        results: the store.
        job_id: the job.
        path: of its checkpoint, which is replaced.

    Raises:
        DamagedFolder: the checkpoint that is here cannot be read.
        StoreUnreachable: the store does not answer.
        OSError: the volume is full, read-only or gone.
    """
    if results.checkpoints is not None:
        here = Checkpoint.position(path) if path.exists() else None
        results.checkpoints.take(job_id, path, beyond=here)


def _left_by(job_id: str, results: Results) -> BufferedReader | None:
    """The newest checkpoint of a job that has ended, published or, as long as the sweeper has not, staged.

    Raises:
        DamagedFolder: its folder does not match its manifest.
        OSError: the results volume cannot be read.
    """
    for _ in range(2):  # it may be published between the two looks
        folder = results.whole(job_id)
        if folder is not None:
            if not os.path.lexists(folder.path / CHECKPOINT):
                return None
            folder.check()
            return open_regular(folder.path / CHECKPOINT, MOST_BYTES)
        for staging in sorted(results.staged(job_id), key=progress_of_staging, reverse=True):
            with contextlib.suppress(FileNotFoundError):
                return open_regular(staging / CHECKPOINT, MOST_BYTES)
    return None


def _continued_by(job_id: str, held: HeldJob) -> str | None:
    """The job that a job was to continue, by its folder or, while it has none, by the ledger."""
    folder = held.results.find(job_id)
    if folder is not None:
        continues = folder.job.get("continues")
        return continues if isinstance(continues, str) and is_job_id(continues) else None
    record = held.ledger.record(job_id)
    return record.continues if record is not None else None


def resumed_from(context: JobContext) -> str:
    """The line of the timeline for a job that has a checkpoint: `resumed from epoch 3, step 200`.

    Args:
        context: of the job.

    Raises:
        DamagedFolder: it is not a checkpoint.
    """
    epoch, step = Checkpoint.position(context.checkpoint)
    if epoch == getattr(context.spec.parameters, "epochs", None):
        return f"resumed from the end of epoch {epoch}"
    return f"resumed from epoch {epoch + 1}" + (f", step {step + 1}" if step else "")
