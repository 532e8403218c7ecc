"""What several commands share: their options and arguments, and printing JSON."""

import contextlib
import json
import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.errors import InvalidInput, RedisUnreachable
from jobs.escape_control import escape_json, escape_line
from jobs.wording import shown

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.job import Job
    from jobs.settings import Settings

as_json = click.option("--json", "as_json", is_flag=True, help="print JSON")

job_argument = click.argument("job", metavar="JOB")
"""A job's id, 4 or more characters of it, its name, or `latest`."""

Handler = Callable[[str, str, dict[str, Any]], None]
"""Takes the model, the action and what was given: parameters, and `data`, `source`, `seed`, `name`."""


def shown_folder(path: Path, settings: "Settings") -> Path:
    """A path in the results folder, as the person who reads it finds it.

    Args:
        path: of a folder or file.
        settings: of the client that names it.

    Returns:
        The path with the setting `results_shown_as`, if there is one, in place of `results_dir`.
    """
    if settings.results_shown_as is None:
        return path
    root = settings.results_dir.absolute()
    return settings.results_shown_as / path.relative_to(root) if path.is_relative_to(root) else path


def tell_reused(job: "Job") -> None:
    """Say of a job that was not run that an equal one had succeeded."""
    if job.reused:
        day = (job.finished or job.submitted)[:10]
        click.echo(f"reused {job.id}: an equal job succeeded on {day}; --fresh runs it again", err=True)


def tell_notes(notes: Iterable[str]) -> None:
    """Say what is not wrong, but worth a sentence, each sentence once."""
    for note in dict.fromkeys(notes):
        click.echo(escape_line(f"note: {note}"), err=True)


def tell_other_store(client: "Client") -> None:
    """Say so where the results folder is not the store to which workers publish."""
    from jobs.ledger.store_of_ledger import other_store, remedy

    with contextlib.suppress(RedisUnreachable):
        other = other_store(client.ledger, client.results)
        if other is not None:
            click.echo(f"{other}\nhint: {remedy(client.results)}", err=True)


def confirm(question: str, otherwise: str = "nothing was deleted") -> None:
    """Ask a person at the terminal; anything but yes is no, and what that means is said.

    Raises:
        Abort: the answer is no.
    """
    click.echo(f"{question} [y/N] ", nl=False)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        click.echo(otherwise)
        raise click.Abort


def count_of_jobs(option: str, given: str | None) -> int | None:
    """A number of jobs, as an option was given it; None without it.

    Raises:
        InvalidInput: it is not an integer ≥ 1, or it has more than nine digits.
    """
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and int(given)):
        raise InvalidInput(option, expected="an integer ≥ 1", given=shown(given))
    return int(given)


def print_json(value: Any) -> None:
    """Print a value as JSON in characters that leave a terminal alone; a number that JSON lacks is null."""
    text = json.dumps(_without_infinities(value), indent=2, ensure_ascii=False, allow_nan=False)
    click.echo(escape_json(text))


def _without_infinities(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _without_infinities(each) for name, each in value.items()}
    return [_without_infinities(each) for each in value] if isinstance(value, list | tuple) else value
