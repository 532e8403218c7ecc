"""The command of each row: `python -m benchmarks.<name>`."""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import described, measured
from benchmarks.measuring import MEASURED, Row
from benchmarks.results import write_results


def run(name: str, title: str, measure: Callable[[Row], None]) -> None:
    """What `python -m benchmarks.<name>` does: measure the row, print it, keep it.

    A short run is not kept, unless `--output` says where.

    Args:
        name: the row's module.
        title: its heading in the results.
        measure: adds the row's figures.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=title)
    parser.add_argument(
        "--short", action="store_true", help="try it out in seconds; the figures mean nothing"
    )
    parser.add_argument("--output", type=Path, help="a file to write the row to, as JSON")
    options = parser.parse_args()
    began = time.monotonic()
    row = Row(name, title, described() if options.short else measured(), short=options.short)
    row.measured_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    measure(row)
    row.seconds = round(time.monotonic() - began, 1)
    print("\n".join(row.lines()))
    if options.output:
        row.write(options.output)
    elif not options.short:
        row.write(MEASURED / f"{name}.json")
        write_results()
