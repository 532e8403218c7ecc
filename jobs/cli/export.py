"""`quartet export`: copy jobs into another program's collection of experiments."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from jobs.cli.common import as_json, print_json
from jobs.cli.usage import Group
from jobs.errors import InvalidInput
from jobs.wording import counted

if TYPE_CHECKING:
    from jobs.tracking.exporting import Exported


@click.group("export", cls=Group)
def export_command() -> None:
    """Copy jobs and sweeps to MLflow."""


@export_command.command("mlflow")
@click.argument("jobs", metavar="JOB...", nargs=-1)
@click.option("--sweep", metavar="SWEEP", help="this sweep, with all its jobs that have ended")
@click.option(
    "--to", metavar="URI", help="a folder, sqlite:///FILE or http://SERVER [default MLFLOW_TRACKING_URI]"
)
@click.option("--with-model", is_flag=True, help="copy the models as well")
@as_json
def mlflow_command(
    jobs: tuple[str, ...], sweep: str | None, to: str | None, with_model: bool, as_json: bool
) -> None:
    """Copy ended jobs to MLflow, each as a run of the experiment that is named for its model or sweep.

    A job that is there already is not copied again; its tags and its note are brought up to date.
    """
    from jobs.client import Client
    from jobs.tracking.tracking_address import read_tracking_address

    if not jobs and sweep is None:
        raise InvalidInput("jobs", expected="one or more jobs, or --sweep", given="none")
    address = read_tracking_address(to)
    client = Client()

    def exported() -> "Iterator[Exported]":
        from jobs.tracking.exporting import Exporter
        from jobs.tracking.mlflow_runs import MlflowRuns

        checked = [client.resolve(job) for job in jobs]
        if sweep is not None:
            client.find_sweep(sweep)
        exporter = Exporter(client, MlflowRuns(address), with_model)
        yield from exporter.jobs(checked)
        if sweep is not None:
            yield from exporter.sweep(sweep)

    done = []
    for each in exported():
        done.append(each)
        if not as_json and each.run is not None:
            how = "exported" if each.new else "was there"
            click.echo(f"{each.what} {how}: experiment {each.experiment}, run {each.run}")
            sys.stdout.flush()
    if as_json:
        print_json([vars(each) for each in done])
    lacking = sum(each.run is None for each in done)
    new = counted(sum(each.new for each in done), "new run")
    click.echo(f"{new} in {address.shown}", err=True)
    if lacking:
        more = "have not ended; export the sweep again when they have"
        click.echo(f"{counted(lacking, 'job')} of the sweep {more}", err=True)
