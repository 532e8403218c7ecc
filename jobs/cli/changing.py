"""Commands that stop a job or queue it again: cancel, retry, resume."""

import click

from jobs.cli.common import job_argument
from jobs.cli.usage import Command


@click.command("cancel", cls=Command)
@job_argument
def cancel_command(job: str) -> None:
    """Cancel a job. A running one stops within seconds and keeps its checkpoint."""
    from jobs.client import Client

    cancelled = Client().cancel(job)
    click.echo(f"{cancelled.id} {'cancelled' if cancelled.state == 'cancelled' else 'asked to stop'}")


@click.command("retry", cls=Command)
@job_argument
def retry_command(job: str) -> None:
    """Queue a failed or cancelled job again and print the new id."""
    from jobs.client import Client

    click.echo(Client().retry(job).id)


@click.command("resume", cls=Command)
@job_argument
@click.option("--epochs", metavar="N|+N", help="the new total, or how many more than were done")
def resume_command(job: str, epochs: str | None) -> None:
    """Resume an ended training job. Queues a new job that starts from its checkpoint, and prints its id."""
    from jobs.client import Client

    click.echo(Client().resume(job, epochs).id)
