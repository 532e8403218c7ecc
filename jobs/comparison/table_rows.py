"""Compared jobs as flat rows: for pandas and polars, as CSV and as Parquet. Nothing is rounded."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from jobs.comparison.run import Run
from jobs.errors import MissingPart
from jobs.escape_control import escape_line
from jobs.store.atomic_files import whole_file

FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for a formula if a text begins with it."""


def table_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row for each job; all have the same keys, with None for what a job lacks.

    Parameters are called `parameters.epochs`, those of the job whose model was used `training.epochs`, and
    numbers `metrics.accuracy`, as a parameter and a number may have the same name.
    """
    rows = [_row(run) for run in runs]
    own = list(dict.fromkeys(name for row in rows for name in row))
    order = {name: place for place, name in enumerate(["", "parameters", "training", "metrics"])}
    names = sorted(own, key=lambda name: order.get(name.partition(".")[0] if "." in name else "", 0))
    return [{name: row.get(name) for name in names} for row in rows]


def _row(run: Run) -> dict[str, Any]:
    about = {
        "id": run.id,
        "name": run.name,
        "state": run.state,
        "model": run.model or None,
        "action": run.action or None,
        "sweep": run.sweep,
        "trial": run.trial,
        "point": run.point,
        "rung": run.rung,
        "seed": run.seed if run.kind else None,
        "tags": list(run.tags),
        "data": run.data,
        "from": run.source,
        "submitted": run.submitted,
        "seconds": run.seconds,
        "epochs_done": run.epochs_done,
        "error": run.error,
        "code": run.code or None,
        "report": run.report,
    }
    groups = (("parameters", run.parameters), ("training", run.training), ("metrics", run.metrics))
    return about | {f"{group}.{name}": each for group, values in groups for name, each in values.items()}


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV: a list as JSON, and what a job lacks as an empty cell.

    Names and errors come from anybody. A text that a spreadsheet would take for a formula gets an apostrophe
    before it, and control characters are replaced by their codes. Numbers are left as they are.

    Args:
        rows: with the same keys, at least one.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_safe(name) for name in rows[0]])
    writer.writerows([[_csv_cell(value) for value in row.values()] for row in rows])
    return file.getvalue()


def _csv_cell(value: Any) -> str | float:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    return _safe(value if isinstance(value, str) else json.dumps(value))


def _safe(text: str) -> str:
    text = escape_line(text)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def write_parquet(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows as a Parquet file: each column has one type; one with several has texts of JSON.

    Args:
        rows: with the same keys, at least one.
        path: of the file; one that is there is replaced.

    Raises:
        MissingPart: pyarrow is not installed.
        OSError: the file cannot be written.
    """
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        hint = "`pip install 'quartet[parquet]'` installs it; --csv and --json need nothing"
        raise MissingPart("Parquet files need pyarrow, which is not installed", hint=hint) from None
    columns = {name: _column(arrow, name, [row[name] for row in rows]) for name in rows[0]}
    with whole_file(path) as file:
        parquet.write_table(arrow.table(columns), file)


def _column(arrow: Any, name: str, values: Sequence[Any]) -> Any:
    there = [value for value in values if value is not None]
    if name == "tags":
        return arrow.array(values, arrow.list_(arrow.string()))
    types: list[tuple[Any, Callable[[Any], bool]]] = [
        (arrow.int64(), lambda value: isinstance(value, int) and -(2**63) <= value < 2**63),
        (arrow.float64(), lambda value: isinstance(value, int | float)),
        (arrow.string(), lambda value: isinstance(value, str)),
    ]
    # A number of a job is a float, however many of them happen to be integers.
    wanted = types[1:] if name.startswith("metrics.") or name == "seconds" else types
    for kind, fits in wanted if there else types[2:]:
        if all(map(fits, there)):
            return arrow.array(values, kind)
    return arrow.array([None if value is None else json.dumps(value) for value in values], arrow.string())
