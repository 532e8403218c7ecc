"""Trains the network of an image model, and saves the files of a training job."""

import keras
import numpy as np

from jobs.store.job_folder import MODEL
from worker.context import JobContext
from worker.images.arrays import Floats, as_bytes, flat, one_of_each_digit, with_noise
from worker.images.artifacts import CODE_FILE, SHOWN_IMAGES, save_images
from worker.images.code_distribution import CodeDistribution
from worker.images.image_sets import Images, LabelledImages
from worker.images.network import PREDICTION_BATCH, build_autoencoder, encoder_of, predict
from worker.images.parameters import ImageTraining
from worker.images.pixels import Pixels
from worker.images.training import ImageTrainable, held_out_for_validation
from worker.training.compile_cache import cached
from worker.training.loop import fit

CODED_IMAGES = 10_000
"""The most training images whose codes a distribution is fitted to."""


def train_network(
    context: JobContext,
    images: Images,
    parameters: ImageTraining,
    *,
    noise: float,
    seed: int,
    history_file: str = "history.csv",
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train a network from scratch or from the job's checkpoint.

    Args:
        context: of the job; its checkpoint, progress and stop are used.
        images: n training images.
        parameters: epochs, batch size and learning rate.
        noise: standard deviation of the noise in the input, pixels being in [0, 1].
        seed: of initial weights, order and noise.
        history_file: where the history is written.

    Returns:
        The network, and its history, a row for each epoch.

    Raises:
        Cancelled: a stop was requested; the checkpoint is kept.
        JobFailed: training diverged.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training job.
    """
    model = build_autoencoder(seed)
    batch_size, learning_rate = parameters.batch_size, parameters.learning_rate
    trainable = cached(
        (ImageTrainable, images.record["sha256"], noise, batch_size, learning_rate),
        images.train.nbytes,
        lambda: ImageTrainable(
            model, images.train, noise=noise, batch_size=batch_size, learning_rate=learning_rate, seed=seed
        ),
        restart=lambda earlier: earlier.restart(model.get_weights(), seed),
    )
    return trainable.model, fit(context, trainable, parameters.epochs, history_file=history_file)


def save_training(
    context: JobContext, model: keras.Model, images: Images, history: list[dict[str, float]], noise: float
) -> dict[str, float]:
    """Write the network, the distribution of its codes, and a few validation images to show.

    Args:
        context: of the job, whose folder they are written into.
        model: the trained network.
        images: what it was trained on.
        history: a row for each epoch.
        noise: standard deviation of the noise in the input, pixels being in [0, 1].

    Returns:
        The metrics of a training job.
    """
    model.save(context.folder / MODEL)
    train = LabelledImages(images.train, images.train_labels)
    some = train.rows(slice(None, None, -(-len(images.train) // CODED_IMAGES)))
    codes = _codes(model, some.images, noise, [context.spec.seed, 10])
    CodeDistribution.fit(codes, some.labels).write(context.folder / CODE_FILE)

    held_out = train.rows(held_out_for_validation(len(images.train)))
    originals = held_out.images[one_of_each_digit(held_out.labels, len(held_out.images), SHOWN_IMAGES)]
    inputs = with_noise(flat(originals), noise, [context.spec.seed, 11])
    outputs = predict(model, inputs)
    save_images(context, original=originals, input=as_bytes(inputs), output=as_bytes(outputs))
    return {"validation_bce": history[-1]["validation_loss"], "training_bce": history[-1]["loss"]}


def _codes(model: keras.Model, images: Pixels, noise: float, seed: list[int]) -> Floats:
    """The codes (n, 32) of images (n, 28, 28) with noise, a few thousand images at a time."""
    encoder, rng = encoder_of(model), np.random.default_rng(seed)
    parts = [
        predict(encoder, with_noise(flat(images[first : first + PREDICTION_BATCH]), noise, rng))
        for first in range(0, len(images), PREDICTION_BATCH)
    ]
    return np.concatenate(parts)
