"""The autoencoder: train it to reproduce digits, measure it, reconstruct images with it."""

from worker.context import JobContext
from worker.images.arrays import flat
from worker.images.artifacts import save_images
from worker.images.generation import generate_images, parameters_of
from worker.images.job_data import images_for, inputs_for
from worker.images.network import load_network
from worker.images.quality import means, network_errors
from worker.images.training_job import save_training, train_network
from worker.images.trivial_baseline import baseline_errors, read_mean, warn_if_no_better
from worker.images.unseen import unseen_quality
from worker.tasks.autoencoder.evaluation import code_arrays, example_arrays, measure
from worker.tasks.autoencoder.spec import Train


def train(context: JobContext) -> dict[str, float]:
    """Train 784 → 32 → 784 to reproduce its input.

    Raises:
        InvalidData: the images cannot be used.
        Cancelled: a stop was requested; the checkpoint is kept.
        JobFailed: training diverged.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training job.
    """
    spec = context.spec
    assert isinstance(spec.parameters, Train)
    images = images_for(context)
    model, history = train_network(context, images, spec.parameters, noise=0.0, seed=spec.seed)
    return save_training(context, model, images, history, noise=0.0)


def evaluate(context: JobContext) -> dict[str, float]:
    """Measure the reconstructions of the test images; save examples, the worst ones, and the code.

    Raises:
        InvalidData: the images cannot be used.
        InvalidJob: a version of Quartet with other parameters wrote the training job.
        Cancelled: a stop was requested.
    """
    images = images_for(context)
    model = load_network(context.source)
    measured, codes = measure(context, model, images.test, read_mean(context.source))
    save_images(
        context,
        **example_arrays(model, images, measured["mse"]),
        **code_arrays(model, images, codes, context.spec.seed),
    )
    metrics = means(measured) | unseen_quality(context, images.test, {"bce": measured["bce"]})
    warn_if_no_better(context, metrics, "test images")
    return metrics | {"images": float(len(images.test))}


def generate(context: JobContext) -> dict[str, float]:
    """Reconstruct images; decode interpolations and samples of the code.

    Raises:
        InvalidData: the images cannot be used.
        InvalidJob: a version of Quartet with other parameters wrote the training job.
        Cancelled: a stop was requested.
    """
    inputs = inputs_for(context, parameters_of(context).count)
    values = flat(inputs.images)
    _, counts = generate_images(context, inputs, values, "reconstructed")
    measured = network_errors(load_network(context.source), values, values)
    measured |= baseline_errors(values, read_mean(context.source))
    metrics = means(measured) | unseen_quality(context, inputs.images, {"bce": measured["bce"]})
    warn_if_no_better(context, metrics, "given images")
    return metrics | counts
