"""The command that shows what a job logs."""

import click

from jobs.cli.common import job_argument
from jobs.cli.usage import Command


@click.command("logs", cls=Command)
@job_argument
@click.option("--follow", "-f", is_flag=True, help="go on until the job has ended")
def logs_command(job: str, follow: bool) -> None:
    """Print a job's log."""
    from jobs.client import Client
    from jobs.escape_control import escape_control

    for text in Client().logs(job, follow=follow):
        click.echo(escape_control(text), nl=False)
