"""A training run that keeps its best epoch ends with, and saves, the weights of that epoch."""

import pytest

from jobs.store.job_folder import MODEL
from tests.training.counting import Counting
from worker.context import JobContext
from worker.training.best_epoch import BestEpoch, train_best


def test_the_saved_network_is_that_of_the_epoch_that_validates_best(context: JobContext) -> None:
    trainable = Counting([0.5, 0.2, 0.4])
    trained = train_best(context, trainable, 3)
    assert trainable.model.saved == [6.0]
    assert (context.folder / MODEL).exists()
    assert (trained.best["epoch"], trained.best["validation_loss"]) == (2, 0.2)
    assert trained.epochs == len(trained.history) == 3


def test_of_equally_good_epochs_the_first_is_the_best(context: JobContext) -> None:
    trainable = Counting([0.5, 0.2, 0.2])
    assert train_best(context, trainable, 3).best["epoch"] == 2
    assert trainable.model.saved == [6.0]


def test_the_speed_is_that_of_all_epochs_together() -> None:
    history = [{"epoch": 1, "seconds": 1.0}, {"epoch": 2, "seconds": 3.0}]
    assert BestEpoch(history, history[0]).per_second(100) == pytest.approx(50)
