"""What any image model must beat: the mean training image as the output, whatever the input."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.special import entr

from jobs.store.job_folder import JobFolder
from worker.context import JobContext
from worker.images.arrays import Floats
from worker.images.pixels import PIXELS, Pixels
from worker.images.quality import cross_entropy, errors, in_batches
from worker.training.plain_arrays import open_arrays

FILE = "mean_image.npz"

LEAST_GAIN = 0.02
"""A network that comes less than this share of the way from the baseline to a perfect output is called no
better: one whose code is dead ends at the mean image, give or take as much."""

_MOST_BYTES = 1 << 16


def mean_image(images: Pixels, without: Pixels | None = None) -> Floats:
    """The mean of training images and one grey image: float32 (784,) in (0, 1).

    The grey image keeps each pixel from being certainly black or white, so that its cross-entropy on other
    images is finite.

    Args:
        images: uint8 (n, 28, 28).
        without: those of them that do not count; none, if it is left out.
    """
    left_out = images[:0] if without is None else without
    sums = images.sum(axis=0, dtype=np.int64) - left_out.sum(axis=0, dtype=np.int64)
    count = len(images) - len(left_out)
    mean: Floats = ((sums.reshape(PIXELS) / 255 + 0.5) / (count + 1)).astype(np.float32)
    return mean


def write_mean(folder: Path, mean: Floats) -> None:
    """Write the mean image (784,) into the staging folder of a training job."""
    np.savez(folder / FILE, allow_pickle=False, mean=mean)


def read_mean(source: JobFolder) -> Floats | None:
    """Read what `write_mean` wrote; None where a training job before version 0.2 did not.

    Raises:
        DamagedFolder: the file is there and cannot be read.
    """
    try:
        with open_arrays(source.path / FILE, _MOST_BYTES, "a mean image") as stored:
            mean: Floats = stored.read_finite("mean")
            if mean.shape != (PIXELS,) or mean.dtype != np.float32 or not ((mean > 0) & (mean < 1)).all():
                raise ValueError("no mean of images")
            return mean
    except FileNotFoundError:
        return None


def baseline_errors(clean: Floats, mean: Floats | None) -> dict[str, Floats]:
    """Compare the mean training image, and a perfect output, with each clean image.

    Args:
        clean: float32 (n, 784) in [0, 1].
        mean: float32 (784,) in (0, 1), as `read_mean` returns it.

    Returns:
        Arrays (n,): `baseline_bce`, in nats per pixel; `baseline_<measure>` for those of `errors`; and
        `lowest_bce`, the cross-entropy of a perfect output, which is above 0 where pixels are grey. Nothing
        where there is no mean.
    """
    if mean is None:
        return {}
    logits = np.log(mean) - np.log1p(-mean)

    def measured(images: Floats) -> dict[str, Floats]:
        of_mean = errors(images, np.broadcast_to(mean, images.shape))
        return {
            "baseline_bce": cross_entropy(images, logits),
            **{f"baseline_{name}": values for name, values in of_mean.items()},
            "lowest_bce": (entr(images) + entr(1 - images)).mean(axis=1),
        }

    return in_batches(measured, clean)


def warn_if_no_better(
    context: JobContext, metrics: Mapping[str, float], images: str, remedy: str = ""
) -> None:
    """Warn if a network is no better than the mean training image.

    Args:
        context: of the job.
        metrics: `bce` of the network, `baseline_bce` and `lowest_bce`; without the latter, nothing is done.
        images: what they were measured on: `validation images`.
        remedy: a sentence that ends the warning.
    """
    if "baseline_bce" not in metrics:
        return
    bce, baseline = metrics["bce"], metrics["baseline_bce"]
    gain = baseline - bce
    if gain > 0 and gain >= LEAST_GAIN * (baseline - metrics["lowest_bce"]):
        return
    context.warn(
        f"The network is {'hardly' if gain > 0 else 'no'} better than an output that is always the mean "
        f"training image: its binary cross-entropy on the {images} is {bce:.4f} nats per pixel, that of the "
        f"mean training image {baseline:.4f}." + (remedy and f" {remedy}")
    )
