"""The parameters of the denoiser's jobs."""

from jobs.parameters import JobReference, number, training_of
from worker.images.parameters import ImageEvaluation, ImageGeneration, ImageTraining


class Train(ImageTraining):
    """Train 784 → 32 → 784 to remove Gaussian noise, drawn once as 10,240 images and shifted each epoch."""

    noise: float = number(0.5, "noise added to the input, then clipped to [0, 1]", "std", ge=0, le=5)


class Evaluate(ImageEvaluation):
    """Compare noisy, basic autoencoder and denoised images over a range of noise levels."""

    noise: float = number(0.5, "noise level of the headline numbers", "std", ge=0, le=5)
    baseline: JobReference | None = training_of(
        "autoencoder",
        "a training job of `autoencoder` to compare with; without it one is trained in this job",
    )


class Generate(ImageGeneration):
    """Denoise images; decode interpolations between two digits and samples of the code."""

    noise: float | None = number(
        None,
        "noise added first; without it 0.5 for a named dataset, 0 for your own images",
        "std",
        ge=0,
        le=5,
    )
