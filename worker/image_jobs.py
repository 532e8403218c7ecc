"""What jobs of both image models share: their data, training a network, reading a trained one."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from jobs.folder import JobFolder
from jobs.spec import AutoencoderTrain, DenoiserTrain, JobSpec
from worker.code_distribution import CodeDistribution
from worker.data.images import Images, load_images
from worker.data.pictures import Pictures
from worker.data.pixels import Pixels
from worker.image_arrays import Floats, as_bytes, flat, one_of_each_digit, with_noise
from worker.image_training import ImageTraining, held_out_for_validation
from worker.kept import kept
from worker.models.autoencoder import build_autoencoder, encoder_of
from worker.run import Run
from worker.training import fit

IMAGES_FILE = "images.npz"
CODE_FILE = "code.npz"

SHOWN_IMAGES = 10
CODED_IMAGES = 10_000
"""The most training images whose codes a distribution is fitted to."""

PREDICTION_BATCH = 4_096


def trained_as(run: Run) -> JobSpec:
    """The spec of the training that `--from` names."""
    return JobSpec.parse(run.source.job["spec"])


def images_for(run: Run) -> Images:
    """The images this job names, else those its training was on, else MNIST; recorded and noted.

    Raises:
        InvalidData: they cannot be used.
    """
    name = run.spec.data
    if name is None and "from" in run.sources:
        name = trained_as(run).data
    images = load_images(name, run.settings)
    record_data(run, images)
    return images


def record_data(run: Run, data: Images | Pictures) -> None:
    """Say in `job.json` what was read, and in the report what was done to it."""
    run.data[str(data.record["name"])] = dict(data.record)
    for note in data.notes:
        run.note(note)


def train_network(
    run: Run,
    images: Images,
    parameters: AutoencoderTrain | DenoiserTrain,
    *,
    noise: float,
    seed: int,
    history_file: str = "history.csv",
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train a network from scratch or from the run's checkpoint; return it with its history.

    Args:
        run: the job; its checkpoint, progress and stop are used.
        images: their training part is trained on.
        parameters: epochs, batch size and learning rate.
        noise: standard deviation of the noise in the input, pixels being in [0, 1].
        seed: of initial weights, order and noise.
        history_file: where the history is written.

    Raises:
        Cancelled: the run was asked to stop.
        JobFailed: the training diverged.
    """
    model = build_autoencoder(seed)
    batch_size, learning_rate = parameters.batch_size, parameters.learning_rate
    trainable, new = kept(
        (ImageTraining, images.record["sha256"], noise, batch_size, learning_rate),
        images.train.nbytes,
        lambda: ImageTraining(
            model, images.train, noise=noise, batch_size=batch_size, learning_rate=learning_rate, seed=seed
        ),
    )
    if not new:
        trainable.restart(model.get_weights(), seed)
    return trainable.model, fit(run, trainable, parameters.epochs, history_file=history_file)


def save_training(
    run: Run, model: keras.Model, images: Images, history: list[dict[str, float]], noise: float
) -> dict[str, float]:
    """Write the network, the distribution of its codes, and a few validation images to show.

    Returns:
        The metrics of a training.
    """
    model.save(run.folder / "model.keras")
    some = slice(None, None, -(-len(images.train) // CODED_IMAGES))
    labels = None if images.train_labels is None else images.train_labels[some]
    codes = _codes(model, images.train[some], noise, [run.spec.seed, 10])
    CodeDistribution.fit(codes, labels).write(run.folder / CODE_FILE)

    held_out = held_out_for_validation(len(images.train))
    kept, labels = images.train[held_out], images.train_labels
    labels = None if labels is None else labels[held_out]
    originals = kept[one_of_each_digit(labels, len(kept), SHOWN_IMAGES)]
    seen = with_noise(flat(originals), noise, [run.spec.seed, 11])
    save_images(run, original=originals, input=as_bytes(seen), output=as_bytes(predict(model, seen)))
    return {"validation_bce": history[-1]["validation_loss"], "training_bce": history[-1]["loss"]}


def _codes(model: keras.Model, images: Pixels, noise: float, seed: list[int]) -> Floats:
    """The codes (n, 32) of images (n, 28, 28) with noise, a few thousand images at a time."""
    encoder, random = encoder_of(model), np.random.default_rng(seed)
    parts = [
        predict(encoder, with_noise(flat(images[first : first + PREDICTION_BATCH]), noise, random))
        for first in range(0, len(images), PREDICTION_BATCH)
    ]
    return np.concatenate(parts)


def load_network(folder: JobFolder) -> keras.Model:
    """The network of a finished training: built by our code, its weights alone read from the folder."""
    model = build_autoencoder(0)
    model.load_weights(folder.path / "model.keras")
    return model


def predict(model: keras.Model, values: Floats) -> Floats:
    """What a model makes of rows (n, …), n being 0 or more, a few thousand at a time."""
    parts: list[Any] = [
        np.asarray(model(values[first : first + PREDICTION_BATCH]))
        for first in range(0, max(1, len(values)), PREDICTION_BATCH)
    ]
    return np.concatenate(parts)


def save_images(run: Run, **arrays: NDArray[Any]) -> None:
    """Write `images.npz`, which `saved_images` reads back for the report."""
    np.savez_compressed(run.folder / IMAGES_FILE, allow_pickle=False, **arrays)


def saved_images(folder: JobFolder) -> dict[str, NDArray[Any]]:
    """The arrays of `images.npz`."""
    with np.load(folder.path / IMAGES_FILE, allow_pickle=False) as stored:
        return dict(stored)
