"""The images that a job reads: those it names, else those that its training job read."""

from jobs.spec import JobSpec
from worker.context import JobContext
from worker.images.datasets import load_images
from worker.images.image_sets import Images
from worker.images.inference_inputs import InferenceInputs, load_inputs


def trained_as(context: JobContext) -> JobSpec:
    """The spec of the training job that `--from` names.

    Raises:
        InvalidJob: a version of Quartet with other parameters wrote it.
    """
    return JobSpec.parse(context.source.job["spec"])


def images_for(context: JobContext) -> Images:
    """Load the images to train or to test on, and record them.

    Args:
        context: of the job.

    Raises:
        InvalidData: they cannot be used.
        InvalidJob: a version of Quartet with other parameters wrote the training job.
    """
    images = load_images(context.data_to_read(), context.settings)
    record_data(context, images)
    return images


def inputs_for(context: JobContext, count: int) -> InferenceInputs:
    """Load images to send through the network, and record them.

    Args:
        context: of the job.
        count: how many to take, the first ones; at least 1.

    Returns:
        k ≤ `count` images.

    Raises:
        InvalidData: they cannot be used.
        InvalidJob: a version of Quartet with other parameters wrote the training job.
    """
    inputs = load_inputs(context.data_to_read(), context.settings, count)
    record_data(context, inputs)
    return inputs


def record_data(context: JobContext, data: Images | InferenceInputs) -> None:
    """Record in `job.json` what was read, and in the report what was done to it.

    Args:
        context: of the job.
        data: what was read.
    """
    context.data[str(data.record["name"])] = dict(data.record)
    for note in data.notes:
        context.note(note)
