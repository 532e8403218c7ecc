"""Commands that make room in the store: prune, archive, restore."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.cli.common import as_json, confirm, count_of_jobs, print_json
from jobs.cli.usage import Command
from jobs.errors import InvalidInput, JobConflict
from jobs.escape_control import escape_line
from jobs.moments import SINCE
from jobs.wording import counted, size_text

if TYPE_CHECKING:
    from jobs.pruning import Pruned


@click.command("prune", cls=Command)
@click.option("--older", metavar="AGE", help="required: jobs that ended before then [90d, 12h, 2w or a date]")
@click.option("--keep-tagged", is_flag=True, help="keep jobs that have a tag")
@click.option(
    "--keep-best",
    metavar="N",
    help="keep the N best of each model and action, and of each sweep, by its metric or the headline",
)
@click.option("--model", metavar="MODEL", help="only jobs of this model")
@click.option("--sweep", metavar="SWEEP", help="only jobs of this sweep")
@click.option("--state", metavar="STATE", help="only jobs in this state [succeeded, failed, cancelled]")
@click.option("--dry-run", is_flag=True, help="delete nothing; say what would go, and why the rest stays")
@click.option("--yes", is_flag=True, help="do not ask")
@as_json
def prune_command(
    older: str | None,
    keep_tagged: bool,
    keep_best: str | None,
    model: str | None,
    sweep: str | None,
    state: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete jobs that ended long ago; those that another job still needs stay.

    A job that stays keeps those whose models or checkpoints it used. Whatever kills this command, each job is
    there or gone; the next `quartet prune` or `quartet delete` goes on.
    """
    from jobs.client import Client

    if older is None:
        hint = "`quartet prune --older 90d --dry-run` says what would go"
        raise InvalidInput("older", expected=SINCE, given="none", hint=hint)
    best = count_of_jobs("keep_best", keep_best)
    client = Client()

    def prune(**how: object) -> "Pruned":
        return client.prune(
            older,
            keep_tagged=keep_tagged,
            keep_best=best,
            model=model,
            sweep=sweep,
            state=state,
            **how,  # type: ignore[arg-type] # of `prune`
        )

    planned = prune(dry_run=True)
    if not (dry_run or yes or not planned.jobs or sys.stdin.isatty()):
        about = f"{counted(len(planned.jobs), 'job')} would go, {size_text(planned.bytes)}"
        raise InvalidInput(
            "--yes", expected="--yes, since no terminal can be asked", given="none", hint=about
        )
    if not as_json:
        _show(planned)
    if not (dry_run or yes) and planned.jobs:
        confirm(f"Delete {counted(len(planned.jobs), 'job')} for good?")
    done = prune(planned=planned) if planned.jobs and not dry_run else planned
    if as_json:
        print_json(done.as_dict())
    elif not dry_run and planned.jobs:
        gone = [job for job in done.jobs if job.error is None]
        click.echo(f"{counted(len(gone), 'job')} deleted, {size_text(done.bytes)}")
    refused = [job for job in done.jobs if job.error is not None]
    for job in refused:
        click.echo(escape_line(f"{job.id} stays: {job.error}"), err=True)
    if refused:
        given = f"{len(refused):,} that cannot, as said above"
        raise JobConflict("jobs", expected="jobs that can be deleted", given=given)


def _show(planned: "Pruned") -> None:
    """A line for each job that goes, then how many, and why the others stay."""
    from jobs.cli.columns import GAP, Column, lines
    from jobs.showing.terminal import line_width, styled

    jobs = planned.jobs
    if jobs:
        columns = [
            Column("JOB", [job.id for job in jobs]),
            Column("WHAT", [escape_line(job.what) for job in jobs], least=8, leaves=1),
            Column("NAME", [escape_line(job.name or "") for job in jobs], least=4, most=40, leaves=2),
            Column("STATE", [job.state for job in jobs]),
            Column("ENDED", [job.finished[:10] for job in jobs]),
            Column("SIZE", [size_text(job.bytes) for job in jobs]),
        ]
        for number, line in enumerate(lines(columns, line_width())):
            click.echo(styled((" " * GAP).join(line).rstrip(), bold=number == 0))
        click.echo()
    click.echo(f"{counted(len(jobs), 'job goes', 'jobs go')}, {size_text(planned.bytes)}")
    why = ", ".join(f"{count:,} {reason}" for reason, count in planned.kept.items())
    stay = sum(planned.kept.values())
    click.echo(f"{counted(stay, 'job stays', 'jobs stay')}" + (f": {why}" if why else ""))


@click.command("archive", cls=Command)
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True)
@click.argument("file", metavar="FILE.tar.zst")
def archive_command(jobs: tuple[str, ...], file: str) -> None:
    """Write ended jobs with their tags and notes into a new file, and print its path.

    The jobs stay where they are; `quartet delete` and `quartet prune` delete them, `quartet restore` brings
    them back.
    """
    from jobs.client import Client

    client = Client()
    ids = dict.fromkeys([client.resolve(reference) for reference in jobs])
    path = client.archive(ids, file)
    click.echo(path)
    click.echo(f"{counted(len(ids), 'job')}, {size_text(path.stat().st_size)}", err=True)


@click.command("restore", cls=Command)
@click.argument("file", metavar="FILE.tar.zst", type=click.Path(path_type=Path))
def restore_command(file: Path) -> None:
    """Bring the jobs of an archive back, under the ids that they had, each file compared with its manifest.

    A job that is there already stays as it is; one that is there with other files is refused.
    """
    from jobs.client import Client

    def tell(job_id: str, restored: bool) -> None:
        click.echo(f"{job_id} {'restored' if restored else 'is there already'}")

    Client().restore(file, tell)
