"""The basic autoencoder that a denoiser is compared with: the same network, trained without noise."""

from dataclasses import replace

import keras

from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.job_folder import JobFolder
from jobs.wording import counted
from worker.context import JobContext
from worker.images.datasets import load_images
from worker.images.job_data import record_data, trained_as
from worker.images.network import load_network
from worker.images.training_job import train_network
from worker.tasks.denoiser.spec import Train


def basic_autoencoder(context: JobContext) -> keras.Model:
    """Load the network of `--baseline`, or train one on the denoiser's images, parameters and seed.

    Raises:
        InvalidData: the denoiser's training images cannot be used any more.
        InvalidJob: a version of Quartet with other parameters wrote the denoiser's training job.
        Cancelled: a stop was requested; the checkpoint is kept.
        JobFailed: training diverged.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training job.
    """
    if "baseline" in context.sources:
        folder = context.sources["baseline"]
        _note_differences(context, folder)
        return load_network(folder)
    trained = trained_as(context)
    assert isinstance(trained.parameters, Train)
    skip = trained.parameters.on_bad_row == "skip"
    images = load_images(trained.data, context.settings, skip=skip)
    record_data(context, images)

    def report_progress(values: dict[str, float | str]) -> None:
        context.report_progress({"stage": "training a basic autoencoder", **values})

    model, _ = train_network(
        replace(context, report_progress=report_progress),
        images,
        trained.parameters,
        noise=0.0,
        seed=trained.seed,
        history_file="baseline_history.csv",
    )
    context.note(
        "The basic autoencoder was trained in this job as the denoiser was: on the same images, for "
        f"{counted(trained.parameters.epochs, 'epoch')}."
    )
    return model


def _note_differences(context: JobContext, baseline: JobFolder) -> None:
    """Note where the basic autoencoder was not trained as the denoiser was."""
    denoiser, basic = StoredSpec.as_it_ran(context.source.job), StoredSpec.as_it_ran(baseline.job)
    for what, ours, theirs in (
        ("data", denoiser.data or Train.default_data(), basic.data or Train.default_data()),
        ("epochs", _epochs(denoiser), _epochs(basic)),
    ):
        if ours != theirs:
            context.note(f"The basic autoencoder's {what}: {theirs}; the denoiser's: {ours}.")


def _epochs(training: JobSpec) -> int | None:
    return getattr(training.parameters, "epochs", None)
