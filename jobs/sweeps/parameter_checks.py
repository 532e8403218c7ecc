"""Checks the values of a description against the class of the model's parameters: each of them, and corners.

A grid may have millions of points, so they are not all made: each value is tried with the first values of the
other parameters, and then the corners, where all are at one of their ends.
"""

from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any

from pydantic import ValidationError

from jobs.errors import InvalidInput
from jobs.parameters import Parameters
from jobs.specs.validation_messages import expected_value, schema_of
from jobs.specs.who_takes import who_takes
from jobs.sweeps.distributions import Distribution, Distributions
from jobs.sweeps.problems import Place, Problem, Problems
from jobs.sweeps.spread import multiple, multiples, stepped
from jobs.wording import shown

MOST_CORNERS = 32


def unknown_parameter(name: str, kind: type[Parameters], place: Place) -> Problem:
    """The mistake of a parameter that a job does not have; the hint names the nearest one.

    Args:
        name: what was written.
        kind: the parameters of the job.
        place: where it was written.
    """
    error = InvalidInput.unknown("", name, schema_of(kind) or ["no parameter"])
    other = who_takes(name, kind)
    hint = f"`{other}` has {name!r}" if other else error.hint
    if name in ("seed", "seeds"):
        hint = "`seeds:` beside `parameters:` runs each point with several seeds"
    return Problem(place, error.expected, shown(name), hint, of_key=True)


def ends(distribution: Distribution) -> list[Any]:
    """The lowest and the highest value of a distribution; of listed texts the first and the last."""
    found: list[Any]
    if distribution.listed:
        values = distribution.values
        numbers = [each for each in values if isinstance(each, int | float)]
        found = [min(numbers), max(numbers)] if len(numbers) == len(values) else [values[0], values[-1]]
    elif stepped(distribution):
        found = [multiple(distribution, times) for times in multiples(distribution)]
    else:
        found = [distribution.min, distribution.max]
    return found[:1] if found[0] == found[-1] else found


def checked_values(
    kind: type[Parameters], written: Distributions, places: Mapping[str, Place], problems: Problems
) -> Distributions:
    """The distributions with their values as the model's class has them; what it refuses is noted.

    Args:
        kind: the parameters of the job.
        written: each parameter, known to it -> the distribution that was written.
        places: each parameter -> where its value, or the mapping with `values` or `min`, is written.
        problems: get what is wrong.
    """
    first = {name: ends(each)[0] for name, each in written.items()}
    wrong_at_first = _refusals(kind, first)[0]
    found = {}
    for name, distribution in written.items():
        tried = list(_tried(distribution, places[name]))
        values, wrong = [], set[int]()
        for number, (value, place) in enumerate(tried):
            refused, made = _refusals(kind, {**first, name: value})
            for other, problem in refused.items():
                if other == name:
                    wrong.add(number)
                    expected = expected_value(problem, schema_of(kind)[name])
                    problems.add(place, expected, problem["input"], _hint(name, value, kind))
                elif other not in wrong_at_first:
                    expected = (
                        f"a value with which {other} is {expected_value(problem, schema_of(kind)[other])}"
                    )
                    problems.add(place, expected, value)
            values.append(_plain(getattr(made, name)) if made else value)
        found[name] = _with_values(distribution, values, wrong, places[name], problems)
    return found


def corners(written: Distributions) -> Iterator[dict[str, Any]]:
    """Points at which each parameter is at one of its ends, at most so many; the two extremes come first."""
    both = {name: ends(each) for name, each in written.items()}
    yield {name: each[0] for name, each in both.items()}
    yield {name: each[-1] for name, each in both.items()}
    for values in islice(product(*both.values()), MOST_CORNERS):
        yield dict(zip(both, values, strict=True))


def _tried(distribution: Distribution, place: Place) -> Iterator[tuple[Any, Place]]:
    """The values that are tried one by one, each with its place."""
    if distribution.listed:
        for number, value in enumerate(distribution.values):
            yield value, (*place, number) if distribution.distribution == "categorical" else place
        return
    found = ends(distribution)
    yield found[0], (*place, "min")
    if len(found) > 1:
        yield found[1], (*place, "max")


def _refusals(kind: type[Parameters], values: Mapping[str, Any]) -> tuple[dict[str, Any], Parameters | None]:
    """Parameter -> what pydantic finds wrong with it; and the parameters, if nothing is."""
    try:
        return {}, kind.model_validate(dict(values))
    except ValidationError as error:
        found: dict[str, Any] = {}
        for problem in error.errors(include_url=False):
            found.setdefault(str(problem["loc"][0]) if problem["loc"] else "", problem)
        return found, None


def _hint(name: str, value: Any, kind: type[Parameters]) -> str | None:
    """What somebody meant who wrote a list for a parameter of one value."""
    if isinstance(value, tuple) and schema_of(kind)[name].get("type") != "array":
        return f"`{name}: {{values: […]}}` tries each of several values"
    return None


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _with_values(
    distribution: Distribution, values: list[Any], wrong: set[int], place: Place, problems: Problems
) -> Distribution:
    """With the values that were tried; those that are not wrong must differ."""
    if not distribution.listed:
        return distribution
    for number, value in enumerate(values):
        if number not in wrong and value in values[:number]:
            problems.add((*place, number), "values that differ", value)
    return distribution.model_copy(update={"values": tuple(values)})
