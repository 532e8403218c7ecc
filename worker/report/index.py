"""Makes results/index.html: the newest jobs, from their published folders alone."""

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
from jobs.files import whole_file
from jobs.folder import JobFolder, Results
from jobs.job_id import submitted_at
from worker.report.html import fragment, page
from worker.report.words import clipped, duration, rounded_number

MOST_ROWS = 1_000
"""Jobs on the page; older ones stay in their folders."""

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
        """When the job was submitted, which its id tells even where nothing else does."""
        return submitted_at(self.id)


def write_index(results: Results) -> None:
    """Write results/index.html: all jobs, newest first, with a thumbnail and the headline number of each.

    Workers take turns, so that a page never lacks a job that an earlier page had.

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
            file.write(page("index.html", days=days, shown=len(shown), total=len(ids)))


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    """The file as it is: a symbolic link in its place would have us write elsewhere."""
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
    """Read and write a row once for each process: what is published does not change. Errors are not kept."""
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
