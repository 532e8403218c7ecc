"""Which kind of job a description is of; where that is wrong, what is wrong with it whichever it is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches

from jobs.errors import InvalidModel
from jobs.models import model_names, parameters_of
from jobs.parameters import ACTIONS, Parameters
from jobs.sweeps.problems import Fields, Problem, Problems

Kind = type[Parameters]


def read_kinds(fields: Fields) -> list[Kind]:
    """Parameters of jobs: of one kind, or of all that may be meant where that is wrong, which is noted."""
    problems = fields.problems
    model, action = fields.take("model"), fields.take("action")
    models, actions = (
        _meant(model, list(model_names())),
        ["train"] if action is None else _meant(action, ACTIONS),
    )
    if model is None and "program" not in fields.value:
        problems.lacking(fields.at("model"), f"one of {', '.join(model_names())}")
    elif model is not None and models != [model]:
        problems.unknown(fields.at("model"), model, model_names())
    if action is not None and actions != [action]:
        problems.unknown(fields.at("action"), action, ACTIONS)
    found: list[Kind] = []
    for name in models:
        try:
            found += [parameters_of(name, each) for each in actions]
        except InvalidModel as error:
            if models == [model]:
                problems.raised(fields.at("model"), error)
    return found


def common_problems(kinds: Sequence[Kind], read: Callable[[Kind], Problems]) -> list[Problem]:
    """What is wrong with a description whichever kind of job it is of.

    Args:
        kinds: those that may be meant.
        read: reads the description as one of them.
    """
    first, *others = [read(kind) for kind in kinds] or [Problems()]
    found = []
    for problem in first:
        same = [next((each for each in other if _key(each) == _key(problem)), None) for other in others]
        if None not in same:
            found.append(_for_all([problem, *(each for each in same if each is not None)]))
    return found


def _for_all(problems: list[Problem]) -> Problem:
    """One mistake as several kinds of job have it, in words that fit all of them."""
    first = problems[0]
    hint = first.hint if all(each.hint == first.hint for each in problems) else None
    if all(each.expected == first.expected for each in problems):
        return replace(first, hint=hint)
    expected = "what one of the models takes"
    if first.place[:1] == ("metric",):
        expected = "a number that one of the models reports"
    elif first.place[:1] == ("parameters",) and first.of_key:
        expected = "a parameter of one of the models"
    return replace(first, expected=expected, hint=hint)


def _key(problem: Problem) -> tuple[object, ...]:
    return problem.place, problem.given, problem.of_key


def _meant(written: object, names: Sequence[str]) -> list[str]:
    """What was written, or the name that is near; all names where none is."""
    if not isinstance(written, str) or written in names:
        return [written] if isinstance(written, str) else list(names)
    return get_close_matches(written[:200].lower(), names, n=1) or list(names)
