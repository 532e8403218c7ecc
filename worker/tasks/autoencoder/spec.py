"""The parameters of the autoencoder's jobs."""

from worker.images.parameters import ImageEvaluation, ImageGeneration, ImageTraining


class Train(ImageTraining):
    """Train 784 → 32 → 784 to reproduce its input."""


class Evaluate(ImageEvaluation):
    """Measure BCE, MSE and PSNR on the test images; show the code and the worst reconstructions."""


class Generate(ImageGeneration):
    """Reconstruct images; decode interpolations between two digits and samples of the code."""
