"""Commands that look at jobs and change nothing: list, show, report, fetch, verify."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.cli.common import as_json, count_of_jobs, job_argument, print_json, shown_folder, tell_other_store
from jobs.cli.usage import Command
from jobs.errors import DamagedFolder, InvalidInput, MissingPart, RedisUnreachable

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.job import Job


MOST_JOBS = 1_000
"""Jobs that `list` shows unless it is asked for more; those that have not ended are shown as well."""


@click.command("list", cls=Command)
@click.option(
    "--state",
    metavar="STATE",
    help="only jobs in this state [waiting, queued, running, succeeded, failed, cancelled]",
)
@click.option("--model", metavar="MODEL", help="only jobs of this model")
@click.option("--action", metavar="ACTION", help="only jobs that do this [train, evaluate, generate]")
@click.option("--name", metavar="TEXT", help="only jobs whose name has this in it, or matches it [noise-*]")
@click.option("--since", metavar="WHEN", help="only jobs submitted since then [30m, 2h, 3d, 1w or a date]")
@click.option("--sweep", metavar="SWEEP", help="only jobs of this sweep")
@click.option(
    "--tag", "tags", metavar="TAG", multiple=True, help="only jobs with this tag; may be given several times"
)
@click.option("--sort", metavar="METRIC", help="the best first, by a number of metrics.json")
@click.option("--limit", metavar="N", help=f"at most so many [default {MOST_JOBS:,}, and all unfinished]")
@click.option("--all", "every", is_flag=True, help="all jobs")
@as_json
def list_command(
    state: str | None,
    model: str | None,
    action: str | None,
    name: str | None,
    since: str | None,
    sweep: str | None,
    tags: tuple[str, ...],
    sort: str | None,
    limit: str | None,
    every: bool,
    as_json: bool,
) -> None:
    """List jobs, newest first: their results, why they failed, how far they are."""
    from jobs.client import Client
    from jobs.finding.wanted import ANY, Wanted
    from jobs.ledger.job_record import ENDED

    wanted = Wanted.make(state, model, action, name, since, sweep, tags)
    most = _limit(limit, every)
    client = Client()
    # One more than is shown, to know whether there are more.
    listing = client.listing(wanted, None if most is None else most + 1, sort)
    jobs = _first(listing.jobs, most, unfinished=limit is None)
    progress = client.progress(jobs)
    if as_json:
        print_json([job.as_dict() | {"progress": progress.get(job.id)} for job in jobs])
    else:
        from jobs.cli.job_table import MARK, show_jobs

        show_jobs(jobs, progress, sort)
        if any(job.warnings for job in jobs):
            click.echo(f"{MARK} marks doubtful numbers; `quartet show JOB` says why", err=True)
    if limit is None and len(jobs) < len(listing.jobs):
        first = "newest" if sort is None else "first"
        click.echo(f"these are the {first} {MOST_JOBS:,}; `quartet list --all` lists all", err=True)
    _warn_of(listing.unreadable)
    if listing.without is None:  # else Redis would be waited for once more
        tell_other_store(client)
    if not jobs:
        there = client.results.root.exists()
        none = "no job yet" if wanted == ANY else "no job matches"
        click.echo(none if there else f"there is no results folder {client.results.root} yet", err=True)
    unended = state not in ENDED
    if listing.without is not None or (unended and not client.redis_answers()):
        _refuse_without_redis(client, listing.without, unended=unended)


def _refuse_without_redis(client: "Client", without: RedisUnreachable | None, *, unended: bool) -> None:
    """Refuse a list that may lack jobs since Redis was not asked, and say how many were accepted.

    Args:
        client: of the list.
        without: why Redis, which should have been asked, was not; None where nobody expects one.
        unended: whether jobs without a folder belong in the list.

    Raises:
        RedisUnreachable: unless nobody expects a Redis, and the list lacks nothing.
    """
    from jobs.finding.job_list import in_results
    from jobs.store.saved_records import saved_ids
    from jobs.wording import counted

    with in_results(client.results):
        known = saved_ids(client.results) if unended else ()
        accepted = [job_id for job_id in known if client.results.find(job_id) is None]
    lacks = f"the list lacks {counted(len(accepted), 'accepted job')} without a folder"
    restores = "`quartet rebuild` restores there what it does not know"
    if without is not None:
        said = f"{without}; these are the jobs with a folder"
        hint = "; ".join(filter(None, (without.hint, restores if accepted else None)))
        raise RedisUnreachable(f"{said}, and {lacks}" if accepted else said, hint=hint or None)
    if accepted:
        raise RedisUnreachable(f"no Redis runs, so {lacks}", hint=f"`quartet up` starts one; {restores}")


def _limit(given: str | None, every: bool) -> int | None:
    """How many jobs to list, None for all.

    Raises:
        InvalidInput: it is not a number of jobs.
    """
    from jobs.wording import shown

    if given is None:
        return None if every else MOST_JOBS
    if every:
        raise InvalidInput("limit", expected="none with --all", given=shown(given))
    return count_of_jobs("limit", given)


def _first(jobs: "list[Job]", most: int | None, unfinished: bool) -> "list[Job]":
    """The first jobs of a list, and where it is asked for those that have not ended after them."""
    from jobs.finding.job_list import UNFINISHED

    if most is None:
        return jobs
    return jobs[:most] + [job for job in jobs[most:] if unfinished and job.state in UNFINISHED]


def _warn_of(unreadable: list[str]) -> None:
    from jobs.wording import counted

    if unreadable:
        some = ", ".join(unreadable[:3]) + (", …" if len(unreadable) > 3 else "")
        what = counted(len(unreadable), "job")
        click.echo(f"{what} cannot be read ({some}); `quartet show JOB` says why", err=True)


@click.command("show", cls=Command)
@job_argument
@as_json
def show_command(job: str, as_json: bool) -> None:
    """Show a job and its timeline, and why it waits."""
    from jobs.cli.data_used import data_used
    from jobs.client import Client
    from jobs.showing.waits import Followed

    client = Client()
    found = client.job(job)
    timeline, command = client.timeline(found.id), _command(client, found)
    waits = Followed(client)(found) or None
    progress, data = client.progress([found]).get(found.id), data_used(client, found)
    if as_json:
        more = {"timeline": timeline, "command": command, "waits": waits, "progress": progress, "data": data}
        print_json(found.as_dict() | more)
        return
    from jobs.cli.tables import show_job

    show_job(found, timeline, progress or {}, command, waits, data)


def _command(client: "Client", job: "Job") -> str:
    """The command that its folder records, else one made from what is stored."""
    from jobs.showing.command_line import command_line

    folder = client.results.find(job.id)
    recorded = folder.job.get("command") if folder is not None else None
    return recorded if isinstance(recorded, str) else command_line(job.stored)


@click.command("report", cls=Command)
@job_argument
@click.option("--open", "open_it", is_flag=True, help="open it in the browser")
def report_command(job: str, open_it: bool) -> None:
    """Print the path of a job's report."""
    import webbrowser

    from jobs.client import Client

    client = Client()
    path = client.with_page(job).path / "report.html"
    click.echo(shown_folder(path, client.settings))
    # Not `click.launch`: where no browser is installed, the words of the system's opener would follow.
    if open_it and not webbrowser.open(path.as_uri()):
        raise MissingPart("no browser is installed here", hint="open the path above in one")


@click.command("fetch", cls=Command)
@job_argument
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="the folder to copy it into; without it, this host's results folder",
)
def fetch_command(job: str, to: Path | None) -> None:
    """Copy a job's folder here, each file compared with its manifest.

    Where the store is an object store, this gets all files; one that was stopped goes on where it was.
    """
    from jobs.client import Client

    client = Client()
    if to is None:
        folder = client.folder(job)
        folder.check()
    else:
        folder = client.fetch(job, to)
    click.echo(shown_folder(folder.path, client.settings))


@click.command("verify", cls=Command)
@job_argument
def verify_command(job: str) -> None:
    """Check a job's files against its manifest."""
    from jobs.client import Client

    client = Client()
    folder = client.folder(job)
    shown, problems = shown_folder(folder.path, client.settings), folder.verify()
    if problems:
        raise DamagedFolder(f"{shown}: {'; '.join(problems)}")
    click.echo(f"{shown} matches its manifest")
