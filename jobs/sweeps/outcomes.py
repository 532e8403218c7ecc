"""What became of a sweep's jobs: their states from the ledger, their numbers from their folders.

A folder never changes, so it is read once. Of a job that runs, the numbers of its epochs are collected from
its progress messages, of which Redis keeps the latest few hundred.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any, cast

from jobs.errors import DamagedFolder, InvalidModel
from jobs.ledger.job_record import ENDED, Record, State
from jobs.ledger.ledger import Ledger
from jobs.models import import_part
from jobs.store.job_folder import JobFolder, is_finite
from jobs.store.results import Results
from jobs.sweeps.entry import Outcome

STOPPED = "stopped: "
"""How the error of a job begins that the sweep decided to cancel."""


class Outcomes:
    """What became of the jobs of one sweep, and what is remembered of them from one look to the next."""

    def __init__(self, ledger: Ledger, results: Results, model: str, metric: str) -> None:
        """Nothing is known yet.

        Args:
            ledger: knows the state of each job.
            results: where their folders are.
            model: the sweep's model.
            metric: the sweep's metric, a key of `metrics.json`.
        """
        self._ledger, self._results, self._metric = ledger, results, metric
        self._column = column_of(model, metric)
        self._ended: dict[str, Outcome] = {}
        self._histories: dict[str, dict[int, float]] = {}
        self._positions: dict[str, str] = {}

    def look(self, job_ids: Collection[str], *, without_redis: bool = False) -> dict[str, Outcome]:
        """What became of these jobs so far.

        Args:
            job_ids: of the jobs.
            without_redis: read their folders alone; jobs without one are gone.

        Raises:
            RedisUnreachable: Redis cannot be reached.
            DamagedFolder: a folder is not there, though the job has published it.
            OSError: the results volume is gone.
        """
        open_ids = [each for each in job_ids if each not in self._ended]
        found = [] if without_redis else self._ledger.records(open_ids)
        records = {record.id: record for record in found}
        self._read_progress([each.id for each in records.values() if each.state == "running"])
        unknown = [each for each in open_ids if each not in records]
        unreadable = self._ledger.known(unknown) if unknown and not without_redis else set()
        if unknown and not self._results.root.is_dir():
            raise FileNotFoundError(2, "No such folder", str(self._results.root))
        fresh = {each: self._outcome(each, records.get(each), each in unreadable) for each in open_ids}
        return {each: fresh[each] if each in fresh else self._ended[each] for each in job_ids}

    def _outcome(self, job_id: str, record: Record | None, unreadable: bool) -> Outcome:
        if record is not None and record.state not in ENDED:
            return Outcome(record.state, history=dict(self._histories.get(job_id, {})))
        folder = self._results.find(job_id)
        if folder is None:
            return self._without_folder(job_id, record, unreadable)
        outcome = self._ended[job_id] = self._of_folder(folder, record)
        self._histories.pop(job_id, None)
        self._positions.pop(job_id, None)
        return outcome

    def _without_folder(self, job_id: str, record: Record | None, unreadable: bool) -> Outcome:
        if record is None:
            return Outcome("failed", error="its record cannot be read") if unreadable else Outcome("gone")
        if record.folder:
            raise DamagedFolder(
                f"{self._results.root / job_id} is not there, though the job has published it",
                hint=f"if somebody removed it, `quartet delete {job_id}` says so to Redis",
            )
        history = dict(self._histories.get(job_id, {}))  # the sweeper publishes its folder in a moment
        return _ended(record.state, record.error, None, history)

    def _of_folder(self, folder: JobFolder, record: Record | None) -> Outcome:
        try:
            job = folder.job
            state = record.state if record is not None else job.get("state")
            error = record.error if record is not None else job.get("error")
            value = folder.metrics.get(self._metric)
            history = self._history(folder)
            data = _data(job.get("data"))
        except DamagedFolder as damage:
            return Outcome("failed", error=f"its folder cannot be read: {damage}")
        if state not in ENDED:
            return Outcome("failed", error="its folder does not say how it ended")
        return replace(_ended(cast(State, state), error, value, history), data=data)

    def _history(self, folder: JobFolder) -> dict[int, float]:
        rows = folder.history if self._column else []
        return {int(row["epoch"]): row[self._column] for row in rows if {"epoch", self._column} <= row.keys()}

    def _read_progress(self, running: Collection[str]) -> None:
        if not self._column:
            return
        asked = {job_id: self._positions.get(job_id, "0") for job_id in running}
        for job_id, messages in self._ledger.progress_since(asked).items():
            history = self._histories.setdefault(job_id, {})
            for position, values in messages:
                self._positions[job_id] = position
                epoch, value = values.get("epoch"), values.get(self._column)
                # One with a stage is of something else that the job trains on its way.
                if isinstance(epoch, int) and epoch > 0 and "stage" not in values and is_finite(value):
                    history[epoch] = float(cast(float, value))


def column_of(model: str, metric: str) -> str:
    """The column of `history.csv` from which a metric is taken, empty where it is from none that is known."""
    try:
        metrics = getattr(import_part(model, "metrics"), "METRICS", ())
    except (InvalidModel, KeyError):  # of another installation
        return ""
    for each in metrics:
        if getattr(each, "name", None) == metric:
            return str(getattr(each, "column", ""))
    return ""


def _data(read: Any) -> dict[str, str]:
    """The SHA-256 of each dataset in a job's record, which may come from anywhere."""
    records = read.items() if isinstance(read, Mapping) else ()
    return {str(name): str(each.get("sha256") or "") for name, each in records if isinstance(each, Mapping)}


def _ended(state: State, error: Any, value: float | None, history: Mapping[int, float]) -> Outcome:
    text = error if isinstance(error, str) else None
    number = None if value is None or not isfinite(value) else float(value)
    stopped = state == "cancelled" and (text or "").startswith(STOPPED)
    return Outcome(state, number, history, text, stopped)
