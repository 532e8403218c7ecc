"""Which models can read a person's own file or folder."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from jobs.data_check import has_form
from jobs.datasets import shown_path
from jobs.errors import InvalidData, InvalidInput, InvalidJob, InvalidModel
from jobs.models import model_names, parameters_of
from jobs.parameters import ACTIONS, Parameters
from jobs.specs.validation_messages import first_problem
from jobs.wing_checks import check_own_data
from jobs.wording import alternatives

NO_VALUES: Mapping[str, Any] = MappingProxyType({})


def readers_of(path: Path, values: Mapping[str, Any] = NO_VALUES) -> tuple[str, ...]:
    """The model and action of each kind of job that can read data, with a space between.

    A file says by its form which models can read it; these check it with the readers that a job uses, as far
    as its beginning tells.

    Args:
        path: of a file or a folder.
        values: of parameters that say how a job is to read it.

    Raises:
        InvalidData: it does not exist, or no model can read it; the sentence says why.
        InvalidJob: no job that reads data has such a parameter, or not with this value.
    """
    _check_known(values)
    found: list[str] = []
    refused: dict[str, tuple[str, InvalidInput]] = {}
    for kind in _kinds():
        if not has_form(kind, path):
            continue
        try:
            check_own_data(kind.model, kind.action, path, _parameters(kind, values))
        except InvalidInput as error:
            refused.setdefault(str(error), (kind.model, error))
        else:
            found.append(f"{kind.model} {kind.action}")
    if found:
        return tuple(found)
    if len(refused) == 1:
        raise next(error for _, error in refused.values())
    if refused:
        why = "; ".join(f"{model} says {sentence}" for sentence, (model, _) in refused.items())
        raise InvalidData(shown_path(path), expected="data that a model can read", given=f"none: {why}")
    forms = dict.fromkeys(form.words for kind in _kinds() for form in kind.forms)
    problem = "which has no such form" if path.exists() else "which does not exist"
    given = f"{shown_path(path)}, {problem}"
    raise InvalidData("data", expected=alternatives(list(forms)), given=given)


def readers_text(readers: tuple[str, ...]) -> str:
    """Readers by model: `MODEL (train, evaluate), MODEL (train)`."""
    actions: dict[str, list[str]] = {}
    for reader in readers:
        model, action = reader.split()
        actions.setdefault(model, []).append(action)
    return ", ".join(f"{model} ({', '.join(each)})" for model, each in actions.items())


def _check_known(values: Mapping[str, Any]) -> None:
    """Refuse a name that is no parameter of any job that reads data."""
    known = {field: None for kind in _kinds() for field in kind.model_fields}
    for name in values.keys() - known.keys():
        raise InvalidJob.unknown("parameter", name, known)


def _parameters(kind: type[Parameters], values: Mapping[str, Any]) -> Parameters | None:
    """The parameters of a job with those values that it takes; None where it takes none.

    Raises:
        InvalidJob: it takes one, with another value.
    """
    given = {name: value for name, value in values.items() if name in kind.model_fields}
    try:
        return kind.model_validate(given) if given else None
    except ValidationError as error:
        raise first_problem(error, given, kind) from None


def _kinds() -> Iterator[type[Parameters]]:
    """The kinds of jobs that read data; those of a model that breaks its contract are left out."""
    for model in model_names():
        for action in ACTIONS:
            try:
                kind = parameters_of(model, action)
            except InvalidModel:
                continue
            if kind.takes_data():
                yield kind
