"""The denoiser: train it on noisy digits, compare it with a basic autoencoder, denoise images with it."""

from jobs.models import datasets
from worker.context import JobContext
from worker.images.arrays import flat, with_noise
from worker.images.artifacts import save_images
from worker.images.generation import generate_images
from worker.images.job_data import images_for, inputs_for, trained_as
from worker.images.network import load_network
from worker.images.quality import means
from worker.images.training_job import save_training, train_network
from worker.images.trivial_baseline import read_mean
from worker.images.unseen import unseen_quality
from worker.tasks.denoiser.baseline import basic_autoencoder
from worker.tasks.denoiser.evaluation import (
    compare,
    denoising_errors,
    example_arrays,
    measure_at,
    warn_of_harm,
)
from worker.tasks.denoiser.sentences import clipping
from worker.tasks.denoiser.spec import Evaluate, Generate, Train

NOISE_FOR_DATASETS = 0.5
"""What `generate` adds to the clean images of a named dataset where `--noise` is not given."""


def train(context: JobContext) -> dict[str, float]:
    """Train 784 → 32 → 784 to turn noisy images into clean ones, with other noise in every epoch.

    Each image gets a random one of 10,240 images of noise, which each epoch shifts by a random number of
    pixels (`worker.images.training.NOISE_IMAGES`).

    Raises:
        InvalidData: the images cannot be used.
        Cancelled: a stop was requested; the checkpoint is kept.
        JobFailed: training diverged.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training job.
    """
    spec, parameters = context.spec, context.spec.parameters
    assert isinstance(parameters, Train)
    images = images_for(context)
    model, history = train_network(context, images, parameters, noise=parameters.noise, seed=spec.seed)
    return save_training(context, model, images, history, noise=parameters.noise)


def evaluate(context: JobContext) -> dict[str, float]:
    """Compare the outputs of the denoiser and of a basic autoencoder for the same noisy test images.

    Raises:
        InvalidData: the images cannot be used.
        InvalidJob: a version of Quartet with other parameters wrote the training job.
        Cancelled: a stop was requested; the checkpoint of the basic autoencoder is kept.
        JobFailed: training of the basic autoencoder diverged.
        DamagedFolder: its checkpoint cannot be read, or belongs to another training job.
    """
    parameters = context.spec.parameters
    assert isinstance(parameters, Evaluate)
    images = images_for(context)
    networks = {"basic": basic_autoencoder(context), "denoised": load_network(context.source)}
    comparison = compare(context, networks, images.test, parameters.noise)
    comparison.write(context)
    save_images(context, **example_arrays(networks, images, parameters.noise, context.spec.seed))
    # The basic autoencoder is not trained any further once there is something to show.
    context.checkpoint.unlink(missing_ok=True)
    measured = measure_at(context, networks, images.test, parameters.noise, read_mean(context.source))
    metrics = means(measured) | unseen_quality(context, images.test, {"psnr_db": measured["psnr_db"]})
    if "baseline" in context.sources:
        metrics |= unseen_quality(
            context,
            images.test,
            {"basic_psnr_db": measured["basic_psnr_db"]},
            source=context.sources["baseline"],
            network="basic autoencoder",
        )
    if not parameters.noise:
        del metrics["noisy_psnr_db"]  # infinite
    warn_of_harm(context, metrics, parameters.noise, "test images")
    return metrics | {"images": float(len(images.test)), "training_noise": _training_noise(context)}


def generate(context: JobContext) -> dict[str, float]:
    """Denoise images; decode interpolations and samples of the code.

    Raises:
        InvalidData: the images cannot be used.
        InvalidJob: a version of Quartet with other parameters wrote the training job.
        Cancelled: a stop was requested.
    """
    parameters = context.spec.parameters
    assert isinstance(parameters, Generate)
    inputs = inputs_for(context, parameters.count)
    noise = parameters.noise
    if noise is None:
        noise = NOISE_FOR_DATASETS if context.data_to_read() in datasets() else 0.0
    clean = flat(inputs.images)
    noisy = with_noise(clean, noise, [context.spec.seed, 42])
    _, counts = generate_images(
        context, inputs, noisy, "denoised", lambda ends: with_noise(ends, noise, [context.spec.seed, 43])
    )
    counts["training_noise"] = _training_noise(context)
    if not noise:
        context.note(
            "No noise was added, since the images are taken to be noisy (`--noise` adds some). The network "
            f"was trained on noise of standard deviation {counts['training_noise']:g}, clipped to [0, 1]; "
            "its evaluation shows how it does at other levels, 0 among them."
        )
        return counts
    measured = denoising_errors(load_network(context.source), clean, noisy, noise, read_mean(context.source))
    metrics = means(measured) | unseen_quality(context, inputs.images, {"psnr_db": measured["psnr_db"]})
    context.note(
        f"Gaussian noise of standard deviation {noise:g} was added to the images first."
        f"{clipping(noise, metrics['noisy_mse'], metrics['clipped_share'])}"
    )
    warn_of_harm(context, metrics, noise, "given images")
    return metrics | counts


def _training_noise(context: JobContext) -> float:
    """Standard deviation of the noise that the network was trained on."""
    trained = trained_as(context).parameters
    assert isinstance(trained, Train)
    return trained.noise
