"""Options on own data for workers on other machines: whether it is stored, and whether a person is asked."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.cli.common import confirm
from jobs.wording import size_text

if TYPE_CHECKING:
    from jobs.client import Client

STORING: list[click.Parameter] = [
    click.Option(
        ["--in-place"],
        is_flag=True,
        help="leave own data where it is: workers on other machines find it at the same path",
    ),
    click.Option(["--yes"], is_flag=True, help="store even more than 1 GB of own data without asking"),
]


def decide_on_storing(client: "Client", *, in_place: bool, yes: bool) -> None:
    """Have a client store own data as these options say, and ask before it stores much.

    Args:
        client: of the command.
        in_place: whether nothing is stored.
        yes: whether nothing is asked.
    """
    client.job_data.sends = not in_place
    client.job_data.allow_large = (lambda *_: None) if yes else _ask


def _ask(path: Path, size: int) -> None:
    from jobs.job_data import large

    if not sys.stdin.isatty():
        raise large(path, size, "--yes stores it; --in-place leaves it to workers that have it there")
    confirm(f"Store {path}, {size_text(size)}, for workers on other machines?", "nothing was queued")
