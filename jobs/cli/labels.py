"""Commands that label a job: tag, note."""

import click

from jobs.cli.common import job_argument
from jobs.cli.usage import Command
from jobs.errors import InvalidInput
from jobs.escape_control import escape_line
from jobs.wording import shown


class _TagCommand(Command):
    """A command whose arguments may begin with a dash."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does; only what asks for help is an option."""
        if set(args) & set(ctx.help_option_names):
            return super().parse_args(ctx, args)
        return super().parse_args(ctx, ["--", *(each for each in args if each != "--")])


@click.command("tag", cls=_TagCommand, context_settings={"help_option_names": ["-h", "--help"]})
@job_argument
@click.argument("changes", metavar="+TAG|-TAG...", nargs=-1)
def tag_command(job: str, changes: tuple[str, ...]) -> None:
    """Give a job tags and take others away: `quartet tag JOB +good -bad`. Prints those that it has then."""
    from jobs.client import Client

    if not changes:
        raise InvalidInput("tag", expected="+TAG or -TAG", given="none", hint=f"`quartet tag {job} +good`")
    wrong = next((each for each in changes if each[:1] not in ("+", "-")), None)
    if wrong is not None:
        raise InvalidInput("tag", expected="+TAG or -TAG", given=shown(wrong))
    add = [each[1:] for each in changes if each[0] == "+"]
    remove = [each[1:] for each in changes if each[0] == "-"]
    tagged = Client().tag(job, add, remove)
    click.echo(escape_line(f"{tagged.id} {', '.join(tagged.tags) or 'has no tags'}"))


@click.command("note", cls=Command)
@job_argument
@click.argument("text", metavar="TEXT")
def note_command(job: str, text: str) -> None:
    """Write a note about a job, in place of the one before; an empty TEXT removes it."""
    from jobs.client import Client

    noted = Client().note(job, text)
    click.echo(f"{noted.id} {'noted' if noted.note else 'has no note'}")
