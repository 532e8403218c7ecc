"""What is recomputed of the image models: by Keras, SciPy, scikit-learn and TensorFlow's own measures."""

import hashlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.ndimage import gaussian_filter
from scipy.special import entr

from jobs.store.job_folder import JobFolder

TRAINING = {"epochs": 3, "batch_size": 32}
SEED = 3
TRAINING_PART, TEST_PART = 4_000, 1_000

Array = np.ndarray[Any, Any]


def make_data(mnist: Path, path: Path, seen: int = 0) -> Path:
    """Write some of MNIST as a file of its own; `seen` of the test images are training images."""
    with np.load(mnist) as all_of:
        x_test, y_test = all_of["x_test"][:TEST_PART].copy(), all_of["y_test"][:TEST_PART].copy()
        x_test[:seen], y_test[:seen] = all_of["x_train"][:seen], all_of["y_train"][:seen]
        train = all_of["x_train"][:TRAINING_PART], all_of["y_train"][:TRAINING_PART]
    np.savez(path, x_train=train[0], y_train=train[1], x_test=x_test, y_test=y_test)
    return path


def arrays(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def values(images: Array) -> Array:
    """Images as the network takes them, (n, 784) in [0, 1]."""
    return (images.reshape(len(images), -1) / 255).astype(np.float32)


def with_noise(clean: Array, noise: float, seed: int) -> Array:
    normals = np.random.RandomState(seed).normal(0, 1, clean.shape)
    return np.clip(clean + noise * normals, 0, 1).astype(np.float32)


def is_trained_on(folder: JobFolder, images: Array) -> Array:
    """Which images are training examples, as the folder of the training job states: (n,)."""
    digests = arrays(folder.path / "training_examples.npz")["digests"]
    own = [
        int.from_bytes(hashlib.blake2b(image.tobytes(), digest_size=8).digest(), "little") for image in images
    ]
    return np.isin(np.array(own, np.uint64), digests)


class Network:
    """The network of a training job, loaded by Keras alone."""

    def __init__(self, folder: JobFolder) -> None:
        self.model = keras.saving.load_model(folder.path / "model.keras", compile=False)
        self.encoder = keras.Model(self.model.inputs, self.model.layers[-2].output)
        self.kernel, self.bias = (np.float64(weight) for weight in self.model.layers[-1].get_weights())

    def output(self, inputs: Array) -> Array:
        return np.asarray(self.model.predict(inputs, verbose=0))

    def codes(self, inputs: Array) -> Array:
        return np.asarray(self.encoder.predict(inputs, verbose=0))

    def decoded(self, codes: Array) -> Array:
        return 1 / (1 + np.exp(-(np.float64(codes) @ self.kernel + self.bias)))

    def bce(self, inputs: Array, clean: Array) -> Array:
        """Nats per pixel of each image, (n,)."""
        return cross_entropy(clean, np.float64(self.codes(inputs)) @ self.kernel + self.bias)


def cross_entropy(clean: Array, logits: Array) -> Array:
    return np.mean(np.logaddexp(0, logits) - clean * logits, axis=1)


def errors(clean: Array, images: Array) -> dict[str, float]:
    """The means over the images of what is said of each."""
    return {name: float(of_images.mean()) for name, of_images in errors_of_each(clean, images).items()}


def errors_of_each(clean: Array, images: Array) -> dict[str, Array]:
    return {
        "mse": np.square(np.float64(clean) - images).mean(axis=1),
        "psnr_db": psnr(clean, images),
        "ssim": ssim(clean, images),
    }


def psnr(clean: Array, images: Array) -> Array:
    pair = (np.float32(array).reshape(-1, 28, 28, 1) for array in (clean, images))
    return np.minimum(tf.image.psnr(*pair, max_val=1.0).numpy(), 100)


def tensorflow_ssim(clean: Array, images: Array) -> float:
    pair = (np.float32(array).reshape(-1, 28, 28, 1) for array in (clean, images))
    return float(tf.reduce_mean(tf.image.ssim(*pair, max_val=1.0)))


def ssim(clean: Array, images: Array) -> Array:
    """Wang et al. (2004) by SciPy's Gaussian filter: `tensorflow_ssim` takes a hundred times as long."""
    x, y = (np.float64(array).reshape(-1, 28, 28) for array in (clean, images))

    def mean(of: Array) -> Array:
        return gaussian_filter(of, 1.5, radius=5, axes=(1, 2))[:, 5:-5, 5:-5]

    mx, my = mean(x), mean(y)
    covariance, variances = mean(x * y) - mx * my, mean(x * x) - mx**2 + mean(y * y) - my**2
    alike = (2 * mx * my + 1e-4) * (2 * covariance + 9e-4)
    return (alike / ((mx**2 + my**2 + 1e-4) * (variances + 9e-4))).mean(axis=(1, 2))


def mean_image(training: Array) -> Array:
    """The mean of training images and one grey image, (784,)."""
    return np.concatenate([values(training), np.full((1, 784), 0.5)]).mean(axis=0, dtype=np.float64)


def baseline(clean: Array, training: Array) -> dict[str, float]:
    """What an output has that is always the mean training image."""
    mean = mean_image(training)
    constant = np.broadcast_to(mean, clean.shape)
    pixels = -(clean * np.log(mean) + (1 - clean) * np.log1p(-mean))
    return {
        "baseline_bce": float(pixels.mean()),
        **{f"baseline_{name}": value for name, value in errors(clean, constant).items()},
        "lowest_bce": float((entr(np.float64(clean)) + entr(1 - np.float64(clean))).mean()),
    }


def learning_rate(steps: int, of_each_epoch: int) -> float:
    """Of the last of so many steps, as the parameters' help and the report describe it."""
    return 3e-3 * min(1, steps / min(200, 2 * of_each_epoch)) / (1 + (steps - 1) / 1_000) ** 0.5
