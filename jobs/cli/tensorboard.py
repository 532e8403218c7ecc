"""The command that shows training jobs in TensorBoard."""

import click

from jobs.cli.listening import host_option, port_option
from jobs.cli.usage import Command
from jobs.errors import MissingPart

PACKAGES = ("tensorboard", "a2wsgi", "starlette", "uvicorn")
"""What it needs, by the names that Python knows them by."""


@click.command("tensorboard", cls=Command)
@host_option
@port_option(6006)
def tensorboard_command(host: str, port: int) -> None:
    """Serve TensorBoard until stopped: training jobs as they run, and the trials of sweeps.

    It reads the results folder alone, and changes nothing there.
    """
    from importlib.util import find_spec

    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise MissingPart(
            f"TensorBoard's server needs the package {missing[0]}", hint="pip install 'quartet[dashboards]'"
        )
    import os
    import sys

    # Another program in the place of this one, since nothing in `jobs` imports what watches.
    command = [
        sys.executable,
        "-P",
        "-m",
        "worker.dashboards.tensorboard",
        "--host",
        host,
        "--port",
        str(port),
    ]
    os.execv(sys.executable, command)
