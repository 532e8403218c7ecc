"""The keys of a description: ours, and those of W&B's sweep files that mean nothing here.

A file written for W&B runs after `program:` is replaced by `model:`, if each of its keys has a meaning here.
"""

from collections.abc import Mapping

from jobs.sweeps.problems import Fields, Problem
from jobs.wording import shown

SWEEP_KEYS = (
    "name",
    "description",
    "model",
    "action",
    "data",
    "from",
    "method",
    "metric",
    "parameters",
    "seeds",
    "run_cap",
    "early_terminate",
    "parallel",
    "then",
    "max_failures",
    "seed",
    "time_limit",
    "priority",
    "tags",
    "fresh",
)

ONLY_OF_SWEEPS = ("method", "metric", "seeds", "run_cap", "early_terminate", "parallel", "max_failures")
"""What a plain job does not have."""

METHODS = {"grid": "grid", "random": "random", "sobol": "sobol", "tpe": "tpe", "bayes": "tpe"}
"""What a method is taken for."""

_WITHOUT_MEANING = {
    "command": "the model's own code runs, and no command",
    "entity": "results belong to a folder, and to nobody's account",
    "project": "`tags:` group jobs",
    "controller": "the workers decide what runs next",
    "job": "`model:` and `action:` say what runs",
    "scheduler": "the workers take the jobs from the queue",
    "queue": "`priority:` says which jobs run before others",
    "image_uri": "the workers' own installation runs",
    "resource": "each worker has one GPU, or the CPU",
    "resource_args": "each worker has one GPU, or the CPU",
    "imports": "the model's own code runs",
}
"""Keys of W&B that have no meaning here -> what there is instead."""

_WITHOUT_MEANING_IN_METRIC = {"target": "a sweep ends with its last trial, whatever they come to"}


def refuse_other_keys(fields: Fields, choices: tuple[str, ...], model: str) -> None:
    """Note the keys that nobody took; those of W&B with what there is instead.

    Args:
        fields: the description.
        choices: the keys that it may have.
        model: a model's name, for a hint.
    """
    for name in fields.rest():
        if name == "program":
            hint = f"replace the line by `model: {model}`"
            given = f"program: {shown(fields.take(name))}"
            fields.problems.append(
                Problem(
                    fields.at(name), "`model:` instead, which names one of ours", given, hint, of_key=True
                )
            )
    _refuse_without_meaning(fields, _WITHOUT_MEANING)
    fields.refuse_rest(choices)


def refuse_other_keys_of_metric(fields: Fields, choices: tuple[str, ...]) -> None:
    """As `refuse_other_keys`, of the keys within `metric`."""
    _refuse_without_meaning(fields, _WITHOUT_MEANING_IN_METRIC)
    fields.refuse_rest(choices)


def _refuse_without_meaning(fields: Fields, instead: Mapping[str, str]) -> None:
    for name in fields.rest():
        if name in instead:
            given = f"{shown(fields.take(name))}, and {name!r} of W&B has no meaning here"
            hint = f"leave it out; {instead[name]}"
            fields.problems.append(Problem(fields.at(name), "nothing", given, hint, of_key=True))
