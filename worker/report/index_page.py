"""Writes results/index.html, the page of all jobs, from the index of published jobs.

The page itself lists the newest jobs, for a browser without JavaScript and a reader of its source. Its
program, `templates/index_*.js`, puts all jobs in their place, from the scripts that `index_data` writes.
"""

import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import groupby

from markupsafe import Markup

from jobs.ids import submitted_at
from jobs.models import all_parameters
from jobs.store.atomic_files import whole_file
from jobs.store.file_lock import try_lock
from jobs.store.history import History
from jobs.store.history_row import Row
from jobs.store.results import Results
from worker.report.formatting import clipped, duration, rounded_number
from worker.report.index_data import is_opaque, write_data
from worker.report.templating import fragment, page

log = logging.getLogger(__name__)

MOST_ROWS = 100
"""Jobs in the page itself."""

LOCK = ".index.lock"
LOCK_SECONDS = 3.0
"""How long to wait for another worker that writes the page; it may be frozen."""

_LONGEST_REASON = 160


@dataclass(frozen=True)
class Entry:
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
    warning: str = ""
    thumbnail: bool = False
    opaque: bool = False

    @property
    def submitted(self) -> datetime:
        """When the job was submitted, as its id says even where its folder is damaged."""
        return submitted_at(self.id)


def write_index(results: Results) -> bool:
    """Write results/index.html and results/index/: all jobs, each with its thumbnail and its headline.

    Workers take turns, so no page lacks a job that an earlier page had.

    Args:
        results: the folder of all jobs; it is created if need be.

    Returns:
        False if nothing was written, since another worker was writing for `LOCK_SECONDS`.

    Raises:
        OSError: the results volume is full, read-only or gone.
    """
    results.root.mkdir(parents=True, exist_ok=True)
    with try_lock(results.root / LOCK, LOCK_SECONDS) as held:
        if not held:
            log.warning(
                "results/index.html was not written: another worker has been at it for %g s", LOCK_SECONDS
            )
            return False
        is_complete = History(results).bring_up_to_date()
        write_data(results)
        rows = _newest(History(results), is_complete)
        days = [
            (day, [_rendered(_entry(results, row)) for row in of_day])
            for day, of_day in groupby(rows[:MOST_ROWS], key=lambda row: submitted_at(row.id).date())
        ]
        with whole_file(results.root / "index.html") as file:
            first = "" if rows else first_command()
            file.write(
                page(
                    "index.html",
                    days=days,
                    shown=min(len(rows), MOST_ROWS),
                    has_more=len(rows) > MOST_ROWS,
                    first_command=first,
                    nonce=secrets.token_urlsafe(18),
                )
            )
    return True


def first_command() -> str:
    """A command that trains on a dataset that needs no download; empty where there is none."""
    for kind in all_parameters():
        for dataset in kind.datasets:
            if kind.action == "train" and dataset.offline:
                return f"quartet run {kind.model} train --data {dataset.name}"
    return ""


def _newest(history: History, is_complete: bool) -> list[Row]:
    """One job more than the page itself lists."""
    if is_complete:
        with suppress(OSError):  # the folders tell more than a damaged index
            return history.recent(MOST_ROWS + 1)
    return history.newest(MOST_ROWS + 1)


@lru_cache(maxsize=2 * MOST_ROWS)
def _rendered(entry: Entry) -> Markup:
    """Render a row once in each process."""
    return fragment("index_row.html", row=entry)


def _entry(results: Results, row: Row) -> Entry:
    best, reason = row.headline, (row.error or "").split("\n", 1)[0]
    return Entry(
        id=row.id,
        state=row.state,
        what=row.kind,
        name=row.name or "",
        value=rounded_number(best["value"]) if best else "",
        unit=best["unit"] if best else "",
        label=best["label"] if best else "",
        took=duration(row.seconds) if row.seconds else "",
        reason=clipped(reason, _LONGEST_REASON),
        warning=row.warning or "",
        thumbnail=row.thumbnail,
        opaque=row.thumbnail and is_opaque(results.root / row.id / "figures" / "thumbnail.png"),
    )
