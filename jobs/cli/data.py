"""`quartet data`: the datasets that have a name, and a person's own data in the store."""

import sys
from typing import TYPE_CHECKING, Any

import click

from jobs.cli.changing import values_set
from jobs.cli.common import as_json, confirm, print_json, tell_other_store
from jobs.cli.usage import Group
from jobs.errors import DamagedFolder, InvalidData, InvalidInput
from jobs.store.own_data_pin import SHOWN_DIGITS
from jobs.wording import counted, size_text

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.client import Client
    from jobs.store.own_data_entry import StoredData

OWN = "own data"
"""The kind of what a person stored."""

_name_argument = click.argument("name", metavar="NAME")


@click.group("data", cls=Group, invoke_without_command=True)
@click.pass_context
def data_command(context: click.Context) -> None:
    """List or download datasets; store data of your own for all workers."""
    if context.invoked_subcommand is None:
        context.invoke(data_list)


@data_command.command("list")
@as_json
def data_list(as_json: bool = False) -> None:
    """List the datasets, with where they come from, and the data that you stored."""
    from jobs.client import Client

    client = Client()
    rows = [*_dataset_rows(client), *_stored_rows(client)]
    if as_json:
        print_json(rows)
        return
    from jobs.cli.tables import show_datasets

    show_datasets(rows, client.settings.data_dir)


@data_command.command("get")
@click.argument("name", metavar="DATASET")
def data_get(name: str) -> None:
    """Download a dataset into the data folder."""
    import subprocess

    from jobs.models import datasets

    if name not in datasets():
        raise InvalidData.unknown("dataset", name, datasets())
    # A process of its own, since nothing in `jobs` imports the worker's code, which downloads.
    sys.exit(subprocess.run([sys.executable, "-P", "-m", "worker.datasets", "get", name]).returncode)


@data_command.command("add")
@click.argument("path", metavar="FILE|FOLDER")
@click.option("--name", metavar="NAME", required=True, help="what `--data` will call it")
@click.option(
    "--set",
    "values",
    metavar="NAME=VALUE",
    multiple=True,
    help="a parameter of the jobs that will read it, for the check; may be given several times",
)
@as_json
def data_add(path: str, name: str, values: tuple[str, ...], as_json: bool) -> None:
    """Store a file or folder under a name, so that workers on all machines find it.

    It is checked by the models that read such data, and stored in the results folder once, by its SHA-256.
    """
    from jobs.client import Client

    given = values_set(values)
    if "name" in given or "path" in given:  # no model has such a parameter
        raise InvalidInput("--set", expected="a parameter of a job that reads data", given="name or path")
    client = Client()
    entry = client.add_data(path, name=name, **given)
    tell_other_store(client)
    if as_json:
        print_json(entry.as_dict())
    else:
        click.echo(f"{entry.name}: {_about(entry)}\nsha256 {entry.sha256}")


@data_command.command("show")
@_name_argument
@as_json
def data_show(name: str, as_json: bool) -> None:
    """Show a dataset, or data that you stored."""
    from jobs.client import Client
    from jobs.models import datasets

    client = Client()
    if name in datasets():
        row = next(row for row in _dataset_rows(client) if row["name"] == name)
        texts = row
    else:
        entry = client.find_data(name)
        row = _stored_row(client, entry)
        texts = row | {"origin": None, "files": None, "models": None, "size": _about(entry)}
    if as_json:
        print_json(row)
        return
    from jobs.cli.tables import show_fields

    show_fields([(field, value) for field, value in texts.items()])


@data_command.command("remove")
@_name_argument
@click.option("--yes", is_flag=True, help="do not ask")
def data_remove(name: str, yes: bool) -> None:
    """Remove data that you stored, unless a job that has not ended reads it.

    The content stays while another name has it. Jobs that have ended keep their reports, but cannot be run
    again.
    """
    from jobs.client import Client

    client = Client()
    entry = client.check_data_removable(name)
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidInput("--yes", expected="--yes, since no terminal can be asked", given="none")
        click.echo(f"{name}  {_about(entry)}")
        confirm(f"Remove {name} for good?", "nothing was removed")
    gone = client.remove_data(name)
    click.echo(f"{name} removed" + ("" if gone else "; its content stays, since another name has it"))


def _about(entry: "StoredData") -> str:
    from jobs.data_readers import readers_text

    return f"{counted(entry.files, 'file')}, {size_text(entry.size)}, for {readers_text(entry.models)}"


def _dataset_rows(client: "Client") -> list[dict[str, Any]]:
    """The datasets: whether they are whole in the data folder, and where they come from."""
    from jobs.dataset_files import stored_dataset
    from jobs.models import datasets

    rows = []
    for dataset in datasets().values():
        stored = stored_dataset(dataset, client.settings.data_dir)
        rows.append(
            {
                "name": dataset.name,
                "kind": dataset.kind,
                "title": dataset.title,
                "here": stored.here,
                "path": str(stored.path) if stored.path else None,
                "problem": stored.problem or None,
                "origin": dataset.origin,
                "licence": dataset.licence,
                **dict.fromkeys(("size", "files", "sha256", "added", "models")),
            }
        )
    return rows


def _stored_rows(client: "Client") -> list[dict[str, Any]]:
    """All stored data, and below it the names that cannot be read."""
    entries, unreadable = client.own_data.entries()
    rows = [_stored_row(client, entry) for entry in entries]
    nothing = dict.fromkeys(("title", "licence", "size", "files", "sha256", "added", "models"))
    for name in unreadable:
        problem = {
            "here": "damaged",
            "path": str(client.own_data.entry_file(name)),
            "problem": "which cannot be read",
        }
        rows.append({"name": name, "kind": OWN, "origin": "", **problem, **nothing})
    return rows


def _stored_row(client: "Client", entry: "StoredData") -> dict[str, Any]:
    """Stored data, with the keys of a dataset; of data that no job has read on this host, no path."""
    path: Path | None = client.own_data.content.folder / entry.sha256
    here, problem = "stored", None
    try:
        path = client.own_data.here(entry.pin)
    except InvalidData:
        here, problem = "no", "which is not there"
    except DamagedFolder:
        here, problem = "damaged", "which cannot be read"
    about = entry.as_dict()
    return {
        "name": about.pop("name"),
        "kind": OWN if about.pop("suffix") else f"{OWN}, a folder",
        "title": None,
        "here": here,
        "path": None if path is None else str(path),
        "problem": problem,
        "origin": f"added {entry.added[:10]}, sha256 {entry.sha256[:SHOWN_DIGITS]}…, {_about(entry)}",
        "licence": None,
        **about,
    }
