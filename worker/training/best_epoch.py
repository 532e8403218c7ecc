"""A training run that ends with the weights of its best epoch, saved into the job's folder."""

from dataclasses import dataclass
from typing import Any, Protocol

from jobs.store.job_folder import MODEL
from worker.context import JobContext
from worker.training.loop import fit
from worker.training.trainable import Trainable

CRITERION = "validation_loss"
"""The column of the history by which epochs are compared; lower is better."""


class TrainableModel(Trainable, Protocol):
    """A Trainable that has a network to save."""

    model: Any


@dataclass(frozen=True)
class BestEpoch:
    """How a training run went.

    Attributes:
        history: a row for each epoch, as `worker.training.loop.fit` returns them.
        best: the row of the epoch with the lowest validation loss, the first of equals.
    """

    history: list[dict[str, float]]
    best: dict[str, float]

    @property
    def epochs(self) -> int:
        """How many epochs were trained, those before a resume included."""
        return len(self.history)

    def per_second(self, each_epoch: int) -> float:
        """Return the mean speed of the steps of all epochs.

        Args:
            each_epoch: units of data in one epoch: characters, reviews, …

        Returns:
            Units per second.
        """
        return self.epochs * each_epoch / sum(row["seconds"] for row in self.history)


def train_best(context: JobContext, trainable: TrainableModel, epochs: int) -> BestEpoch:
    """Train up to `epochs` epochs, and save the network of the best one as `model.keras`.

    Args:
        context: of the training job; its checkpoint, progress and stop are used.
        trainable: what is trained; its `model` ends with the weights after the best epoch.
        epochs: how many in all, those of the checkpoint included.

    Returns:
        The history, and the best epoch's row in it.

    Raises:
        Cancelled: a stop was requested; the checkpoint has everything up to the last step.
        JobFailed: a loss is no longer a finite number.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training job.
    """
    history = fit(context, trainable, epochs, model=trainable.model, keep_best=CRITERION)
    trainable.model.save(context.folder / MODEL)
    return BestEpoch(history, min(history, key=lambda row: row[CRITERION]))
