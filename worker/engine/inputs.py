"""What a job takes over from other jobs: the folders it reads, and the checkpoint it resumes from."""

import shutil

from jobs.errors import InvalidJob
from jobs.spec import JobSpec
from jobs.store.atomic_files import whole_file
from jobs.store.job_folder import CHECKPOINT, JobFolder
from jobs.store.results import Results
from jobs.wording import with_article
from worker.context import JobContext
from worker.training.checkpoint import Checkpoint


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
        folder = results.find(job_id)
        expected = f"{with_article(f'{model} train')} job that succeeded"
        if folder is None:
            raise InvalidJob(
                name, expected=expected, given=f"job {job_id}, which has no folder in {results.root}"
            )
        source, state = folder.job["spec"], folder.job["state"]
        if (source["model"], source["action"], state) != (model, "train", "succeeded"):
            kind = with_article(f"{source['model']} {source['action']}")
            raise InvalidJob(name, expected=expected, given=f"job {job_id}, {kind} job that {state}")
        folder.check()
        found[name] = folder
    return found


def take_checkpoint(context: JobContext, continues: str | None, results: Results) -> None:
    """Copy the checkpoint of the job that this one continues, unless this one has its own already.

    Args:
        context: of this job; its `checkpoint` is written.
        continues: the id of the job before; None for a job that continues none.
        results: where the folder of that job is.

    Raises:
        DamagedFolder: the folder of the job before does not match its manifest.
        OSError: the results volume is full, read-only or gone.
    """
    before = results.find(continues) if continues else None
    if before is None or context.checkpoint.exists() or not (before.path / CHECKPOINT).exists():
        return
    before.check()
    with (before.path / CHECKPOINT).open("rb") as old, whole_file(context.checkpoint) as new:
        shutil.copyfileobj(old, new)


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
