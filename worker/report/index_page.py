"""Writes results/index.html, the page of the newest jobs, from their published folders alone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from markupsafe import Markup

from jobs.errors import DamagedFolder
from jobs.ids import submitted_at
from jobs.models import all_parameters
from jobs.store.atomic_files import whole_file
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results
from worker.report.formatting import clipped, duration, rounded_number
from worker.report.templating import fragment, page

MOST_ROWS = 1_000
"""Jobs on the page; of older ones there is only the folder."""

LOCK = ".index.lock"
_LONGEST_REASON = 160


@dataclass(frozen=True)
class Row:
    """One job on the page. A damaged folder has a state and a reason, and nothing else."""

    id: str
    state: str
    what: str = ""
    name: str = ""
    value: str = ""
    unit: str = ""
    label: str = ""
    took: str = ""
    reason: str = ""
    thumbnail: bool = False

    @property
    def submitted(self) -> datetime:
        """When the job was submitted, as its id says even where its folder is damaged."""
        return submitted_at(self.id)


def write_index(results: Results) -> None:
    """Write results/index.html: the newest jobs, each with its thumbnail and its headline.

    Workers take turns, so no page lacks a job that an earlier page had.

    Args:
        results: the folder of all jobs; it is created if need be.

    Raises:
        OSError: the results volume is full, read-only or gone.
    """
    results.root.mkdir(parents=True, exist_ok=True)
    with _lock_file(results.root / LOCK) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ids = results.ids()
        shown = ids[:MOST_ROWS]
        days = [
            (day, [_row(results.root / job_id) for job_id in of_day])
            for day, of_day in groupby(shown, key=lambda job_id: submitted_at(job_id).date())
        ]
        with whole_file(results.root / "index.html") as file:
            first = "" if ids else first_command()
            file.write(page("index.html", days=days, shown=len(shown), total=len(ids), first_command=first))


def first_command() -> str:
    """A command that trains on a dataset that needs no download; empty where there is none."""
    for kind in all_parameters():
        for dataset in kind.datasets:
            if kind.action == "train" and dataset.offline:
                return f"quartet run {kind.model} train --data {dataset.name}"
    return ""


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    """Open the lock file, but not through a symbolic link, which could lead anywhere."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _row(path: Path) -> Markup:
    try:
        return _published_row(path)
    except (DamagedFolder, OSError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        why = "This folder's job.json is missing or is not a job's record."
        return fragment("index_row.html", row=Row(path.name, "damaged", reason=why))


@lru_cache(maxsize=2 * MOST_ROWS)
def _published_row(path: Path) -> Markup:
    """Render a row once in each process, since a published folder does not change; errors are not cached."""
    return fragment("index_row.html", row=_read(path))


def _read(path: Path) -> Row:
    job = JobFolder(path).job
    spec, best, error = job["spec"], job["headline"], job["error"]
    return Row(
        id=path.name,
        state=str(job["state"]),
        what=f"{spec['model']} {spec['action']}",
        name=str(spec["name"] or ""),
        value=rounded_number(best["value"]) if best else "",
        unit=str(best["unit"]) if best else "",
        label=str(best["label"]) if best else "",
        took=duration(job["seconds"]) if job["seconds"] else "",
        reason=clipped(error.split("\n", 1)[0], _LONGEST_REASON) if error else "",
        thumbnail=(path / "figures" / "thumbnail.png").is_file(),
    )
