"""`python -m worker.engine.gpu [--json]`, which `quartet gpus` runs: the GPUs, and who holds them."""

import json
import sys
from typing import Any

from rich.table import Table

from jobs.cli.tables import console
from jobs.error_output import print_error
from jobs.errors import QuartetError, RedisUnreachable
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings, read_settings
from worker.engine.gpu import locks, nvml, outsiders


def rows(settings: Settings) -> list[dict[str, Any]]:
    """A row for each card: what NVML reports, who holds it, and the jobs that the holders run.

    Args:
        settings: where the locks are, and Redis.

    Raises:
        MissingPart: NVIDIA's driver does not answer.
        InvalidSetting: the file that should hold Redis' password cannot be read.
    """
    folder = settings.gpu_lock_dir.absolute()
    jobs = _running(settings)
    found = []
    for card in nvml.cards():
        held_by = locks.holders(card, folder)
        holders = [str(holder["worker"]) for holder in held_by]
        found.append(
            {
                "gpu": card.index,
                "name": card.name,
                "uuid": card.uuid,
                "driver": card.driver,
                "memory_used": card.memory_used,
                "memory_total": card.memory_total,
                "load_percent": card.load,
                "holders": holders,
                "jobs": [jobs[holder] for holder in holders if holder in jobs],
                "other_processes": outsiders.processes_outside(card, held_by),
                "unlisted_bytes": 0 if held_by else card.unlisted_bytes,
            }
        )
    return found


def _running(settings: Settings) -> dict[str, str]:
    """Worker -> the job it runs; nothing where Redis cannot be reached, with a warning."""
    try:
        ledger = Ledger(settings.redis_address())
        return {str(record.worker): record.id for record in ledger.records(ledger.ids("running"))}
    except RedisUnreachable as error:
        sys.stderr.write(f"{error}; jobs are not shown\n")
        return {}


def _others(row: dict[str, Any]) -> str:
    """Who uses a card and is no worker of Quartet."""
    if row["other_processes"]:
        return " ".join(f"process {process}" for process in row["other_processes"])
    unlisted = row["unlisted_bytes"]
    return f"{unlisted / 1e9:.1f} GB by processes not seen" if unlisted >= outsiders.LEAST_BYTES else ""


def _show(found: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("GPU", "NAME", "MEMORY", "LOAD", "HOLDER", "JOB", "OTHERS", "UUID"):
        table.add_column(column, overflow="fold")
    for row in found:
        load, others = row["load_percent"], _others(row)
        table.add_row(
            row["gpu"],
            row["name"],
            f"{row['memory_used'] / 1e9:.1f} of {row['memory_total'] / 1e9:.1f} GB",
            "" if load is None else f"{load} %",
            " ".join(row["holders"]) or ("" if others else "free"),
            " ".join(row["jobs"]),
            others,
            row["uuid"],
        )
    console().print(table)


def main(as_json: bool) -> None:
    """Print the GPUs.

    Args:
        as_json: as JSON; otherwise as a table.

    Raises:
        MissingPart: NVIDIA's driver does not answer.
        InvalidSetting: a setting is wrong.
    """
    found = rows(read_settings())
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    elif found:
        _show(found)
    else:
        sys.stdout.write("no NVIDIA GPU found\n")


if __name__ == "__main__":
    try:
        main("--json" in sys.argv[1:])
    except QuartetError as error:
        sys.exit(print_error("quartet", error))
