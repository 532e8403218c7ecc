"""Commands that stop a job, queue it again or delete it: cancel, retry, resume, rerun, delete."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from jobs.cli.common import as_json, confirm, job_argument, print_json, tell_notes, tell_reused
from jobs.cli.usage import Command
from jobs.errors import InvalidInput, JobConflict, QuartetError, RedisUnreachable
from jobs.escape_control import escape_line
from jobs.ids import REFERENCE
from jobs.wording import counted, shown

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.retrying import Retried

MOST_NAMED = 3
"""Jobs that are named of those that used a deleted one."""


@click.command("cancel", cls=Command)
@job_argument
def cancel_command(job: str) -> None:
    """Cancel a job. A running one stops within seconds and keeps its checkpoint."""
    from jobs.client import Client

    cancelled = Client().cancel(job)
    asked = cancelled.state not in ("succeeded", "failed", "cancelled")
    click.echo(f"{cancelled.id} {'asked to stop' if asked else cancelled.state}")


@click.command("retry", cls=Command)
@click.argument("jobs", metavar="[JOB]...", nargs=-1)
@click.option(
    "--failed",
    is_flag=True,
    help="with JOB: the training jobs that it needs as well; without: all that failed and were not retried",
)
@as_json
def retry_command(jobs: tuple[str, ...], failed: bool, as_json: bool) -> None:
    """Queue failed or cancelled jobs again and print their new ids."""
    from jobs.client import Client

    client = Client()
    if not (jobs or failed):
        raise InvalidInput(
            "job", expected=REFERENCE, given="none", hint="`quartet retry --failed` retries all"
        )
    rows, problems = [], 0
    for retried in client.retries(jobs or None) if failed else _each_alone(client, jobs):
        new = retried.job.id if retried.job else retried.earlier
        error = retried.problem.explanation if retried.problem else None
        rows.append({"job": retried.old, "retried_as": new, "error": error})
        if error is not None:
            problems += 1
            click.echo(escape_line(f"{retried.old} was not retried: {error}"), err=True)
        elif not as_json:
            before = "" if retried.job else " (retried before)"
            click.echo(f"{retried.old} -> {new}{before}" if failed else new)
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo("no failed job is left to retry", err=True)
    if problems:
        raise JobConflict(
            "jobs",
            expected="failed jobs that can be retried",
            given=f"{problems:,} that cannot, as said above",
        )


def _each_alone(client: "Client", jobs: tuple[str, ...]) -> "Iterator[Retried]":
    """Retry jobs one by one, without those that they need; where there is only one, its error is raised."""
    from jobs.retrying import Retried

    ids = list(dict.fromkeys([client.resolve(reference) for reference in jobs]))
    for job_id in ids:
        try:
            yield Retried(job_id, client.retry(job_id))
        except RedisUnreachable:
            raise
        except QuartetError as error:
            if len(ids) == 1:
                raise
            yield Retried(job_id, problem=error)


@click.command("resume", cls=Command)
@job_argument
@click.option("--epochs", metavar="N|+N", help="the new total, or how many more than were done")
def resume_command(job: str, epochs: str | None) -> None:
    """Resume an ended training job. Queues a new job that starts from its checkpoint, and prints its id."""
    from jobs.client import Client

    click.echo(Client().resume(job, epochs).id)


class _RerunCommand(Command):
    """A command whose `--set` takes what are options of `submit`."""

    def hint_for(self, option: str) -> str | None:
        """How `--set` gives another value to what an option is for."""
        from jobs.models import all_parameters
        from jobs.spec import JobSpec
        from jobs.specs.validation_messages import schema_of

        name = option.strip("-").replace("-", "_")
        known = schema_of(JobSpec).keys() | {
            field for kind in all_parameters() for field in kind.model_fields
        }
        return f"`--set {name}=VALUE` changes it" if name in known else None


@click.command("rerun", cls=_RerunCommand)
@job_argument
@click.option(
    "--set",
    "changes",
    metavar="NAME=VALUE",
    multiple=True,
    help="a parameter, `data`, `from`, `seed`, `time_limit`, `priority`, `name` or `tags` with another "
    "value; may be given several times",
)
@click.option("--fresh", is_flag=True, help="run a changed job even if an equal one has succeeded")
@as_json
def rerun_command(job: str, changes: tuple[str, ...], fresh: bool, as_json: bool) -> None:
    """Queue a job once more from scratch, changed or not. Prints the new job's id."""
    from jobs.client import Client

    new = Client().rerun(job, fresh=fresh, **values_set(changes))
    if not new.reused:
        tell_notes(new.notes)
    tell_reused(new)
    if as_json:
        print_json(new.as_dict())
    else:
        click.echo(new.id)


def values_set(given: tuple[str, ...]) -> dict[str, Any]:
    """What `--set` was given: a name that is given several times has all its values."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip().strip("-").replace("-", "_")
        if not equals or not name:
            raise InvalidInput("--set", expected="NAME=VALUE", given=shown(text))
        before = found.get(name)
        found[name] = (
            value if before is None else [*(before if isinstance(before, list) else [before]), value]
        )
    return found


@click.command("delete", cls=Command)
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="do not ask")
def delete_command(jobs: tuple[str, ...], yes: bool) -> None:
    """Delete ended jobs with their folders, none that an unfinished job needs.

    Jobs that have ended and used the model of a deleted one stay, but cannot be run again. A sweep that has
    ended lacks its deleted trials, until `quartet sweeps retry` runs them again.
    """
    from jobs.client import Client

    client = Client()
    ids = list(dict.fromkeys([client.resolve(reference) for reference in jobs]))
    for job_id in ids:
        client.check_deletable(job_id)
    used, swept = client.dependents(ids), client.sweeps_with(ids)
    left = {job_id: [*_used(job_id, used), *_swept(job_id, swept)] for job_id in ids}
    if not yes:
        _confirm(client, ids, left)
    else:
        for job_id in ids:
            for line in left[job_id]:
                click.echo(line, err=True)
    for job_id in ids:
        client.delete(job_id)
        click.echo(f"{job_id} deleted")


def _confirm(client: "Client", ids: list[str], left: Mapping[str, list[str]]) -> None:
    """Ask whether to delete these jobs, after it is said of each what would lack it.

    Raises:
        Abort: the answer is not yes.
        InvalidInput: nobody can be asked.
    """
    import sys

    from jobs.showing.job_text import headline_text

    if not sys.stdin.isatty():
        lacking = "; ".join(line for lines in left.values() for line in lines)
        expected = "--yes, since no terminal can be asked"
        raise InvalidInput("--yes", expected=expected, given="none", hint=lacking or None)
    for job_id in ids:
        job = client.job(job_id)
        about = filter(None, (job.kind, job.name, headline_text(job)))
        click.echo(escape_line(f"{job_id}  {', '.join(about)}"))
        for line in left[job_id]:
            click.echo(f"  {line}")
    confirm(f"Delete {counted(len(ids), 'job')} for good?")


def _used(job_id: str, used: Mapping[str, list[str]]) -> Iterator[str]:
    """What a person should know before a job goes that others used."""
    if not (dependents := used.get(job_id)):
        return
    some = ", ".join(dependents[:MOST_NAMED]) + (", …" if len(dependents) > MOST_NAMED else "")
    jobs = counted(len(dependents), "ended job")
    yield f"{jobs} used {job_id} and cannot be run again without it: {some}"


def _swept(job_id: str, swept: Mapping[str, list[str]]) -> Iterator[str]:
    """What a person should know before a job goes on which sweeps count."""
    for name in swept.get(job_id, ()):
        yield f"the sweep {name} counts on {job_id}; `quartet sweeps retry {name}` runs it again"
