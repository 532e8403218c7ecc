"""`quartet data`: the datasets that have a name."""

import sys

import click

from jobs.cli.common import as_json, print_json
from jobs.cli.usage import Group
from jobs.errors import InvalidData


@click.group("data", cls=Group, invoke_without_command=True)
@click.pass_context
def data_command(context: click.Context) -> None:
    """List or download datasets."""
    if context.invoked_subcommand is None:
        context.invoke(data_list)


@data_command.command("list")
@as_json
def data_list(as_json: bool = False) -> None:
    """List the datasets: whether they are in the data folder, and where they come from."""
    from jobs.models import datasets
    from jobs.settings import read_settings

    folder = read_settings().data_dir
    rows = []
    for dataset in datasets().values():
        path = dataset.find(folder)
        rows.append(
            {
                "name": dataset.name,
                "kind": dataset.kind,
                "title": dataset.title,
                "here": "always" if dataset.offline else "no" if path is None else "yes",
                "path": str(path) if path else None,
                "origin": dataset.origin,
                "licence": dataset.licence,
            }
        )
    if as_json:
        print_json(rows)
        return
    from jobs.cli.tables import show_datasets

    show_datasets(rows)


@data_command.command("get")
@click.argument("name", metavar="NAME")
def data_get(name: str) -> None:
    """Download a dataset into the data folder."""
    import subprocess

    from jobs.models import datasets

    if name not in datasets():
        raise InvalidData.unknown("dataset", name, datasets())
    # A process of its own, since nothing in `jobs` imports the worker's code, which downloads.
    sys.exit(subprocess.run([sys.executable, "-m", "worker.datasets", "get", name]).returncode)
