"""Loads a trained network in a notebook: `job.load_model()`."""

import keras

from jobs.store.job_folder import MODEL, JobFolder
from worker.tasks.sentiment.artifacts import VOCABULARY
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.vocabulary import Vocabulary
from worker.training.saved_weights import load_weights


def load_model(folder: JobFolder) -> keras.Model:
    """The network of a finished training job; `vocabulary.json` says which token each word is.

    Raises:
        InvalidData: its vocabulary was written by another version of the tokeniser.
        DamagedFolder: a file of it is damaged, or its weights are not finite numbers.
    """
    model = build_sentiment(Vocabulary.read(folder.path / VOCABULARY).vocab_size, seed=0)
    load_weights(model, folder.path / MODEL)
    return model
