"""The options of `quartet submit` and `quartet run`, made from the job's spec."""

import json
from collections.abc import Callable
from typing import Any, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from jobs.command import option
from jobs.datasets import datasets_of
from jobs.sentences import allowed_values
from jobs.spec import ACTIONS, MODELS, PARAMETERS, JobSpec, Parameters

Handler = Callable[[str, str, dict[str, Any]], None]
"""Takes model, action and what was given: parameters, and `data`, `source`, `seed`, `name`."""


def model_commands(model: str, handler: Handler, extra: list[click.Parameter]) -> click.Group | None:
    """`quartet VERB MODEL`: the group of a model's actions; `extra` are the verb's own options."""
    if model not in MODELS:
        return None
    summary = (PARAMETERS[model, "train"].__doc__ or "").strip()
    group = click.Group(name=model, help=f"{model}: {', '.join(ACTIONS)}.", short_help=summary)
    for action in ACTIONS:
        group.add_command(_job_command(model, action, handler, extra))
    return group


def _job_command(model: str, action: str, handler: Handler, extra: list[click.Parameter]) -> click.Command:
    kind = PARAMETERS[model, action]

    def call(**given: Any) -> None:
        values = {name: value for name, value in given.items() if value is not None and value != ()}
        handler(model, action, values)

    return click.Command(
        action,
        callback=call,
        params=[*_parameter_options(kind), *_common_options(kind), *extra],
        help=(kind.__doc__ or "").strip(),
        short_help=(kind.__doc__ or "").strip(),
    )


def _parameter_options(kind: type[Parameters]) -> list[click.Parameter]:
    return [
        click.Option(
            [option(name), f"{PREFIX}{name}"],
            multiple=_takes_several(field),
            metavar=_metavar(field),
            help=_help(field),
        )
        for name, field in kind.model_fields.items()
    ]


PREFIX = "parameter_"
"""Keeps a parameter called `name` or `data` apart from the job's own fields."""


def split_parameters(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was given for the model and action, and what for the job itself."""
    parameters = {k.removeprefix(PREFIX): v for k, v in given.items() if k.startswith(PREFIX)}
    return parameters, {k: v for k, v in given.items() if not k.startswith(PREFIX)}


def _common_options(kind: type[Parameters]) -> list[click.Parameter]:
    fields = JobSpec.model_fields
    common: list[click.Parameter] = [
        click.Option(["--seed"], metavar="N", help=_help(fields["seed"])),
        click.Option(["--time-limit"], metavar="SECONDS", help=_help(fields["time_limit"])),
        click.Option(["--priority"], metavar="P", help=_help(fields["priority"])),
        click.Option(["--name"], metavar="TEXT", help=fields["name"].description),
    ]
    if kind.takes_data:
        names = ", ".join(datasets_of(kind.data_kind))
        help_text = f"{names}, or a path to your own data"
        common.insert(0, click.Option(["--data"], metavar="NAME|PATH", help=help_text))
    if kind.source == "needed":
        help_text = f"the training of {kind.model} whose model is used: id, name or `latest`"
        common.insert(0, click.Option(["--from", "source"], metavar="JOB", help=help_text))
    return common


def _help(field: FieldInfo) -> str:
    if _metavar(field) == "JOB":
        return field.description or ""
    default = field.default
    if isinstance(default, tuple):
        default = " ".join(str(value) for value in default)
    shown = (
        f"; default {json.dumps(default) if default == '' else default}" if default not in (None, "") else ""
    )
    return f"{field.description} [{allowed_values(field)}{shown}]"


def _metavar(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "job" in extra:
        return "JOB"
    kinds = {"int": "N", "float": "X"}
    return next((mark for kind, mark in kinds.items() if kind in str(field.annotation)), "TEXT")


def _takes_several(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple or any(
        get_origin(part) is tuple for part in get_args(field.annotation)
    )
