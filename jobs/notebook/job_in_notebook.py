"""What a notebook asks of a job beyond what it knows itself: to wait for it, and what its folder gives."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from jobs.errors import JobConflict, QuartetError
from jobs.ledger.job_record import ENDED, state_phrase
from jobs.store.job_folder import JobFolder

if TYPE_CHECKING:
    import numpy as np

    from jobs.job import Job
    from jobs.notebook.pictures import Figures


class JobInNotebook:
    """The part of `Job` that reads its folder, each time anew: a job that was queued may have ended since."""

    def wait(self, timeout: float | timedelta | None = None, *, progress: bool = False) -> "Job":
        """Wait until it has succeeded, and return it as it then is.

        Args:
            timeout: how long to wait at most, in seconds or as a timedelta; None for as long as it takes.
            progress: show how far it is: in a notebook as a card, else on standard error.

        Raises:
            NotEnded, JobFailed, RedisUnreachable: as `Client.wait` does.
        """
        job = cast("Job", self)
        if job.reader is None:
            raise JobConflict("job", expected="one that a Client gave", given=job.id)
        return job.reader.wait(job, timeout, progress=progress)

    @property
    def folder(self) -> JobFolder:
        """Its published folder.

        Raises:
            JobConflict: it has none, or none yet.
        """
        job = cast("Job", self)
        place = job.place
        if place is not None and (place / "job.json").is_file() and not place.is_symlink():
            return JobFolder(place)
        raise JobConflict(
            "job",
            expected="one with a folder",
            given=f"{job.id}, which {state_phrase(job.state)} when it was looked at",
            hint=None if job.state in ENDED else "wait for it first: `job.wait()`",
        )

    @property
    def history(self) -> "dict[str, np.ndarray[Any, Any]]":
        """What it measured after each epoch: each column of `history.csv` as a NumPy array, `epoch` first.

        Empty for a job that trains nothing.

        Raises:
            JobConflict: it has no folder, or none yet.
            MissingPart: NumPy is not installed.
            DamagedFolder: its history cannot be read.
        """
        from jobs.notebook.arrays import columns

        return columns(self.folder.history)

    @property
    def figures(self) -> "Figures":
        """Its figures, by number or name, such as `figures["loss"]`; a notebook shows them.

        Raises:
            JobConflict: it has no folder, or none yet.
        """
        from jobs.notebook.pictures import figures_in

        return figures_in(self.folder.path)

    def load_model(self) -> Any:
        """The Keras model of a training job, of the best epoch. Only this loads TensorFlow.

        Raises:
            JobConflict: it has no folder yet, or left no model.
            InvalidJob: this version does not know its model.
            MissingPart: TensorFlow is not installed.
            InvalidModel: the model's wing does not say how its networks are loaded.
            DamagedFolder: the weights cannot be read.
        """
        from jobs.notebook.network import load_model

        return load_model(self.folder, cast("Job", self).kind)

    def __getstate__(self) -> dict[str, Any]:
        # The connection to Redis cannot be copied, nor be sent to another process.
        return {**self.__dict__, "reader": None}

    def _repr_html_(self) -> str:
        from jobs.notebook.job_card import job_card

        job, progress = self._now()
        return job_card(job, progress)

    def _now(self) -> "tuple[Job, dict[str, Any]]":
        """The job as it is now, and its latest progress if it runs; as it was, where nobody can be asked."""
        job = cast("Job", self)
        if job.state in ENDED or job.reader is None:
            return job, {}
        try:
            now = job.reader.job(job)
            return now, job.reader.progress([now]).get(job.id, {})
        except QuartetError:
            return job, {}
