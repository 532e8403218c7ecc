"""An epoch of the image models' training: which images, which noise, which losses."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.images.jobs import IMAGE_MODELS, NOISE, context_for
from tests.images.trainables import numbered_images, training
from worker.images.arrays import flat
from worker.images.training import held_out_for_validation
from worker.training.loop import fit


def test_another_seed_is_another_training() -> None:
    images = numbered_images(100)
    one, other = training(images, 0.5, seed=0), training(images, 0.5, seed=1)
    for trainable in (one, other):
        trainable.begin_epoch(0)
    assert (one.batch(0)[1].numpy() != other.batch(0)[1].numpy()).any()
    for first, second in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        assert not first.any() or (first != second).all()


def test_every_epoch_shows_each_training_image_and_no_validation_image() -> None:
    images = numbered_images(300)
    trainable = training(images, 0.0)
    held_out = held_out_for_validation(300)
    assert held_out.sum() == 15
    orders = []
    for epoch in (0, 1):
        trainable.begin_epoch(epoch)
        batches = [trainable.batch(step)[1].numpy() for step in range(trainable.steps)]
        assert {len(batch) for batch in batches} == {32}
        pixels = np.rint(np.concatenate(batches)[:, :2] * 255).astype(int)
        orders.append(pixels[:, 0] * 256 + pixels[:, 1])
        assert set(orders[-1]) == set(np.flatnonzero(~held_out))
    assert list(orders[0]) != list(orders[1])


def test_noise_is_another_in_each_epoch_and_the_same_for_the_same_seed_and_epoch() -> None:
    images = np.full((100, 28, 28), 128, np.uint8)
    first, again, other = (training(images, 0.1, seed=seed) for seed in (5, 5, 6))
    seen = {}
    for name, trainable, epoch in (
        ("first", first, 0),
        ("later", first, 1),
        ("again", again, 0),
        ("other", other, 0),
    ):
        trainable.begin_epoch(epoch)
        noisy, clean = trainable.batch(0)
        seen[name] = noisy.numpy() - clean.numpy()
    assert (seen["first"] == seen["again"]).all()
    assert (seen["first"] != seen["later"]).mean() > 0.99
    assert (seen["first"] != seen["other"]).mean() > 0.99
    assert abs(seen["first"].std() - 0.1) < 0.002
    assert abs(seen["first"].mean()) < 0.002
    loud = training(images, 2.0)
    loud.begin_epoch(0)
    assert sorted({loud.batch(0)[0].numpy().min(), loud.batch(0)[0].numpy().max()}) == [0, 1]


@pytest.mark.parametrize("stream", [[], [0], [40, 0], [50]])
def test_no_test_image_gets_noise_that_was_trained_on(stream: list[int]) -> None:
    """numpy fills seeds up with zeros: [5], [5, 0] and [5, 0, 0] are one stream."""
    grey = np.full((200, 28, 28), 128, np.uint8)
    trainable = training(grey, 0.01, batch_size=100)
    known: set[bytes] = set()
    for epoch in (0, 1):
        trainable.begin_epoch(epoch)
        known |= {row.tobytes() for row in np.asarray(trainable.noise_images)}
    assert len(known) == 2 * 10_240
    drawn = np.random.default_rng([5, *stream]).standard_normal((10_000, 784), np.float32)
    assert not known & {row.tobytes() for row in drawn}


@pytest.mark.parametrize("noise", NOISE.values())
def test_losses_are_those_of_keras_however_many_images_are_measured_at_once(
    noise: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainable = training(numbered_images(300), noise)
    at_once = trainable.measure()
    monkeypatch.setattr("worker.images.training.MEASURED_AT_ONCE", 4)
    assert training(numbered_images(300), noise).measure() == pytest.approx(at_once, rel=1e-6)
    if not noise:
        held_out = flat(numbered_images(300)[held_out_for_validation(300)])
        keras_loss = keras.losses.BinaryCrossentropy()(held_out, trainable.model(held_out))
        assert at_once["validation_loss"] == pytest.approx(float(keras_loss), rel=1e-5)


def test_fewer_images_than_a_batch_are_enough(tmp_path: Path) -> None:
    trainable = training(numbered_images(20), 0.5, batch_size=65_536)
    assert (trainable.steps, trainable.batch_size) == (1, 19)
    history = fit(context_for(tmp_path, IMAGE_MODELS[0], "train"), trainable, 2)
    assert [row["epoch"] for row in history] == [1, 2]
