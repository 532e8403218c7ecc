"""Training jobs of the image models: the same bits for a seed, a quick stop, a network that anyone can load."""

import threading
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from jobs.errors import Cancelled
from jobs.store.job_folder import JobFolder
from tests.images.jobs import (
    IMAGE_MODELS,
    NOISE,
    NOISIEST,
    arrays_of,
    context_for,
    do,
    figures_of,
    train_on_digits,
    without_seconds,
)
from worker.images.arrays import flat
from worker.images.network import build_autoencoder, decoder_of, encoder_of, load_network
from worker.images.training import ImageTrainable, held_out_for_validation

both_models = pytest.mark.parametrize("model", IMAGE_MODELS)


@both_models
def test_a_seed_decides_every_bit_of_a_training(
    model: str, trained: dict[str, JobFolder], tmp_path: Path
) -> None:
    # A job of the same shape that the process did before changes nothing.
    do(context_for(tmp_path / "other", model, "train", data="digits", epochs=1, batch_size=64, seed=5))
    again = train_on_digits(tmp_path / "again", model)
    for first, second in zip(*(load_network(f).get_weights() for f in (trained[model], again)), strict=True):
        assert first.tobytes() == second.tobytes()
    histories = [[without_seconds(row) for row in folder.history] for folder in (trained[model], again)]
    assert histories[0] == histories[1]


@pytest.mark.parametrize("batch_size", [1, 65_536])
def test_a_stop_is_noticed_soon_however_large_the_batches(batch_size: int, tmp_path: Path) -> None:
    context = context_for(tmp_path, NOISIEST, "train", data="digits", epochs=1_000_000, batch_size=batch_size)
    asked: list[float] = []

    def stop() -> None:
        asked.append(time.monotonic())
        context.stop.set()

    def stop_soon(_: dict[str, Any]) -> None:
        if not asked:
            asked.append(0)
            threading.Timer(0.5, stop).start()

    context.report_progress = stop_soon
    with pytest.raises(Cancelled):
        do(context)
    assert time.monotonic() - asked[-1] < 10  # a second, where nothing else runs
    assert context.checkpoint.exists()


@both_models
def test_the_saved_network_is_a_plain_keras_model(model: str, trained: dict[str, JobFolder]) -> None:
    path = trained[model].path / "model.keras"
    network = keras.models.load_model(path)
    assert [layer.name for layer in network.layers] == ["image", "code", "reconstruction"]
    assert [layer.activation.__name__ for layer in network.layers[1:]] == ["relu", "sigmoid"]
    images = np.random.default_rng(0).random((4, 784), np.float32)
    ours = load_network(trained[model])
    assert (network(images).numpy() == ours(images).numpy()).all()
    halves = decoder_of(ours)(encoder_of(ours)(images))
    np.testing.assert_allclose(halves.numpy(), ours(images).numpy(), atol=1e-6)


@both_models
def test_training_helps(model: str, trained: dict[str, JobFolder]) -> None:
    history = trained[model].history
    assert list(history[0]) == ["epoch", "loss", "validation_loss", "learning_rate", "seconds"]
    assert history[-1]["validation_loss"] < 0.9 * history[0]["validation_loss"]
    assert trained[model].metrics["validation_bce"] == pytest.approx(history[-1]["validation_loss"])


@both_models
def test_both_losses_are_those_of_the_saved_network(
    model: str, trained: dict[str, JobFolder], digits: Any
) -> None:
    """On the validation images, and on as many that were trained on, evenly spread over the others."""
    network = keras.models.load_model(trained[model].path / "model.keras")
    held_out = held_out_for_validation(len(digits.train))
    trained_on, count = np.flatnonzero(~held_out), int(held_out.sum())
    spread = trained_on[np.linspace(0, len(trained_on) - 1, count).astype(int)]
    for place, (chosen, name) in enumerate(((spread, "training"), (held_out, "validation"))):
        clean = flat(digits.train[chosen])
        normals = np.random.default_rng([0, 3, place + 1]).standard_normal(clean.shape, np.float32)
        noisy = np.clip(clean + np.float32(NOISE[model]) * normals, 0, 1)
        loss = keras.losses.BinaryCrossentropy()(clean, network(noisy))
        assert trained[model].metrics[f"{name}_bce"] == pytest.approx(float(loss), rel=1e-5)


@both_models
def test_a_training_shows_what_its_network_makes_of_images(model: str, trained: dict[str, JobFolder]) -> None:
    saved = arrays_of(trained[model])
    shapes = {name: array.shape for name, array in saved.items()}
    assert shapes == dict.fromkeys(("original", "input", "output"), (10, 28, 28))
    assert len(figures_of(trained[model])) == 1


def test_the_learning_rate_rises_for_two_epochs_of_few_images_and_200_steps_of_many() -> None:
    for count, batch_size, last in ((2_000, 100, 38), (400, 1, 200)):
        images = np.zeros((count, 28, 28), np.uint8)
        trainable = ImageTrainable(
            build_autoencoder(0), images, noise=0.0, batch_size=batch_size, learning_rate=0.01, seed=0
        )
        rates = [trainable._schedule.at(step) for step in range(300)]
        assert 1 + int(np.argmax(rates)) == last
