"""Reads `then`: the jobs that follow a trial, or a plain training job, and use its model."""

from collections.abc import Mapping
from typing import Any

from jobs.models import parameters_of
from jobs.sweeps.job_parts import JobParts, check_corners
from jobs.sweeps.plain_jobs import NO_JOB_YET
from jobs.sweeps.problems import Fields, Place, Problem, Problems
from jobs.sweeps.sweep_spec import Then

ACTIONS = ("evaluate", "generate")
MOST_FOLLOWING = 20
FORM = "a list of evaluate and generate, or {each: [evaluate]}"


def read_following(
    fields: Fields, model: str, action: str, parts: JobParts, problems: Problems
) -> list[Then]:
    """The jobs that follow, each checked as far as it can be before there is a model.

    Args:
        fields: the description.
        model: which network.
        action: what the jobs do that others are to follow.
        parts: reads what all jobs have in common.
        problems: get what is wrong.
    """
    value, place = fields.take("then"), fields.at("then")
    if value is None:
        return []
    if isinstance(value, Mapping):
        each = Fields(value, problems, place)
        value, place = each.take("each"), each.at("each")
        each.refuse_rest(("each",))
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_FOLLOWING:
        problems.add(place, FORM, value)
        return []
    if action != "train":
        given = f"jobs after {model} {action}"
        problems.append(Problem(place, "jobs that follow a training job", given, of_key=True))
        return []
    found = [_read(item, model, (*place, number), parts, problems) for number, item in enumerate(value)]
    return [then for then in found if then is not None]


def _read(item: Any, model: str, place: Place, parts: JobParts, problems: Problems) -> Then | None:
    """One job that follows."""
    before = len(problems)
    if isinstance(item, str):
        item = {"action": item} if item in ACTIONS else item
    if not isinstance(item, Mapping):
        if isinstance(item, str):
            problems.unknown(place, item, ACTIONS)
        else:
            problems.add(place, "evaluate, generate, or a mapping with action, data and parameters", item)
        return None
    fields = Fields(item, problems, place)
    action = fields.choice("action", ACTIONS)
    if not fields.has("action"):
        problems.lacking(fields.at("action"), "evaluate or generate")
    kind = parameters_of(model, action) if action else None
    data, written = fields.take("data"), fields.mapping("parameters", "a mapping of names to values")
    fields.refuse_rest(("action", "data", "parameters"))
    if kind is None:
        return None
    data = parts.data(data, kind, fields.at("data"), problems, fields.value.get("parameters"))
    parameters = parts.parameters(written, kind, problems)
    for name, each in parameters.items():
        if each.distribution != "constant":
            given = f"a {each.distribution} distribution"
            problems.append(Problem(fields.at("parameters", name), "one value, as of any single job", given))
        elif name == "data":
            problems.append(Problem(fields.at("parameters", name), "data beside parameters", "it within"))
    if len(problems) > before:
        return None
    job = {"from": NO_JOB_YET, "data": data}
    if check_corners(kind, parameters, job, fields, problems) is None:
        return None
    values = {name: _as_json(each.values[0]) for name, each in parameters.items()}
    return Then(action=action, data=data, parameters=values)  # type: ignore[arg-type] # of `choice`


def _as_json(value: Any) -> Any:
    """A value as it is when a stored sweep is read again."""
    return list(value) if isinstance(value, tuple) else value
