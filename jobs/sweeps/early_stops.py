"""Reads `early_terminate`, with W&B's keys: which trials are stopped before all their epochs are done.

W&B's `hyperband` runs the brackets of one successive halving, so it is taken for `halving`. Its `max_iter`
and `s` are another way to give `min_iter`: the first bracket of `s` ends at max_iter / eta^s epochs
(https://docs.wandb.ai/guides/sweeps/sweep-config-keys).
"""

from collections.abc import Iterable

from jobs.sweeps.distributions import Distributions
from jobs.sweeps.goals import without_history
from jobs.sweeps.parameter_checks import ends
from jobs.sweeps.problems import Fields, Problem
from jobs.sweeps.sweep_spec import Goal, Halving, Median
from jobs.wording import alternatives

TYPES = ("halving", "median", "hyperband")
_MOST = 1_000_000


def read_early_stop(fields: Fields, action: str) -> Halving | Median | None:
    """The rule of a description; None where there is none, or a wrong one, which is noted."""
    given = fields.mapping("early_terminate", "a mapping such as {type: halving, min_iter: 2}")
    if given is None:
        return None
    problems, before = fields.problems, len(fields.problems)
    kind = given.choice("type", TYPES)
    if not given.has("type"):
        problems.lacking(given.at("type"), alternatives(list(TYPES)))
    if action != "train":
        given_text = f"{kind or 'early_terminate'} for {action} jobs"
        problems.append(Problem(given.place, "training jobs to stop early", given_text, of_key=True))
    if kind == "median":
        least = given.integer("min_iter", 1, _MOST, 1)
        given.refuse_rest(("type", "min_iter"))
        return None if least is None or len(problems) > before else Median(min_iter=least)
    if kind == "hyperband":
        problems.notes.append("early_terminate: hyperband is taken for halving")
    eta = given.integer("eta", 2, 100, 3) or 3
    least = _min_iter(given, eta)
    given.refuse_rest(("type", "eta", "min_iter", "max_iter", "s"))
    return None if kind is None or len(problems) > before else Halving(eta=eta, min_iter=least)


def _min_iter(given: Fields, eta: int) -> int:
    """The epochs of the first rung."""
    least, most = given.integer("min_iter", 1, _MOST), given.integer("max_iter", 1, _MOST)
    brackets = given.integer("s", 1, 20)
    problems = given.problems
    if most is None and brackets is None:
        return least or 1
    if least is not None:
        problems.append(Problem(given.place, "either min_iter, or max_iter with s", "both"))
    elif most is None or brackets is None:
        name = "max_iter" if most is None else "s"
        if not given.has(name):
            problems.lacking(given.at(name), "max_iter and s together, or min_iter alone")
    elif most // eta**brackets < 1:
        problems.add(given.at("s"), f"so few brackets that max_iter / {eta}^s ≥ 1", brackets)
    else:
        return int(most // eta**brackets)
    return 1


def check_early_stop(
    rule: Halving | Median,
    fields: Fields,
    goal: Goal | None,
    model: str,
    parameters: Distributions,
    default: int,
) -> None:
    """Note what keeps a rule from ever stopping a trial.

    Args:
        rule: what was read.
        fields: the description.
        goal: the metric of the sweep, None where it is wrong.
        model: which network.
        parameters: with the epochs, if they are set.
        default: epochs of a job that does not set them.
    """
    place = fields.at("early_terminate")
    epochs = _fewest(ends(parameters["epochs"]) if "epochs" in parameters else [default])
    if epochs is not None and rule.min_iter >= epochs:
        problem = Problem(
            (*place, "min_iter"),
            f"fewer epochs than the {epochs:,} that a trial has",
            f"{rule.min_iter:,}",
            "`parameters: {epochs: {value: …}}` sets how many it has",
        )
        fields.problems.append(problem)
    if isinstance(rule, Median) and goal is not None and (names := without_history(goal, model)):
        expected = f"{names}, which has a value after each epoch"
        hint = "median stopping compares running trials; `type: halving` does not need it"
        fields.problems.append(Problem(fields.at("metric"), expected, goal.name, hint))


def _fewest(epochs: Iterable[object]) -> int | None:
    found = [int(each) for each in epochs if isinstance(each, int | float)]
    return min(found, default=None)
