"""The parameters of the autoencoder's jobs."""

from jobs.parameters import Evaluation
from worker.images.parameters import ImageGeneration, ImageTraining, OnImages


class Train(ImageTraining):
    """Train 784 → 32 → 784 to reproduce its input."""


class Evaluate(Evaluation, OnImages):
    """Measure BCE, MSE and PSNR on the test images; show the code and the worst reconstructions."""


class Generate(ImageGeneration):
    """Reconstruct images; decode interpolations between two digits and samples of the code."""
