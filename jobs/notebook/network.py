"""Loads the network of a training job: the only thing here that loads TensorFlow and Keras."""

import importlib.util
import os
from typing import Any

from jobs.errors import JobConflict, MissingPart
from jobs.models import import_part, lacking, parameters_of
from jobs.store.job_folder import MODEL, JobFolder
from jobs.wording import with_article

PART, FUNCTION = "saved_model", "load_model"


def load_model(folder: JobFolder, kind: str) -> Any:
    """The Keras model of a finished training job.

    Its wing builds the network from code and reads only weights, so that no file of a stranger runs code.

    Args:
        folder: of the job.
        kind: the job's model and action.

    Raises:
        JobConflict: it left no model.
        InvalidJob: this version does not know its model.
        MissingPart: TensorFlow is not installed.
        InvalidModel: the model's wing does not say how its networks are loaded.
        DamagedFolder: the weights cannot be read.
    """
    model, _, action = kind.partition(" ")
    if action != "train" or not os.path.lexists(folder.path / MODEL):
        raise JobConflict(
            "job",
            expected="a training job that left a model",
            given=f"{folder.id}, {with_article(kind)} job",
        )
    parameters_of(model, action)
    if importlib.util.find_spec("tensorflow") is None:
        raise MissingPart(
            "tensorflow is not installed, and a network needs it",
            hint="install it: `pip install 'quartet[worker]'`",
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    wing = import_part(model, PART)
    load = getattr(wing, FUNCTION, None)
    if load is None:
        raise lacking(model, PART, f"a function {FUNCTION}(folder)")
    return load(folder)
