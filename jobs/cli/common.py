"""What several commands share: their options and arguments, and printing JSON."""

import json
from collections.abc import Callable
from typing import Any

import click

from jobs.escape_control import escape_json

as_json = click.option("--json", "as_json", is_flag=True, help="print JSON")

job_argument = click.argument("job", metavar="JOB")
"""A job's id, a unique prefix of it, its name, or `latest`."""

Handler = Callable[[str, str, dict[str, Any]], None]
"""Takes the model, the action and what was given: parameters, and `data`, `source`, `seed`, `name`."""


def print_json(value: Any) -> None:
    """Print a value as JSON in characters that leave a terminal alone."""
    click.echo(escape_json(json.dumps(value, indent=2, ensure_ascii=False)))
