"""By which number trials are judged: the one that was asked for, or the headline of such a job."""

from collections.abc import Sequence
from typing import Any, Literal

from jobs.errors import InvalidInput, InvalidModel
from jobs.models import import_part
from jobs.sweeps.problems import Fields, Problem, Problems
from jobs.sweeps.sweep_spec import Goal
from jobs.sweeps.wandb_keys import refuse_other_keys_of_metric
from jobs.wording import alternatives, shown, with_article

_DIRECTIONS: dict[str | None, Literal["minimize", "maximize"]] = {"lower": "minimize", "higher": "maximize"}
"""What W&B calls a metric's `better`."""

_OF_TRAINING = ("validation_", "training_")
"""How the names of the numbers begin that a training job measures itself."""


def metrics_of(model: str) -> Sequence[Any]:
    """Every number that a model reports, each a `Metric` with `name`, `better` and `column`.

    Raises:
        InvalidModel: the model's `metrics.py` breaks its contract.
    """
    found = getattr(import_part(model, "metrics"), "METRICS", None)
    return found if isinstance(found, tuple) else ()


def columns_of(model: str) -> list[str]:
    """The names of the metrics that a training job has after each epoch too."""
    return [metric.name for metric in metrics_of(model) if metric.column]


def headline_of(model: str, action: str) -> Goal | None:
    """The first number, of those that a job of this kind has, of which one direction is better.

    A training job has those that are taken from its history, and those of the validation data. What
    an evaluation measures comes first of all. None where there is no such number.
    """
    for metric in metrics_of(model) if action != "generate" else ():
        if metric.better and (action != "train" or of_training(metric)):
            return Goal(name=metric.name, goal=_DIRECTIONS[metric.better])
    return None


def of_training(metric: Any) -> bool:
    """Whether a training job may be expected to have a number."""
    return bool(metric.column) or metric.name.startswith(_OF_TRAINING)


def read_goal(fields: Fields, model: str, action: str, problems: Problems) -> Goal | None:
    """The metric of a sweep's description; None where it is wrong, which is noted."""
    place = fields.at("metric")
    try:
        metrics, headline = {each.name: each for each in metrics_of(model)}, headline_of(model, action)
    except InvalidModel as error:
        problems.raised(fields.at("model"), error)
        return None
    first = headline.name if headline else "NAME"
    form = f"a mapping such as {{name: {first}, goal: {headline.goal if headline else 'maximize'}}}"
    given = fields.mapping("metric", form)
    if given is None:
        if fields.value.get("metric") is None and headline is None:
            names = [str(each.name) for each in metrics.values() if not each.better]
            other = names[0] if names else "NAME"
            why = f"{with_article(f'{model} {action}')} job has no headline with a better direction"
            problems.lacking(place, f"a name and a goal, such as {other} and maximize", why)
        return headline
    name, goal = given.text("name"), given.choice("goal", ("minimize", "maximize"))
    refuse_other_keys_of_metric(given, ("name", "goal"))
    if name not in metrics:
        own = [each.name for each in metrics.values() if action != "train" or of_training(each)]
        such = f", such as {alternatives(own[:6])}" if own else ""
        expected = f"a number that {with_article(f'{model} {action}')} job has{such}"
        if not given.has("name"):
            problems.lacking(given.at("name"), expected)
        elif name is not None:
            of_column = next((each.name for each in metrics.values() if each.column == name), None)
            hint = (
                f"did you mean {of_column!r}?" if of_column else InvalidInput.unknown("", name, metrics).hint
            )
            problems.append(Problem(given.at("name"), expected, shown(name), hint))
        return None
    return _directed(given, metrics[name], goal, action)


def _directed(given: Fields, metric: Any, goal: str | None, action: str) -> Goal | None:
    """The goal, in its own direction where none is given."""
    problems, own = given.problems, _DIRECTIONS.get(metric.better)
    if goal is None and own is None:
        if not given.has("goal"):
            problems.lacking(given.at("goal"), "minimize or maximize")
        return None
    if goal is not None and own is not None and goal != own:
        problems.notes.append(
            f"metric: {metric.name} is better when {metric.better}, and the goal is to {goal}"
        )
    if action == "train" and not of_training(metric):
        problems.notes.append(
            f"metric: a training job may lack {metric.name}; a trial without it counts as failed"
        )
    return Goal(name=metric.name, goal=goal or own)  # type: ignore[arg-type] # choices of `choice`


def without_history(goal: Goal, model: str) -> str | None:
    """Which metrics have a value after each epoch, if this one has none; None if it has."""
    names = columns_of(model)
    return None if goal.name in names else alternatives(names) if names else "one with a history"
