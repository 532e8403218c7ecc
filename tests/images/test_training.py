"""The network of the image models is trained exactly and reproducibly."""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from jobs.errors import Cancelled, JobFailed
from jobs.settings import read_settings
from jobs.store.job_folder import JobFolder
from tests.images.jobs import IMAGE_MODELS, NOISE, context_for, without_seconds
from tests.images.trainables import bits, training
from worker.context import JobContext
from worker.images.network import build_autoencoder
from worker.images.training import ImageTrainable, WarmUpThenDecay
from worker.training.loop import fit


@pytest.fixture(scope="module", params=IMAGE_MODELS)
def uninterrupted(
    request: pytest.FixtureRequest, digits: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """A trainable, the bits it ends with after three epochs of six steps, and the history of these."""
    model = request.param
    trainable = training(digits.train[:400], NOISE[model], batch_size=64)
    assert trainable.steps == 6
    history = fit(context_for(tmp_path_factory.mktemp("whole"), model, "train"), trainable, 3)
    return trainable, bits(trainable), [without_seconds(row) for row in history]


def as_in_a_new_process(trainable: ImageTrainable) -> ImageTrainable:
    """Nothing is left of what was trained; only what was compiled is saved, to save seconds."""
    trainable.restart(build_autoencoder(5).get_weights(), seed=5, learning_rate=3e-3)
    trainable.begin_epoch(77)
    trainable.chunk = 64
    return trainable


def test_a_step_is_the_step_of_keras_itself(uninterrupted: Any) -> None:
    trainable = as_in_a_new_process(uninterrupted[0])
    start = trainable.model.get_weights()
    plain = keras.models.clone_model(trainable.model)
    plain.set_weights(start)
    plain.compile(keras.optimizers.Adam(WarmUpThenDecay(3e-3, 2 * trainable.steps)), "binary_crossentropy")
    trainable.begin_epoch(0)
    for step in range(3):
        plain.train_on_batch(*trainable.batch(step))
    trainable.make_steps(0, 3)
    weights = zip(trainable.model.get_weights(), plain.get_weights(), start, strict=True)
    for ours, theirs, before in weights:
        assert np.abs(theirs - before).max() > 1e-5
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)


def test_a_training_stopped_anywhere_ends_with_the_same_bits(uninterrupted: Any, tmp_path: Path) -> None:
    trainable, expected, history = uninterrupted
    make_steps = trainable.make_steps
    made: list[int] = []
    for steps_until_stop in (1, 6, 4):
        context = context_for(tmp_path, IMAGE_MODELS[0], "train")
        as_in_a_new_process(trainable).chunk = 1

        def make_and_stop(
            first: int, count: int, context: JobContext = context, last: int = steps_until_stop
        ) -> None:
            make_steps(first, count)
            made.append(first)
            if len(made) == last:
                context.stop.set()

        made.clear()
        trainable.make_steps = make_and_stop
        with pytest.raises(Cancelled):
            fit(context, trainable, 3)
        trainable.make_steps = make_steps
        assert bits(trainable) != expected
    resumed = fit(context_for(tmp_path, IMAGE_MODELS[0], "train"), as_in_a_new_process(trainable), 3)
    assert bits(trainable) == expected
    assert [without_seconds(row) for row in resumed] == history
    assert [without_seconds(row) for row in JobFolder(tmp_path).history] == history


def test_a_killed_training_resumes_from_its_last_checkpoint(uninterrupted: Any, tmp_path: Path) -> None:
    trainable, expected, history = uninterrupted
    make_steps = trainable.make_steps

    def die_after_the_first_checkpoint(first: int, count: int) -> None:
        make_steps(first, count)
        if (tmp_path / "checkpoint.npz").exists():
            raise KeyboardInterrupt
        time.sleep(0.06)

    context = context_for(tmp_path, IMAGE_MODELS[0], "train")
    context.settings = read_settings(checkpoint_seconds=0.1)
    as_in_a_new_process(trainable).chunk = 1
    trainable.make_steps = die_after_the_first_checkpoint
    with pytest.raises(KeyboardInterrupt):
        fit(context, trainable, 3)
    trainable.make_steps = make_steps
    resumed = fit(context_for(tmp_path, IMAGE_MODELS[0], "train"), as_in_a_new_process(trainable), 3)
    assert bits(trainable) == expected
    assert [without_seconds(row) for row in resumed] == history


def test_one_epoch_and_two_are_three(uninterrupted: Any, tmp_path: Path) -> None:
    trainable, expected, history = uninterrupted
    fit(context_for(tmp_path, IMAGE_MODELS[0], "train"), as_in_a_new_process(trainable), 1)
    resumed = fit(context_for(tmp_path, IMAGE_MODELS[0], "train"), as_in_a_new_process(trainable), 3)
    assert bits(trainable) == expected
    assert [without_seconds(row) for row in resumed] == history


def test_a_training_that_diverges_says_so(uninterrupted: Any, tmp_path: Path) -> None:
    trainable = as_in_a_new_process(uninterrupted[0])
    for weight in trainable.model.trainable_variables:
        weight.assign(np.full(weight.shape, np.inf))
    with pytest.raises(JobFailed, match=r"^the loss of epoch 1 is nan: training diverged$") as raised:
        fit(context_for(tmp_path, IMAGE_MODELS[0], "train"), trainable, 1)
    assert raised.value.hint == "try a smaller --learning-rate"
