"""Checks of rendered objects."""

import kubernetes_validate
from jsonschema import Draft202012Validator

from jobs.settings import Settings, read_settings
from tests.deploy.keda_fields import SCALED_OBJECT
from tests.deploy.rendering import Object

OLDEST = "1.33"
"""The version of Kubernetes whose schemas are used; newer ones take what older ones of the same API took."""


def check_schema(objects: list[Object]) -> None:
    """Every field is one that Kubernetes, or KEDA, documents."""
    for each in objects:
        if each["kind"] == "ScaledObject":
            Draft202012Validator(SCALED_OBJECT).validate(each)
        else:
            kubernetes_validate.validate(each, OLDEST, strict=True)


def check_settings(given: dict[str, str]) -> None:
    """The settings exist, and their values are accepted."""
    values = {name.removeprefix("QUARTET_").lower(): value for name, value in given.items()}
    assert values.keys() <= Settings.model_fields.keys()
    read_settings(**{name: value for name, value in values.items() if value})
