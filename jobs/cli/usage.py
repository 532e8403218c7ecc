"""Commands and groups that refuse wrong usage in the form of all our errors.

click words these errors itself and gives no place to reword them, so what it raises is translated here.
"""

from collections import Counter

import click

from jobs.errors import InvalidInput
from jobs.ids import REFERENCE
from jobs.specs.synonyms import closest
from jobs.wording import shown

PROGRAM = "quartet"

WHOLE_SENTENCE = 1_000
"""Characters of a command's first sentence in a list of commands."""

_ARGUMENTS = {
    "JOB": REFERENCE,
    "DATASET": "a dataset's name",
    "NAME": "the name of a dataset or of stored data",
    "FILE.tar.zst": "the path of an archive",
    "SWEEP": "a sweep's name, as `quartet sweeps` lists it",
}
"""What an argument holds, by its name in the usage line."""


class Command(click.Command):
    """A command that refuses wrong options and arguments in our words."""

    def hint_for(self, option: str) -> str | None:  # noqa: ARG002 - for subclasses
        """What somebody may have meant by an option that this command lacks; None where it cannot be told."""
        return None

    def get_short_help_str(self, limit: int = WHOLE_SENTENCE) -> str:  # noqa: ARG002 - click's signature
        """The first sentence of the help, which a list of commands folds; click would cut it."""
        return super().get_short_help_str(WHOLE_SENTENCE)

    allow_extra_args = True  # click collects them for `parse_args` below instead of refusing them itself

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does.

        Raises:
            InvalidInput: an option is unknown, lacks its value or is given twice, or there are too few or too
                many arguments.
        """
        given = list(args)  # click takes them away
        try:
            super().parse_args(ctx, args)
            _, _, order = self.make_parser(ctx).parse_args(given)
        except click.UsageError as error:
            raise _input_error(error, ctx) from None
        for parameter, times in Counter(order).items():
            if (
                isinstance(parameter, click.Option)
                and times > 1
                and not (parameter.multiple or parameter.is_flag)
            ):
                raise InvalidInput(max(parameter.opts, key=len), expected="one value", given=f"{times:,}")
        if ctx.args and not ctx.resilient_parsing:
            names = [
                _metavar(parameter) for parameter in self.params if isinstance(parameter, click.Argument)
            ]
            raise InvalidInput(
                "arguments",
                expected=f"nothing after {names[-1]}" if names else "none",
                given=" ".join(map(shown, ctx.args)),
                hint=_usage(ctx),
            )
        return ctx.args


class Group(click.Group):
    """A group that refuses an unknown name or option in our words."""

    command_class = Command
    group_class = type
    chooses = "command"
    """What a name in this group stands for: a command, a model, an action."""

    def get_short_help_str(self, limit: int = WHOLE_SENTENCE) -> str:  # noqa: ARG002 - click's signature
        """As of a command."""
        return super().get_short_help_str(WHOLE_SENTENCE)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does.

        Raises:
            InvalidInput: an option is unknown or lacks its value.
        """
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            raise _input_error(error, ctx) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command as click does.

        Raises:
            InvalidInput: there is none of that name.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            error = InvalidInput.unknown(self.chooses, args[0], self.list_commands(ctx))
            error.hint = error.hint or f"`{ctx.command_path} --help` describes them"
            raise error from None


def _input_error(error: click.UsageError, context: click.Context) -> InvalidInput:
    """What click found wrong, as an error of ours."""
    see_help = f"`{context.command_path} --help` lists the options"
    if isinstance(error, click.NoSuchOption):
        return _unknown_option(error.option_name, context, see_help)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        name = _metavar(error.param).strip("[].")
        expected = _ARGUMENTS.get(name, "a value")
        return InvalidInput(name.lower(), expected=expected, given="none", hint=_usage(context))
    if isinstance(error, click.BadOptionUsage):
        flags = [name for option in _options(context) if option.is_flag for name in option.opts]
        expected, given = ("no value", "one") if error.option_name in flags else ("a value", "none")
        return InvalidInput(error.option_name, expected=expected, given=given, hint=see_help)
    said = error.format_message().rstrip(".")
    return InvalidInput("command line", expected=_usage(context), given=f"another ({said})", hint=see_help)


def _unknown_option(given: str, context: click.Context, see_help: str) -> InvalidInput:
    names = [max(option.opts, key=len) for option in _options(context)]
    # Compared without their dashes, which all of them share.
    close = closest(given.strip("-"), [name.strip("-") for name in names])
    hint = f"did you mean '--{close}'?" if close else see_help
    if isinstance(context.command, Command):
        hint = context.command.hint_for(given) or hint
    return InvalidInput(
        f"option of {context.command_path.removeprefix(f'{PROGRAM} ')}",
        expected=f"one of {', '.join(names)}",
        given=shown(given),
        hint=hint,
    )


def _options(context: click.Context) -> list[click.Option]:
    return [option for option in context.command.get_params(context) if isinstance(option, click.Option)]


def _metavar(parameter: click.Parameter) -> str:
    return parameter.metavar or str(parameter.name).upper()


def _usage(context: click.Context) -> str:
    pieces = context.command.collect_usage_pieces(context)
    return f"usage: {' '.join([context.command_path, *pieces])}"
