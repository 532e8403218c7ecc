"""The commands that begin many jobs: `quartet sweep FILE`, or on one line; and `quartet schema`."""

from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.cli.common import print_json, tell_notes, tell_reused
from jobs.cli.storing import STORING, decide_on_storing
from jobs.cli.usage import Command, Group
from jobs.errors import InvalidInput

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.sweeps.description import Description

_FLAGS = ("--dry-run", "--json", "--watch", "--in-place", "--yes")
_DRY_RUN = click.Option(["--dry-run"], is_flag=True, help="print what would be queued, and queue nothing")
_WATCH = click.Option(["--watch"], is_flag=True, help="follow the sweeps until they end")
_JSON = click.Option(["--json", "as_json"], is_flag=True, help="print JSON")


def _number(name: str, help_text: str) -> click.Option:
    return click.Option([name], metavar="N", help=help_text)


_ONE_LINE: list[click.Parameter] = [
    click.Option(
        ["--method"],
        metavar="[grid|random|sobol|tpe]",
        help="how points are chosen [default grid, every combination]",
    ),
    _number("--run-cap", "the most trials; all but a grid need it"),
    _number(
        "--parallel",
        "the most trials that are queued or running at once "
        "[default twice the number of workers plus 2; with tpe the number of workers plus 1]",
    ),
    click.Option(["--metric"], metavar="NAME", help="the number that judges a trial [default the headline]"),
    click.Option(["--goal"], metavar="[minimize|maximize]", help="its better direction, if it has none"),
    click.Option(["--early-terminate"], metavar="[halving|median]", help="stop bad trials early"),
    _number("--min-iter", "epochs before a trial may be stopped [default 1]"),
    _number("--eta", "halving keeps one trial in so many at each rung [default 3]"),
    click.Option(
        ["--then"],
        multiple=True,
        metavar="[evaluate|generate]",
        help="what follows for the best trial; may be given several times",
    ),
    _number("--max-failures", "so many failed trials end the sweep"),
    click.Option(
        ["--tag", "tags"], multiple=True, metavar="TAG", help="of all its jobs; may be given several times"
    ),
    click.Option(["--fresh"], is_flag=True, default=None, help="run trials whose equals have succeeded, too"),
    _DRY_RUN,
    _WATCH,
    *STORING,
    _JSON,
]


class _SweepCommands(Group):
    """`quartet sweep FILE`, or `quartet sweep MODEL ACTION` with the options of the model's spec."""

    chooses = "model"

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All models."""
        from jobs.models import model_names

        return list(model_names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The actions of a model.

        Raises:
            InvalidModel: the model's wing lacks part of its contract.
        """
        from jobs.cli.options import model_commands

        return model_commands(cmd_name, _one_line, _ONE_LINE, repeat=True)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does; the options of a file may stand before it."""
        leading = list(takewhile(_FLAGS.__contains__, args))
        if leading and leading == args:
            raise InvalidInput("file", expected="a YAML file, or a model", given="none")
        return super().parse_args(ctx, [*args[len(leading) :], *leading])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A model's group for its name, or what stands before an action; the command for a file otherwise."""
        from jobs.parameters import ACTIONS

        if args[0] in self.list_commands(ctx) or args[1:2] in [[action] for action in ACTIONS]:
            return super().resolve_command(ctx, args)
        return "", _file_command, args


class _FileContext(click.Context):
    """Of the command for a file, which has no name of its own."""

    @property
    def command_path(self) -> str:
        """`quartet sweep`."""
        return super().command_path.rstrip()


class _FileCommand(Command):
    context_class = _FileContext


@click.command("", cls=_FileCommand, params=[_DRY_RUN, _WATCH, *STORING, _JSON])
@click.argument("file", metavar="FILE")
def _file_command(file: str, **flags: bool) -> None:
    """Begin the sweeps of a file."""
    from jobs.models import model_names

    def describe(client: "Client") -> Sequence["Description"]:
        try:
            return client.describe_file(Path(file))
        except InvalidInput as error:
            if error.field == "file" and not Path(file).suffix:
                error.hint = InvalidInput.unknown("model", file, model_names()).hint or error.hint
            raise

    _begin(describe, **flags)


def _one_line(model: str, action: str, given: dict[str, Any]) -> None:
    from jobs.cli.options import split_parameters

    flags = {name: given.pop(name) for name in ("dry_run", "watch", "in_place", "yes", "as_json")}
    parameters, fields = split_parameters(given)
    fields = {**fields, "from": fields.pop("source")} if "source" in fields else fields
    _begin(lambda client: [client.describe_options(model, action, parameters, fields)], **flags)


def _begin(
    describe: "Callable[[Client], Sequence[Description]]",
    *,
    dry_run: bool,
    watch: bool,
    as_json: bool,
    **storing: bool,
) -> None:
    """Queue what was described, or with `dry_run` print it; nothing is queued if anything is wrong."""
    from jobs.client import Client

    client = Client(redis_is_optional=True if dry_run else None)
    client.job_data.keeps = not dry_run
    decide_on_storing(client, **storing)
    described = describe(client)
    tell_notes(note for each in described for note in each.notes)
    if dry_run:
        from jobs.cli.dry_run import print_dry_run
        from jobs.cli.names_in_use import sweeps_there

        there = sweeps_there(client, described, without_redis=True)
        print_dry_run(client, [each.made for each in described], there, as_json=as_json)
        return
    begun = queue(client, described, (lambda _: None) if as_json else click.echo)
    if as_json:
        print_json(begun)
    for each in begun if watch else ():
        if "sweep" in each:
            _watch(client, each["sweep"])


def queue(
    client: "Client", described: Sequence["Description"], tell: Callable[[str], object] = lambda _: None
) -> list[dict[str, Any]]:
    """Begin sweeps and queue plain jobs with those that follow them.

    Args:
        client: queues them.
        described: what a file or a line describes.
        tell: gets each name and id once it is queued.

    Returns:
        For each description, `sweep`, a name, or `job` and `then`, ids.

    Raises:
        InvalidSweep: other sweeps have some of the names; nothing was queued.
        JobConflict: somebody changed a sweep meanwhile; some may have been queued.
        RedisUnreachable: Redis cannot be reached; some may have been queued.
    """
    from jobs.cli.names_in_use import sweeps_there
    from jobs.sweeps.sweep_spec import SweepSpec

    sweeps_there(client, described)
    begun: list[dict[str, Any]] = []
    for each in described:
        if isinstance(each.made, SweepSpec):
            sweep = client.create_sweep(each.made)
            begun.append({"sweep": sweep.name})
            tell(sweep.name)
            if sweep.state == "ended":
                again = f"`quartet sweeps retry {sweep.name}` runs what failed or was deleted"
                click.echo(f"{sweep.name} has ended, and nothing of it is new; {again}", err=True)
            continue
        jobs = [client.submit_spec(each.made.spec, fresh=each.made.fresh)]
        for spec in each.made.following(jobs[0].id):
            jobs.append(client.submit_spec(spec, fresh=each.made.fresh))
        for job in jobs:
            tell(job.id)
            tell_reused(job)
        begun.append({"job": jobs[0].id, "then": [job.id for job in jobs[1:]]})
    return begun


def _watch(client: "Client", name: str) -> None:
    from jobs.showing.sweep_progress import check_any_succeeded, show_sweep_progress

    check_any_succeeded(show_sweep_progress(client.find_sweep(name)))


sweep_command = _SweepCommands(
    name="sweep",
    help="""Run many jobs: those of a file, or on one line.

    FILE is YAML (or JSON) with W&B's keys; docs/sweeps.md has them all. On one line, a comma separates
    values, `0..2` is all integers from 0 to 2, and `1e-4..1e-2` or `log:1e-4..1e-2` is a range from which
    `--method` chooses.""",
    subcommand_metavar="FILE | MODEL ACTION [OPTIONS]",
    params=[_DRY_RUN, _WATCH, *STORING, _JSON],
    no_args_is_help=True,
)


@click.command("schema", cls=Command)
@click.argument("what", metavar="sweep")
def schema_command(what: str) -> None:
    """Print the JSON Schema of a sweep's file, for editors."""
    from jobs.sweeps.file_schema import file_schema

    if what != "sweep":
        raise InvalidInput.unknown("schema", what, ["sweep"])
    print_json(file_schema())
