"""`kind_of_worker`: identifies all workers that understand the same jobs."""

import hashlib
import json
from functools import cache
from importlib.metadata import version

from jobs.errors import InvalidModel
from jobs.models import model_names, parameters_of
from jobs.parameters import ACTIONS
from jobs.specs.stored_spec import SCHEMA
from worker.engine.loaded_code import loaded_checksum


@cache
def kind_of_worker() -> str:
    """The version of Quartet and a digest of what decides which jobs it understands.

    A job that one worker does not understand waits for a worker of another kind. The digest is of the models'
    parameters, as this process has loaded them; of their code, since it reads the parameters of earlier
    versions; and of the number of the records' schema.
    """
    digest = hashlib.sha256(str(SCHEMA).encode())
    for model in model_names():
        digest.update(f"{model} {loaded_checksum(model)}\n".encode())
        for action in ACTIONS:
            digest.update(f"{model} {action} {_schema(model, action)}\n".encode())
    return f"{version('quartet')}-{digest.hexdigest()[:12]}"


def _schema(model: str, action: str) -> str:
    try:
        return json.dumps(parameters_of(model, action).model_json_schema(), sort_keys=True)
    except InvalidModel as error:
        return str(error)
