"""The commands and options of `quartet submit` and `quartet run`, made from the JSON schema of a job.

An option's type describes its values; what was typed is checked by `JobSpec`, as it is for a job from Python.
"""

import inspect
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from jobs.cli.usage import Command, Group
from jobs.data_check import expected_data
from jobs.errors import InvalidModel
from jobs.models import model_names, parameters_of
from jobs.parameters import ACTIONS, Parameters
from jobs.showing.command_line import option
from jobs.spec import FURTHER, JobSpec
from jobs.specs.validation_messages import in_words, schema_of
from jobs.specs.who_takes import who_takes
from jobs.wording import alternatives, with_article

if TYPE_CHECKING:
    from jobs.cli.common import Handler

Schema = Mapping[str, Any]

PREFIX = "parameter_"
"""Keeps a parameter called `name` or `data` apart from the job's own fields."""

REFERENCE = "[id, name or `latest`]"


class _Described(click.types.StringParamType):
    """The values that a field's schema describes; they are left as they were typed."""

    def __init__(self, schema: Schema) -> None:
        self.name = schema.get("type", "text")
        self._choices = schema.get("enum", ())

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """The choices that start with what was typed."""
        return [CompletionItem(choice) for choice in self._choices if choice.startswith(incomplete)]


class _ActionCommand(Command):
    """One action of a model."""

    def __init__(self, kind: type[Parameters], name: str, **settings: Any) -> None:
        super().__init__(name, **settings)
        self._kind = kind

    def hint_for(self, option: str) -> str | None:
        """The most similar job that has an option; for `--from`, what trains a model further."""
        if option == "--from":
            return FURTHER
        other = who_takes(option.strip("-").replace("-", "_"), self._kind)
        return f"`{other}` has {option}" if other else None


class _ModelCommands(Group):
    """The actions of a model; an action's options are made when it is called."""

    chooses = "action"

    def __init__(self, model: str, handler: "Handler", extra: list[click.Parameter], repeat: bool) -> None:
        try:
            summary = inspect.getdoc(parameters_of(model, "train")) or ""
        except InvalidModel:
            summary = "Refused: this model breaks its contract."  # its own commands say how
        noun = with_article(f"{model} job")
        super().__init__(
            name=model,
            help=f"{noun[0].upper()}{noun[1:]}: {alternatives(list(ACTIONS))}.",
            short_help=summary,
            subcommand_metavar="ACTION [OPTIONS]",
        )
        self._model, self._handler, self._extra, self._repeat = model, handler, extra, repeat

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All actions."""
        return list(ACTIONS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """One action with its options."""
        return self._command(cmd_name) if cmd_name in ACTIONS else None

    def _command(self, action: str) -> click.Command:
        kind = parameters_of(self._model, action)

        def call(**given: Any) -> None:
            values = {name: value for name, value in given.items() if value is not None and value != ()}
            self._handler(self._model, action, values)

        return _ActionCommand(
            kind,
            action,
            callback=call,
            params=[*_parameter_options(kind, self._repeat), *_job_options(kind, self._repeat), *self._extra],
            help=inspect.getdoc(kind),
            short_help=inspect.getdoc(kind),
        )


def model_commands(
    model: str, handler: "Handler", extra: list[click.Parameter], *, repeat: bool = False
) -> click.Group | None:
    """`quartet submit MODEL` or another command's: the group of its actions, or None for an unknown model.

    Args:
        model: what was typed as a model's name.
        handler: called with the model, the action and what was given.
        extra: the command's own options.
        repeat: whether parameters, data and seed may be given several times, each as a tuple.

    Raises:
        InvalidModel: the model's `spec.py` lacks something.
    """
    return _ModelCommands(model, handler, extra, repeat) if model in model_names() else None


def split_parameters(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was given for the model and action, and what for the job itself."""
    parameters = {k.removeprefix(PREFIX): v for k, v in given.items() if k.startswith(PREFIX)}
    return parameters, {k: v for k, v in given.items() if not k.startswith(PREFIX)}


def _parameter_options(kind: type[Parameters], repeat: bool) -> list[click.Parameter]:
    fields = schema_of(kind).items()
    return [_option(option(name), f"{PREFIX}{name}", schema, repeat) for name, schema in fields]


def _job_options(kind: type[Parameters], repeat: bool) -> list[click.Parameter]:
    """The options of every job, and `--from` and `--data` where this one takes them."""
    options: list[click.Parameter] = []
    if kind.source == "needed":
        text = f"the {kind.model} training job whose model is used {REFERENCE}"
        options.append(click.Option(["--from", "source"], metavar="JOB", help=text))
    if kind.takes_data():
        text = f"the {kind.data_kind} to read [{expected_data(kind)}, or stored data{_default_data(kind)}]"
        options.append(click.Option(["--data"], metavar="NAME|PATH", help=text, multiple=repeat))
    schema = schema_of(JobSpec)
    names = ("seed", "time_limit", "priority", "name")
    return options + [_option(option(name), name, schema[name], repeat and name == "seed") for name in names]


def _default_data(kind: type[Parameters]) -> str:
    """What a job reads without `--data`; a generation may read none."""
    if kind.action == "generate":
        return ""
    default = "what the model was trained on" if kind.source == "needed" else kind.default_data()
    return f"; default {default}"


def _option(name: str, destination: str, schema: Schema, repeat: bool) -> click.Option:
    return click.Option(
        [name, destination],
        type=_Described(schema.get("items", schema)),
        multiple=repeat or schema.get("type") == "array",
        metavar=_metavar(schema),
        help=_help(schema),
    )


def _metavar(schema: Schema) -> str:
    """`N`, `X`, `TEXT`, `JOB` or the choices, as `[low|normal|high]`."""
    if "job" in schema:
        return "JOB"
    if "items" in schema:
        return _metavar(schema["items"])
    if "enum" in schema:
        return f"[{'|'.join(map(str, schema['enum']))}]"
    return {"integer": "N", "number": "X"}.get(schema.get("type", ""), "TEXT")


def _help(schema: Schema) -> str:
    """What the option is, what it takes and its default."""
    description = schema.get("description", "")
    if "job" in schema:
        return f"{description} {REFERENCE}"
    words = [] if "enum" in schema else [in_words(schema)]
    default = schema.get("default")
    if default not in (None, "", []):
        words.append(f"default {_default(default)}")
    return f"{description} [{'; '.join(words)}]"


def _default(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_default, value))
    return value if isinstance(value, str) and value.strip() == value else json.dumps(value)
