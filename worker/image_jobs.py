"""What jobs of both image models share: their data, training a network, reading a trained one."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from jobs.folder import JobFolder
from jobs.spec import AutoencoderTrain, DenoiserTrain
from worker.data.images import Images, load_images
from worker.image_training import ImageTraining
from worker.models.autoencoder import PIXELS, build_autoencoder
from worker.run import Run
from worker.training import fit

PREDICTION_BATCH = 4_096


def images_for(run: Run) -> Images:
    """The images this job names, else those its training was on, else MNIST; recorded and noted.

    Raises:
        InvalidData: they cannot be used.
    """
    name = run.spec.data
    if name is None and "from" in run.sources:
        name = run.source.job["spec"]["data"]
    images = load_images(name, run.settings)
    run.data[images.name] = dict(images.record)
    for note in images.notes:
        run.note(note)
    return images


def train_network(
    run: Run, images: Images, parameters: AutoencoderTrain | DenoiserTrain, noise: float
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train a network from scratch or from the run's checkpoint; return it with its history.

    Raises:
        Cancelled: the run was asked to stop.
    """
    model = build_autoencoder(run.spec.seed)
    trainable = ImageTraining(
        model,
        images.train,
        noise=noise,
        batch_size=parameters.batch_size,
        learning_rate=parameters.learning_rate,
        seed=run.spec.seed,
    )
    return model, fit(run, trainable, parameters.epochs)


def load_network(folder: JobFolder) -> keras.Model:
    """The network of a finished training: built by our code, its weights alone read from the folder."""
    model = build_autoencoder(0)
    model.load_weights(folder.path / "model.keras")
    return model


def flat(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images uint8 (n, 28, 28) as the network takes them: float32 (n, 784) in [0, 1]."""
    scaled: NDArray[np.float32] = images.reshape(len(images), PIXELS).astype(np.float32) / 255
    return scaled


def predict(model: keras.Model, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a model makes of rows (n, …), a few thousand at a time."""
    parts: list[Any] = [
        np.asarray(model(values[first : first + PREDICTION_BATCH]))
        for first in range(0, len(values), PREDICTION_BATCH)
    ]
    return np.concatenate(parts)
