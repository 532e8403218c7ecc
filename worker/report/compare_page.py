"""Writes compare.html, the page of a comparison: one file that opens anywhere, with its program and its data.

`python -m worker.report.compare_page` does so for a command line.
"""

import argparse
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from jobs.comparison.selection import Selection
from jobs.comparison.selection_text import selection_of
from jobs.errors import InvalidInput, QuartetError
from jobs.ledger.sweep_record import SweepRecord
from jobs.store.atomic_files import whole_file
from jobs.store.results import Results
from jobs.sweeps.sweep_folder import read_sweep
from worker.report.compare_data import (
    PageOfRuns,
    link_to,
    page_data,
    page_of_runs,
    page_of_sweep,
    shown_facts,
)
from worker.report.costly_parts import CostlyParts
from worker.report.formatting import number
from worker.report.page_scripts import harmless, program_of, script_of
from worker.report.templating import page

FILE = "compare.html"

PROGRAM = (
    "nodes",
    "axes",
    "curve_zoom",
    "overlaid_curves",
    "compare_state",
    "compare_parallel",
    "compare_scatter",
    "compare_table",
    "compare_page",
)
"""The files of the page's program, in their order."""


def write_sweep_page(
    results: Results, sweep: SweepRecord, path: Path, *, parts: CostlyParts | None = None
) -> None:
    """Write the page that compares the trials of a sweep.

    Args:
        results: the folder of all jobs.
        sweep: as it stands.
        path: of the page, whose folder exists. It is replaced atomically.
        parts: what is remembered of an earlier page, for a process that writes it again and again.

    Raises:
        InvalidInput: this version cannot read the sweep's description.
        OSError: the page cannot be written.
    """
    _write(page_of_sweep(results, sweep), path, sweep.name, parts or CostlyParts())


def write_compare_page(
    results: Results, selection: Selection, path: Path, *, title: str = "Comparison", sort: str | None = None
) -> None:
    """Write the page that compares jobs; of those that have not ended it says how many there are.

    Args:
        results: the folder of all jobs.
        selection: the jobs.
        path: of the page, whose folder exists. It is replaced atomically.
        title: its heading.
        sort: the number by which they are ranked, if not that of their sweep or their model's headline.

    Raises:
        InvalidInput: they have no such number.
        OSError: the page cannot be written.
    """
    _write(page_of_runs(results, selection, sort), path, title, CostlyParts())


def _write(comparison: PageOfRuns, path: Path, title: str, parts: CostlyParts) -> None:
    shares, why_none, ended = parts.importance(comparison)
    data = page_data(comparison, path) | {
        "importance": {f"p:{name}": share for name, share in shares.items()}
    }
    facts = shown_facts(comparison)
    content = page(
        "compare.html",
        title=title,
        index=_index(comparison.results, path),
        facts=facts,
        doubts=facts["doubts"],
        state=_state(comparison.sweep),
        best=_best(comparison, path),
        without_best=_without_best(comparison),
        importance=list(shares.items()),
        why_no_importance=why_none,
        ended=ended,
        parts=parts.blocks(comparison),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        nonce=secrets.token_urlsafe(18),
        program=Markup(program_of(PROGRAM)),
        data=Markup(script_of("quartetCompare", harmless(data)).decode()),
    )
    with whole_file(path, durable=False) as file:
        file.write(content)


def _index(results: Results, path: Path) -> str:
    return link_to(results, "-", path).removesuffix("-/report.html") + "index.html"


def _state(sweep: SweepRecord | None) -> str:
    if sweep is None:
        return ""
    said = {"running": "The sweep runs", "stopped": "The sweep was stopped", "ended": "The sweep has ended"}
    return said[sweep.state] + (f": {sweep.why}" if sweep.why else "") + "."


def _best(comparison: PageOfRuns, path: Path) -> dict[str, Any] | None:
    """The best point, as the top of the page names it."""
    best, column = comparison.best, comparison.goal_column
    mean = best.mean(column.name) if best is not None and column is not None else None
    if best is None or column is None or mean is None:
        return None
    deviation = best.deviation(column.name)
    first = best.runs[0].run
    names = [each.name for each in comparison.columns if each.key.startswith("p:")]
    return {
        "label": best.label,
        "href": link_to(comparison.results, first.id, path) if len(best.runs) == 1 else "",
        "value": number(mean, column.digits),
        "deviation": "" if deviation is None else number(deviation, column.digits),
        "runs": len(best.runs),
        "parameters": [(name, _value(best.values[name])) for name in names if name in best.values],
    }


def _value(value: Any) -> str:
    return (
        f"{value:.6g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )


def _without_best(comparison: PageOfRuns) -> str:
    """Why no point is called the best."""
    if len(comparison.points) < 2:
        return "There is nothing to compare it with."
    if not comparison.found.comparable:
        return "None is called the best, since they read different data."
    if not comparison.found.groups:
        return "No run has succeeded."
    return "No point has run to its end in all of its runs."


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a page as the command line asks; its exit code, 2 for wrong input."""
    parser = argparse.ArgumentParser(
        prog="python -m worker.report.compare_page",
        description="Write the page that compares jobs, which are read from standard input.",
    )
    parser.add_argument("--results", type=Path, required=True, help="the folder of all jobs")
    parser.add_argument("--path", type=Path, required=True, help="of the page")
    parser.add_argument("--sort", help="the number by which the jobs are ranked")
    parser.add_argument("--sweep", help="the name of a sweep, whose trials are compared; nothing is read")
    given = parser.parse_args(arguments)
    results = Results(given.results)
    try:
        if given.sweep is None:
            write_compare_page(results, selection_of(sys.stdin.read()), given.path, sort=given.sort)
        elif (sweep := read_sweep(results, given.sweep)) is not None:
            write_sweep_page(results, sweep, given.path)
        else:
            raise InvalidInput("sweep", expected="a sweep that has a file", given=repr(given.sweep))
    except QuartetError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"{given.path} cannot be written: {error.strerror or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
