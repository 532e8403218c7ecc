"""Writes results/index/: all jobs as scripts that index.html loads, since a page on a disk may read no JSON.

Each script has the rows of one part of the index of published jobs, and each training job one of its losses
(`loss_scripts`). One more job costs two scripts, however many there are: a hidden file says up to where each
day's file was read.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jobs.errors import InvalidModel
from jobs.models import import_part, model_names
from jobs.store.atomic_files import whole_file, write_json
from jobs.store.day_files import MOST_BYTES, DayFiles
from jobs.store.day_parts import Mark, changed_parts, count_of_parts, mark_of
from jobs.store.history import FOLDER as HISTORY_FOLDER
from jobs.store.history import History
from jobs.store.history_row import Row
from jobs.store.labels_script import write_labels_script
from jobs.store.page_deletions import deleted_of_page, forget_deleted
from jobs.store.regular_files import open_regular, read_regular
from jobs.store.results import Results
from jobs.store.strict_json import parse_json
from worker.report.blocks import Metric
from worker.report.formatting import duration, rounded_number
from worker.report.loss_scripts import remove_losses, write_losses
from worker.report.page_scripts import harmless, make_folder, program_of, script_of, write_if_changed

log = logging.getLogger(__name__)

FOLDER = "index"
FORMAT = 2
"""Of the scripts; the page refuses another one. Raise it where a field changes."""

PROGRAM = ("nodes", "axes", "curve_zoom", "overlaid_curves", "index_jobs", "index_compare", "index_page")
"""The files of the page's program, in their order."""

_MARKS = ".marks.json"
_MOST_MARKS_BYTES = 2**24
_NONE = Mark(0, "")
_DAY = re.compile("[0-9]{8}")
_OF_A_DAY = re.compile(r"([0-9]{8})(?:-([0-9]+)\.js)?")
_PNG_COLOUR_TYPE = 25
"""Where a PNG's header says how its pixels are stored; 4 and 6 are with transparency."""


def write_data(results: Results) -> None:
    """Bring results/index/ up to date with the index of published jobs; one process at a time may.

    Raises:
        OSError: the results volume is full, read-only or gone.
    """
    folder = results.root / FOLDER
    make_folder(folder)
    deleted = deleted_of_page(results.root)
    anew = {job_id[:8] for job_id in deleted}
    known = _read_marks(folder)
    before = {day: mark for day, mark in known.items() if day not in anew}
    days = DayFiles(results.root / HISTORY_FOLDER).days()
    marks = {day: mark for day in days if (mark := _write_day(results, day, before.get(day), folder))}
    write_labels_script(results.root)
    write_if_changed(folder / "gallery.js", program_of(PROGRAM).encode())
    write_if_changed(folder / "contents.js", _contents(marks))
    if marks != known:
        write_json(folder / _MARKS, {"format": FORMAT, "days": marks}, durable=False)
    _remove_stale(folder, marks, known)
    forget_deleted(results.root, deleted)


def _write_day(results: Results, day: str, before: Mark | None, folder: Path) -> Mark | None:
    """Write the scripts of a day that have changed; return how far its file was read."""
    try:
        file = DayFiles(results.root / HISTORY_FOLDER).opened(day)
    except OSError as error:
        log.warning("results/index.html lacks jobs of %s: %s", day, error)
        return None
    ids: set[str] = set()
    first = None
    with file:
        now = mark_of(file)
        for part in changed_parts(file, now, before):
            first = part.number if first is None else first
            rows = History(results).rows_of(day, part.content)
            with whole_file(folder / f"{day}-{part.number}.js") as script:
                script.write(script_of("quartetRows", [_shown(results, row) for row in rows]))
            write_losses(results, rows, folder / day)
            ids.update(row.id for row in rows)
    if first == 0:  # so these are all jobs of the day
        remove_losses(folder / day, but_of=ids)
    return now


def _remove_stale(folder: Path, marks: Mapping[str, Mark], known: Mapping[str, Mark]) -> None:
    """Remove the scripts of days and parts that are no more; look for them if it is not known which were."""
    if known:
        stale = [
            (day, number)
            for day, mark in known.items()
            for number in range(count_of_parts(marks.get(day, _NONE)), count_of_parts(mark))
        ]
        gone = known.keys() - marks.keys()
    else:
        found = [match for path in folder.iterdir() if (match := _OF_A_DAY.fullmatch(path.name))]
        stale = [
            (day, int(number))
            for day, number in (match.groups() for match in found)
            if number is not None and int(number) >= count_of_parts(marks.get(day, _NONE))
        ]
        gone = {match[1] for match in found} - marks.keys()
    for day, number in stale:
        (folder / f"{day}-{number}.js").unlink(missing_ok=True)
    for day in gone:
        remove_losses(folder / day)


def _shown(results: Results, row: Row) -> dict[str, Any]:
    """What the page knows of a job, without what is empty."""
    best = row.headline
    known = {
        "id": row.id,
        "state": row.state,
        "model": row.model,
        "action": row.action,
        "name": row.name,
        "headline": best and [best["label"], rounded_number(best["value"]), best["unit"]],
        "took": duration(row.seconds) if row.seconds else "",
        "seconds": row.seconds,
        "reason": (row.error or "").split("\n", 1)[0],
        "warning": row.warning,
        "source": row.source,
        "thumbnail": row.thumbnail,
        "opaque": row.thumbnail and is_opaque(results.root / row.id / "figures" / "thumbnail.png"),
        "metrics": _without_interval_ends(row),
        "parameters": row.parameters,
        "tags": list(row.tags),
        "note": row.note,
    }
    return {key: harmless(value) for key, value in known.items() if value}


def _without_interval_ends(row: Row) -> dict[str, float]:
    """The job's numbers, but for the ends of intervals: they have no label, and nobody sorts by them."""
    ends = _interval_ends().get(row.model, frozenset())
    return {name: value for name, value in row.metrics.items() if name not in ends}


@lru_cache(maxsize=4096)
def is_opaque(thumbnail: Path) -> bool:
    """Whether a thumbnail has a ground of its own: white, as in Quartet 0.1, so dark mode must dim it."""
    try:
        with open_regular(thumbnail, MOST_BYTES) as file:
            return file.read(_PNG_COLOUR_TYPE + 1)[_PNG_COLOUR_TYPE] not in (4, 6)
    except (OSError, IndexError):
        return False


def _contents(marks: Mapping[str, Mark]) -> bytes:
    """The script that says how many parts each day has, and how metrics are called and formatted."""
    days = {day: count_of_parts(mark) for day, mark in marks.items()}
    value = {"format": FORMAT, "days": days, "metrics": _metrics(), "loss_units": _loss_units()}
    return script_of("quartetContents", value)


@cache
def _metrics() -> dict[str, dict[str, Any]]:
    """Label, unit, decimals and better direction of each metric by name, by model."""
    return {
        model: {each.name: [each.label, each.unit, each.digits, each.better] for each in metrics}
        for model, metrics in _metrics_of_models()
    }


@cache
def _interval_ends() -> dict[str, frozenset[str]]:
    """The names of the ends of all intervals, by model."""
    return {
        model: frozenset(end for each in metrics for end in each.interval or ())
        for model, metrics in _metrics_of_models()
    }


@cache
def _loss_units() -> dict[str, str]:
    """The unit of the losses of each model that says so."""
    return {
        model: each.unit
        for model, metrics in _metrics_of_models()
        for each in metrics
        if each.column == "validation_loss"
    }


def _metrics_of_models() -> Iterator[tuple[str, Sequence[Metric]]]:
    for model in model_names():
        try:
            metrics = import_part(model, "metrics").METRICS
            if all(isinstance(each, Metric) for each in metrics):
                yield model, metrics
        except (InvalidModel, AttributeError, TypeError):
            continue  # its jobs are listed all the same


def _read_marks(folder: Path) -> dict[str, Mark]:
    """How far each day's file was read; nothing if that was lost, or is of another format."""
    try:
        known = parse_json(read_regular(folder / _MARKS, _MOST_MARKS_BYTES))
        if known["format"] != FORMAT:
            return {}
        marks = {day: Mark(*mark) for day, mark in known["days"].items()}
        is_whole = all(
            _DAY.fullmatch(day) and 0 <= mark.end <= MOST_BYTES and isinstance(mark.end, int)
            for day, mark in marks.items()
        )
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return {}
    return marks if is_whole else {}
