"""The number of epochs of a training job that resumes another one."""

import re

from jobs.errors import InvalidJob
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.wording import counted, shown


def with_epochs(spec: JobSpec, done: int, epochs: str | int | None) -> JobSpec:
    """A training job with a new total of epochs.

    Args:
        spec: the training job to resume.
        done: how many epochs it has done.
        epochs: the new total, or `"+10"` for that many more than were done; None for the job's own total.

    Raises:
        InvalidJob: `epochs` is not a number of epochs, or they are done already.
    """
    stored = StoredSpec.of(spec)
    text = str(spec.parameters.model_dump()["epochs"] if epochs is None else epochs)
    more = re.fullmatch(r"\+(\d{1,9})", text, re.ASCII)
    total = done + int(more[1]) if more else text
    resumed = JobSpec.parse({**stored.fields, "parameters": {**stored.parameters, "epochs": total}})
    if resumed.parameters.model_dump()["epochs"] <= done:
        raise InvalidJob(
            "epochs",
            expected=f"an integer > {done}, or +N for N more epochs",
            given="none" if epochs is None else shown(text),
            hint=f"the job has done {counted(done, 'epoch')}",
        )
    return resumed
