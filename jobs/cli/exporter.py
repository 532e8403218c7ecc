"""The command that shows the numbers of a Quartet to Prometheus."""

import click

from jobs.cli.listening import host_option, listen, port_option, shown_address
from jobs.cli.usage import Command
from jobs.errors import MissingPart

ANSWER_SECONDS = 2.0
"""How long Redis may take for each answer before it counts as away."""


@click.command("exporter", cls=Command)
@host_option
@port_option(9468)
def exporter_command(host: str, port: int) -> None:
    """Serve metrics to Prometheus until stopped.

    Each scrape reads a fixed number of values from Redis, however many jobs there are.
    """
    from importlib.util import find_spec

    if find_spec("prometheus_client") is None:
        raise MissingPart(
            "the exporter needs the package prometheus-client", hint="pip install 'quartet[exporter]'"
        )
    from functools import partial

    from jobs.exporter.current_page import CurrentPage
    from jobs.exporter.server import serve
    from jobs.exporter.snapshot import take_snapshot
    from jobs.ledger.ledger import Ledger
    from jobs.settings import read_settings

    ledger = Ledger(read_settings().redis_address(), answer_seconds=ANSWER_SECONDS)
    with listen(host, port) as listener:
        click.echo(f"the metrics are on {shown_address(listener)}/metrics")
        serve(listener, CurrentPage(partial(take_snapshot, ledger)).content)
