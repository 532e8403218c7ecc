"""Measures reconstructions, and lays the code out in two dimensions."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from worker.context import JobContext
from worker.images.arrays import Floats, as_bytes, flat, one_of_each_digit
from worker.images.artifacts import SHOWN_IMAGES
from worker.images.image_sets import Images
from worker.images.network import encoder_of, predict
from worker.images.pixels import Pixels
from worker.images.quality import network_errors
from worker.images.trivial_baseline import baseline_errors

MOST_POINTS = 3_000
"""Codes that are drawn; more would only hide each other."""

BATCH = 10_000


def measure(
    context: JobContext, model: keras.Model, images: Pixels, mean: Floats | None
) -> tuple[dict[str, Floats], Floats]:
    """Compare images with their reconstructions, and with the mean training image.

    Args:
        context: of the job; its progress and stop are used.
        model: the network.
        images: uint8 (n, 28, 28).
        mean: float32 (784,) of the training images, if there is one.

    Returns:
        Arrays (n,), those of `network_errors` and of `baseline_errors`; and the codes float32 (n, 32).

    Raises:
        Cancelled: a stop was requested.
    """
    encoder = encoder_of(model)
    measured: list[dict[str, Floats]] = []
    codes: list[Floats] = []
    for first in range(0, len(images), BATCH):
        context.check_stop()
        context.progress(stage="measuring", step=first, steps=len(images))
        clean = flat(images[first : first + BATCH])
        measured.append(network_errors(model, clean, clean) | baseline_errors(clean, mean))
        codes.append(predict(encoder, clean))
    whole = {name: np.concatenate([part[name] for part in measured]) for name in measured[0]}
    return whole, np.concatenate(codes)


def example_arrays(model: keras.Model, images: Images, mse: Floats) -> dict[str, NDArray[Any]]:
    """What a report shows of the reconstructions: one of each digit, and the worst.

    Args:
        model: the network.
        images: m test images.
        mse: the mean squared error (m,) of each.

    Returns:
        `original`, `output`, `worst_original` and `worst_output`, uint8 (k, 28, 28); `worst_mse` (k,) and
        `worst_index` (k,), the place among the test images.
    """
    shown = images.test[one_of_each_digit(images.test_labels, len(images.test), SHOWN_IMAGES)]
    worst = np.argsort(-mse, kind="stable")[:SHOWN_IMAGES]
    return {
        "original": shown,
        "output": as_bytes(predict(model, flat(shown))),
        "worst_original": images.test[worst],
        "worst_output": as_bytes(predict(model, flat(images.test[worst]))),
        "worst_mse": mse[worst],
        "worst_index": worst,
    }


def code_arrays(model: keras.Model, images: Images, codes: Floats, seed: int) -> dict[str, NDArray[Any]]:
    """What a report shows of the code.

    Args:
        model: the network.
        images: m test images.
        codes: float32 (m, 32).
        seed: of the choice of points.

    Returns:
        `units` (32, 784), the decoder's weights; `unit_std` (32,), how much each unit varies; `points`
        (p, 2), codes on their first two principal components; `point_labels` (p,), digits, or -1 without
        labels; `classes`, their names by label, none for digits; `variance` (2,), the components' shares of
        the variance.
    """
    points, variance = principal_components(codes)
    chosen = np.random.default_rng([seed, 30]).permutation(len(codes))[:MOST_POINTS]
    labels = np.full(len(codes), -1) if images.test_labels is None else images.test_labels
    return {
        "units": np.asarray(model.get_layer("reconstruction").kernel),
        "unit_std": codes.std(axis=0),
        "points": points[chosen],
        "point_labels": labels[chosen],
        "classes": np.array(images.classes, "U"),
        "variance": variance,
    }


def principal_components(codes: Floats) -> tuple[Floats, Floats]:
    """Project codes onto their first two principal components.

    Args:
        codes: float32 (n, 32).

    Returns:
        Points float32 (n, 2), and the components' shares (2,) of the variance.
    """
    centred = codes - codes.mean(axis=0)
    variances, directions = np.linalg.eigh(centred.T @ centred)
    first_two = directions[:, [-1, -2]]
    # Both a direction and its opposite are right: the larger part is made positive.
    first_two *= np.sign(first_two[np.abs(first_two).argmax(axis=0), [0, 1]])
    shares = variances[[-1, -2]] / max(float(variances.sum()), 1e-12)
    return centred @ first_two, shares.astype(np.float32)
