"""Restores sweeps after Redis lost its data: from their files, and from what their jobs say of them."""

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import DamagedFolder, InvalidInput
from jobs.ledger.job_record import check_sweep
from jobs.ledger.sweep_record import SweepRecord
from jobs.moments import milliseconds
from jobs.store.history import History
from jobs.store.results import Results
from jobs.sweeps.entry import Entry
from jobs.sweeps.sweep_folder import FILE, read_sweep, sweep_folder, sweeps_with_file

if TYPE_CHECKING:
    from jobs.ledger.ledger import Ledger

_BATCH = 500
_CLOCKS_DIFFER = 60_000
"""Milliseconds: a job that was submitted so long before its sweep began is of an earlier one of that name."""

_Lost = dict[str, tuple[SweepRecord, dict[str, Entry]]]


def rebuild_sweeps(ledger: "Ledger", results: Results) -> tuple[list[str], list[Path]]:
    """Write every sweep that ran, and that the ledger does not know, into it; its jobs have been restored.

    An entry whose job is lost is dropped, so that the sweep asks for it again. Sweeps that were stopped or
    had ended are read from their files.

    Args:
        ledger: where sweeps are restored.
        results: where their files and their jobs' folders are.

    Returns:
        The names of those that were restored, and the files that cannot be read.

    Raises:
        RedisUnreachable: Redis cannot be reached.
        OSError: the results volume cannot be read.
    """
    lost: _Lost = {}
    unreadable: list[Path] = []
    known = set(ledger.sweep_names())
    for name in sweeps_with_file(results):
        try:
            record = read_sweep(results, name) if name not in known else None
        except InvalidInput:
            unreadable.append(sweep_folder(results, name) / FILE)
            continue
        if record is not None and record.state == "running":
            lost[name] = record, {entry.key: entry for entry in record.entries}
    if lost:
        _add_recorded(ledger, lost)
        _add_published(results, lost)
    restored = []
    for name, (record, entries) in lost.items():
        found = _with_job(ledger, results, list(entries.values()))
        if ledger.restore_sweep(record, "running", found):
            restored.append(name)
    return restored, unreadable


def restore_ended(ledger: "Ledger", results: Results, name: str) -> bool:
    """Let Redis know a sweep that does not run, and that it no longer knows, from its file.

    Returns:
        Whether there is such a sweep, in whatever state.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    if name in ledger.sweep_names():
        return True
    try:
        kept = read_sweep(results, name)
    except InvalidInput:  # a newer version may read it
        return True
    if kept is not None and kept.state != "running":
        ledger.restore_sweep(kept, kept.state, kept.entries)
    return kept is not None


class LostSweeps:
    """Finds sweeps that ran and that Redis does not know; files that say otherwise are not read again."""

    def __init__(self) -> None:
        self._not_running: dict[str, int] = {}

    def find(self, ledger: "Ledger", results: Results) -> list[str]:
        """Their names, in alphabetical order.

        Raises:
            RedisUnreachable: Redis cannot be reached.
            OSError: the results volume cannot be read.
        """
        found = []
        for name in sorted(set(sweeps_with_file(results)) - set(ledger.sweep_names())):
            written = (sweep_folder(results, name) / FILE).stat().st_mtime_ns
            if self._not_running.get(name) == written:
                continue
            try:
                record = read_sweep(results, name)
            except InvalidInput:
                continue
            if record is not None and record.state == "running":
                found.append(name)
            else:
                self._not_running[name] = written
        return found


def _add_recorded(ledger: "Ledger", lost: _Lost) -> None:
    """Add the entries of the jobs that the ledger knows."""
    ids = ledger.ids()
    for start in range(0, len(ids), _BATCH):
        for record in ledger.records(ids[start : start + _BATCH]):
            if record.sweep is not None:
                _add(lost, record.sweep["name"], record.sweep["entry"], record.id, record.submitted)


def _add_published(results: Results, lost: _Lost) -> None:
    """Add the entries of the jobs that have a folder."""
    for row in History(results).rows():
        folder = results.find(row.id) if row.sweep in lost else None
        if folder is not None and row.sweep is not None and row.submitted is not None:
            try:
                sweep = check_sweep(folder.job.get("sweep"))
            except (DamagedFolder, ValueError):
                continue
            if sweep is not None:
                _add(lost, row.sweep, sweep["entry"], row.id, milliseconds(row.submitted))


def _add(lost: _Lost, name: str, value: object, job_id: str, submitted: int) -> None:
    """Add the entry of a job, unless the sweep has a newer job in its place."""
    if name not in lost or not isinstance(value, dict):
        return
    record, entries = lost[name]
    try:
        entry = Entry.of(value)
    except (LookupError, TypeError, ValueError, AttributeError):
        return
    before = entries.get(entry.key)
    if entry.job != job_id or submitted < record.created - _CLOCKS_DIFFER:
        return
    if before is None or before.job < job_id:  # it continues the one before, which had failed
        entries[entry.key] = entry


def _with_job(ledger: "Ledger", results: Results, entries: list[Entry]) -> list[Entry]:
    """The entries whose job is known to the ledger, or has a folder."""
    known = ledger.known([entry.job for entry in entries])
    return [entry for entry in entries if entry.job in known or results.find(entry.job) is not None]
