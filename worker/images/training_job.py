"""Trains the network of an image model, and saves the files of a training job."""

from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import keras
import numpy as np
from numpy.typing import NDArray

from jobs.store.job_folder import HISTORY, MODEL
from worker.context import JobContext
from worker.images.arrays import Floats, as_bytes, flat, one_of_each_digit, with_noise
from worker.images.artifacts import CODE_FILE, SHOWN_IMAGES, save_images
from worker.images.code_distribution import CodeDistribution
from worker.images.image_sets import Images, LabelledImages
from worker.images.network import PREDICTION_BATCH, build_autoencoder, encoder_of, predict
from worker.images.parameters import ImageTraining
from worker.images.pixels import Pixels
from worker.images.quality import means
from worker.images.training import ImageTrainable, held_out_for_validation
from worker.images.trivial_baseline import baseline_errors, mean_image, warn_if_no_better, write_mean
from worker.images.unseen import digests
from worker.training.compile_cache import cached
from worker.training.loop import fit
from worker.training.seen_examples import Digests, write_seen

CODED_IMAGES = 10_000
"""The most training images whose codes a distribution is fitted to."""

STILL_FALLING = "The training loss was still falling in the last epoch: train for more epochs."
ONE_EPOCH = "One epoch may be too few: train for more epochs."

DIVERGED = 0.1
"""Training diverged where the last epoch has lost this share of what the best one had gained on the
mean training image."""


def train_network(
    context: JobContext,
    images: Images,
    parameters: ImageTraining,
    *,
    noise: float,
    seed: int,
    history_file: str = HISTORY,
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
        (ImageTrainable, images.record["sha256"], noise, batch_size),
        images.train.nbytes,
        lambda: ImageTrainable(
            model, images.train, noise=noise, batch_size=batch_size, learning_rate=learning_rate, seed=seed
        ),
        restart=lambda earlier: earlier.restart(model.get_weights(), seed, learning_rate),
    )
    return trainable.model, fit(context, trainable, parameters.epochs, history_file=history_file)


def save_training(
    context: JobContext, model: keras.Model, images: Images, history: list[dict[str, float]], noise: float
) -> dict[str, float]:
    """Write the network and what later jobs need beside it; warn of a training run that led nowhere.

    Besides the network these are the distribution of its codes, the mean of its training images, the digests
    of these and of its validation images, and a few validation images to show.

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
    context.report_model(model)
    held_out = held_out_for_validation(len(images.train))
    _save_codes(context, model, images, noise)
    _save_examples(context, model, images, held_out, noise)

    known = _known.get(images)
    if known is None:
        known = _known[images] = _without_network(images, held_out)
    write_seen(context.folder, known.seen, known.validation)
    write_mean(context.folder, known.mean)
    baseline = known.baseline
    reached = {"bce": history[-1]["validation_loss"], **baseline}
    warn_if_no_better(context, reached, "validation images", _remedy(history))
    warn_if_diverged(context, history, baseline["baseline_bce"])
    return {
        "validation_bce": history[-1]["validation_loss"],
        "baseline_validation_bce": baseline["baseline_bce"],
        "training_bce": history[-1]["loss"],
    }


class _WithoutNetwork(NamedTuple):
    """What a training job saves of its images, whatever it trains on them.

    Attributes:
        seen: digests of the training images.
        validation: those of the validation images.
        mean: the mean training image, float32 (784,).
        baseline: how close that is to the validation images, as `baseline_errors` names it.
    """

    seen: Digests
    validation: Digests
    mean: Floats
    baseline: dict[str, float]


_known: WeakKeyDictionary[Images, _WithoutNetwork] = WeakKeyDictionary()
"""Spares the next job on the same images the work, for as long as they stay in memory."""


def _without_network(images: Images, held_out: NDArray[np.bool_]) -> _WithoutNetwork:
    # Without a copy of the training images, which may be all that fits into memory.
    own, validation = digests(images.train), images.train[held_out]
    mean = mean_image(images.train, without=validation)
    baseline = means(baseline_errors(flat(validation), mean))
    return _WithoutNetwork(own[~held_out], own[held_out], mean, baseline)


def warn_if_diverged(context: JobContext, history: Sequence[dict[str, float]], baseline_bce: float) -> None:
    """Warn if the training loss has risen far above its lowest value.

    Args:
        context: of the job.
        history: a row for each epoch.
        baseline_bce: the loss of the mean training image, nats per pixel.
    """
    best, last = min(history, key=lambda row: row["loss"]), history[-1]
    if last["loss"] - best["loss"] > DIVERGED * abs(baseline_bce - best["loss"]):
        context.warn(
            f"Training diverged: the training loss was {best['loss']:.4f} after epoch {best['epoch']:.0f} "
            f"and {last['loss']:.4f} after the last one; try a smaller --learning-rate."
        )


def _remedy(history: Sequence[dict[str, float]]) -> str:
    *before, last = (row["loss"] for row in history)
    if not before:
        return ONE_EPOCH
    return STILL_FALLING if last < min(before) else ""


def _save_codes(context: JobContext, model: keras.Model, images: Images, noise: float) -> None:
    train = LabelledImages(images.train, images.train_labels)
    some = train.rows(slice(None, None, -(-len(images.train) // CODED_IMAGES)))
    codes = _codes(model, some.images, noise, [context.spec.seed, 10])
    CodeDistribution.fit(codes, some.labels).write(context.folder / CODE_FILE)


def _save_examples(
    context: JobContext, model: keras.Model, images: Images, chosen: NDArray[np.bool_], noise: float
) -> None:
    held_out = LabelledImages(images.train, images.train_labels).rows(chosen)
    originals = held_out.images[one_of_each_digit(held_out.labels, len(held_out.images), SHOWN_IMAGES)]
    inputs = with_noise(flat(originals), noise, [context.spec.seed, 11])
    outputs = predict(model, inputs)
    save_images(context, original=originals, input=as_bytes(inputs), output=as_bytes(outputs))


def _codes(model: keras.Model, images: Pixels, noise: float, seed: list[int]) -> Floats:
    """The codes (n, 32) of images (n, 28, 28) with noise, a few thousand images at a time."""
    encoder, rng = encoder_of(model), np.random.default_rng(seed)
    parts = [
        predict(encoder, with_noise(flat(images[first : first + PREDICTION_BATCH]), noise, rng))
        for first in range(0, len(images), PREDICTION_BATCH)
    ]
    return np.concatenate(parts)
