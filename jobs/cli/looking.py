"""Commands that look at jobs and change nothing: list, show, report, verify."""

import click

from jobs.cli.common import as_json, job_argument, print_json
from jobs.cli.usage import Command
from jobs.errors import DamagedFolder, InvalidInput


@click.command("list", cls=Command)
@click.option(
    "--state",
    metavar="STATE",
    help="only jobs in this state [waiting, queued, running, succeeded, failed, cancelled]",
)
@as_json
def list_command(state: str | None, as_json: bool) -> None:
    """List jobs, newest first."""
    from jobs.client import Client
    from jobs.ledger.job_record import STATES

    if state is not None and state not in STATES:
        raise InvalidInput.unknown("state", state, STATES)
    client = Client()
    jobs = client.jobs(next((known for known in STATES if known == state), None))
    if as_json:
        print_json([job.as_dict() for job in jobs])
        return
    from jobs.cli.tables import show_jobs

    show_jobs(jobs)
    if not client.redis_answers():
        click.echo("Redis cannot be reached; these are the finished jobs in the results folder", err=True)


@click.command("show", cls=Command)
@job_argument
@as_json
def show_command(job: str, as_json: bool) -> None:
    """Show a job and its timeline."""
    from jobs.cli.command_line import command_line
    from jobs.client import Client

    client = Client()
    found = client.job(job)
    timeline = client.timeline(found.id)
    if as_json:
        print_json(found.as_dict() | {"timeline": timeline, "command": command_line(found.spec)})
        return
    from jobs.cli.tables import show_job

    progress = client.ledger.latest_progress(found.id) if found.state == "running" else {}
    show_job(found, timeline, progress, command_line(found.spec))


@click.command("report", cls=Command)
@job_argument
@click.option("--open", "open_it", is_flag=True, help="open it in the browser")
def report_command(job: str, open_it: bool) -> None:
    """Print the path of a job's report."""
    from jobs.client import Client

    path = Client().folder(job).path / "report.html"
    click.echo(path)
    if open_it:
        click.launch(path.as_uri())


@click.command("verify", cls=Command)
@job_argument
def verify_command(job: str) -> None:
    """Check a job's files against its manifest."""
    from jobs.client import Client

    folder = Client().folder(job)
    problems = folder.verify()
    if problems:
        raise DamagedFolder(f"{folder.path}: {'; '.join(problems)}")
    click.echo(f"{folder.path} matches its manifest")
