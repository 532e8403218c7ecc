"""The images that a job reads: those it names, else those that its training job read."""

from collections.abc import Sequence

from jobs.errors import DamagedFolder
from jobs.models import datasets
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.job_folder import JobFolder
from worker.context import JobContext
from worker.images.appearance import DARK_ON_LIGHT, MIXED, contrary_notes, polarity
from worker.images.artifacts import saved_images
from worker.images.datasets import load_images
from worker.images.image_sets import Images
from worker.images.inference_inputs import InferenceInputs, load_inputs
from worker.images.parameters import ImageGeneration
from worker.images.pixels import Pixels

FROM_DATASET = 10
"""Images that are taken from a dataset where a job does not say how many."""


def trained_as(context: JobContext) -> JobSpec:
    """The spec of the training job that `--from` names, with the values that it ran with.

    Raises:
        InvalidJob: a version of Quartet with other parameters wrote it, and the model does not migrate them.
    """
    return StoredSpec.as_it_ran(context.source.job)


def images_for(context: JobContext) -> Images:
    """Load the images to train or to test on, and record them.

    Args:
        context: of the job.

    Raises:
        InvalidData: they cannot be used.
        InvalidJob: a version of Quartet with other parameters wrote the training job.
    """
    if "from" not in context.sources:
        images = load_images(context.data_to_read(), context.settings, skip=skips(context))
        record_data(context, images)
        if polarity(images.train) == DARK_ON_LIGHT:
            context.note("The images look dark on light; the model will expect images that look like them.")
        return images
    trained_on = frozenset(record["sha256"] for record in context.source.job["data"].values())
    images = load_images(context.data_to_read(), context.settings, trained_on, skip=skips(context))
    record_data(context, images)
    _compare_looks(context, images.test)
    return images


def inputs_for(context: JobContext, count: int | None) -> InferenceInputs:
    """Load images to send through the network, and record them.

    Args:
        context: of the job.
        count: how many to take, the first ones; at least 1. Without it, and without `--limit`, all of a
            person's own images and `FROM_DATASET` of a dataset.

    Returns:
        The images, `count` or `--limit` at most.

    Raises:
        InvalidData: they cannot be used.
        InvalidJob: a version of Quartet with other parameters wrote the training job.
    """
    parameters, brought = context.spec.parameters, context.spec.data
    if isinstance(parameters, ImageGeneration):
        count = parameters.limit or count
    if count is None and (brought is None or brought in datasets()):
        count = FROM_DATASET
    inputs = load_inputs(context.data_to_read(), context.settings, count, skip=skips(context))
    record_data(context, inputs)
    _compare_looks(context, inputs.images, inputs.names)
    return inputs


def skips(context: JobContext) -> bool:
    """Whether a job leaves out image files that cannot be read; on data of its training job, as that did."""
    if context.spec.data is None and "from" in context.sources:
        return bool(context.source.job["spec"].get("parameters", {}).get("on_bad_row") == "skip")
    return getattr(context.spec.parameters, "on_bad_row", "refuse") == "skip"


def classes_of_training(source: JobFolder) -> tuple[str, ...]:
    """The names of the classes, by label, that a training job's images show; empty where they are digits."""
    return next(
        (tuple(record["classes"]) for record in source.job["data"].values() if "classes" in record), ()
    )


def record_data(context: JobContext, data: Images | InferenceInputs) -> None:
    """Record in `job.json` what was read, and in the report what was done to it.

    Args:
        context: of the job.
        data: what was read.
    """
    name, record = str(data.record["name"]), dict(data.record)
    before = context.data.get(name)
    if before is not None and before["sha256"] != record["sha256"]:  # two files of one name
        name = str(record["path"])
    context.data[name] = record
    for note in data.notes:
        context.note(note)


def _compare_looks(context: JobContext, images: Pixels, names: Sequence[str] = ()) -> None:
    """Say which images look otherwise than those that the model of `--from` was trained on."""
    found = contrary_notes(images, looks_of_training(context.source), names)
    if found is not None:
        sentence, of_many = found
        (context.warn if of_many else context.note)(sentence)


def looks_of_training(source: JobFolder) -> str:
    """The polarity of the images that a training job read, by those that it saved for its report."""
    try:
        return polarity(saved_images(source)["original"])
    except (DamagedFolder, OSError, KeyError):
        return MIXED
