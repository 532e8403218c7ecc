"""`quartet compare`: jobs beside each other, as a table, as rows for other programs, or as a page."""

import sys
from typing import TYPE_CHECKING

import click

from jobs.cli.common import as_json, count_of_jobs, print_json
from jobs.cli.usage import Command
from jobs.errors import InvalidInput, RedisUnreachable

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.comparison.comparison import Comparison

PAGE = "compare.html"


@click.command("compare", cls=Command)
@click.argument("references", metavar="[JOB]...", nargs=-1)
@click.option("--sweep", "sweeps", multiple=True, metavar="SWEEP", help="the trials of this sweep")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="only jobs that have this tag")
@click.option("--last", metavar="N", help="the newest jobs, so many")
@click.option("--model", metavar="MODEL", help="only jobs of this model")
@click.option("--action", metavar="ACTION", help="only jobs that do this [train, evaluate, generate]")
@click.option(
    "--sort", metavar="METRIC", help="the best first, by this number [default: the sweep's, or the headline]"
)
@click.option("--metric", "metrics", multiple=True, metavar="METRIC", help="show this number")
@click.option("--all-metrics", is_flag=True, help="show all numbers")
@click.option("--csv", "as_csv", is_flag=True, help="print CSV: a row for each job, nothing rounded")
@as_json
@click.option("--parquet", metavar="FILE", help="write a Parquet file")
@click.option("--page", is_flag=True, help="write compare.html: curves, parameters against numbers")
def compare_command(
    references: tuple[str, ...],
    sweeps: tuple[str, ...],
    tags: tuple[str, ...],
    last: str | None,
    model: str | None,
    action: str | None,
    sort: str | None,
    metrics: tuple[str, ...],
    all_metrics: bool,
    as_csv: bool,
    as_json: bool,
    parquet: str | None,
    page: bool,
) -> None:
    """Compare jobs: what differs between them, beside what came of it, the best first.

    --sweep, --tag and --metric may be given several times.
    """
    from jobs.client import Client

    forms = {"--csv": as_csv, "--json": as_json, "--parquet": parquet is not None, "--page": page}
    _check_one_form(forms)
    client = Client()
    comparison = client.compare(
        *references,
        sweep=sweeps,
        tag=tags,
        last=count_of_jobs("last", last),
        model=model,
        action=action,
        sort=sort,
    )
    if page:
        others = (references, tags, last, model, action, sort)
        _write_page(client, comparison, sort, sweeps[0] if len(sweeps) == 1 and not any(others) else None)
    elif any(forms.values()):
        _export(comparison, as_csv, parquet)
    else:
        _show(comparison, comparison.chosen(metrics, all_metrics))
    if comparison.without is not None:
        away = comparison.without
        raise RedisUnreachable(f"{away}; these are the jobs with a folder", hint=away.hint)


def _show(comparison: "Comparison", metrics: list[str]) -> None:
    from jobs.cli.compare_table import show_comparison
    from jobs.cli.job_table import MARK

    left_out = show_comparison(comparison, metrics)
    if left_out:
        click.echo(f"left out for the width: {', '.join(left_out)}; --csv and --json have all", err=True)
    if any(run.warnings for run in comparison.runs):
        click.echo(f"{MARK} marks doubtful numbers; `quartet show JOB` says why", err=True)


def _export(comparison: "Comparison", as_csv: bool, parquet: str | None) -> None:
    from pathlib import Path

    from jobs.comparison.table_rows import csv_text, table_rows, write_parquet
    from jobs.escape_control import escape_line

    for sentence in comparison.caveats:
        click.echo(escape_line(sentence), err=True)
    rows = table_rows(comparison.runs)
    if parquet is not None:
        write_parquet(rows, Path(parquet))
        click.echo(parquet)
    elif as_csv:
        click.echo(csv_text(rows), nl=False)
    else:
        print_json(rows)


def _write_page(client: "Client", comparison: "Comparison", sort: str | None, sweep: str | None) -> None:
    """Write compare.html into the working folder, and print its path.

    Args:
        client: knows the results folder.
        comparison: the jobs.
        sort: the number by which they are to be ranked, if one was asked for.
        sweep: the name of the sweep whose trials these are, all of them.

    Raises:
        MissingPart: the worker is not installed.
    """
    import subprocess
    from pathlib import Path

    from jobs.comparison.selection_text import selection_text
    from jobs.local.supervisor import check_worker_is_installed
    from jobs.sweeps.sweep_folder import read_sweep

    check_worker_is_installed()
    path = Path.cwd() / PAGE
    command = [sys.executable, "-P", "-m", "worker.report.compare_page", f"--results={client.results.root}"]
    command += [f"--path={path}"] + ([f"--sort={sort}"] if sort is not None else [])
    if sweep is not None and read_sweep(client.results, sweep) is not None:
        command.append(f"--sweep={sweep}")
    # A process of its own, since nothing in `jobs` imports the worker's code, which draws.
    done = subprocess.run(command, input=selection_text(comparison.selection), text=True)
    if done.returncode:
        sys.exit(done.returncode)
    click.echo(path)


def _check_one_form(given: dict[str, bool]) -> None:
    """Refuse several forms of the result at once.

    Raises:
        InvalidInput: there are several.
    """
    forms = [name for name, asked in given.items() if asked]
    if len(forms) > 1:
        raise InvalidInput("output", expected=f"one of {', '.join(given)}", given=" and ".join(forms))
