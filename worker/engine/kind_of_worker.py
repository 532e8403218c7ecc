"""`kind_of_worker`: identifies all workers that understand the same jobs."""

import hashlib
import json
from functools import cache
from importlib.metadata import version

from jobs.errors import InvalidModel
from jobs.models import model_names, parameters_of
from jobs.parameters import ACTIONS


@cache
def kind_of_worker() -> str:
    """The version of Quartet and a digest of its models' parameters, as this process has loaded them.

    A job that one worker does not understand waits for a worker of another kind.
    """
    digest = hashlib.sha256()
    for model in model_names():
        for action in ACTIONS:
            digest.update(f"{model} {action} {_schema(model, action)}\n".encode())
    return f"{version('quartet')}-{digest.hexdigest()[:12]}"


def _schema(model: str, action: str) -> str:
    try:
        return json.dumps(parameters_of(model, action).model_json_schema(), sort_keys=True)
    except InvalidModel as error:
        return str(error)
