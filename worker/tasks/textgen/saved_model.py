"""Loads a trained network in a notebook: `job.load_model()`."""

import keras

from jobs.store.job_folder import MODEL, JobFolder
from worker.tasks.textgen.artifacts import read_network
from worker.tasks.textgen.network import build
from worker.training.saved_weights import load_weights


def load_model(folder: JobFolder) -> keras.Model:
    """The network of a finished training job; `vocabulary.json` says which character each number is.

    Raises:
        InvalidData: the folder has no vocabulary.
        DamagedFolder: a file of it is damaged, or its weights are not finite numbers.
    """
    _, shape = read_network(folder)
    model = build(*shape)
    load_weights(model, folder.path / MODEL)
    return model
