"""Sweeps in the ledger: what each one is, its state, and its jobs.

Each transition is one Lua script, as for jobs: an entry and its job are written in one step, and no two jobs
get the same entry. So nothing is run twice and nothing is lost, whoever advances a sweep and whatever dies.
"""

import json
from collections.abc import Sequence
from typing import Any, Literal

from jobs.errors import InvalidInput, InvalidJob
from jobs.ledger.job_record import STATES, state_phrase
from jobs.ledger.messages import list_of, task_name
from jobs.ledger.reader import in_milliseconds
from jobs.ledger.sweep_record import SWEEP_FIELDS, SweepRecord, SweepState, description
from jobs.ledger.upkeep import LedgerUpkeep
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.sweeps.entry import Entry
from jobs.sweeps.sweep_spec import SweepSpec

Added = Literal["added", "taken", "over"]
"""Whether a sweep has the entry now: `taken` if another job has it, `over` if the sweep does not run."""


class LedgerSweeps(LedgerUpkeep):
    """All transitions of all sweeps.

    Every method raises RedisUnreachable when Redis cannot be reached.
    """

    def _sweep_key(self, name: str) -> str:
        return f"{self.prefix}sweep:{name}"

    def sweep_names(self) -> list[str]:
        """The names of all sweeps that Redis knows, in alphabetical order."""
        found: list[str] = self.ask(lambda redis: redis.zrange(f"{self.prefix}sweeps", 0, -1))
        return found

    def sweep_states(self) -> dict[str, str]:
        """Each sweep that Redis knows -> its state."""
        names = self.sweep_names()
        states = self._of_each(names, lambda pipeline, name: pipeline.hget(self._sweep_key(name), "state"))
        return {name: state for name, state in zip(names, states, strict=True) if state}

    def sweeps_to_advance(self) -> list[str]:
        """The names of the sweeps that run, and of those that changed since their file was written."""
        names = self.sweep_names()
        fields = ("state", "changes", "saved")
        found = self._of_each(names, lambda pipeline, name: pipeline.hmget(self._sweep_key(name), *fields))
        return [
            name
            for name, (state, changes, saved) in zip(names, found, strict=True)
            if state == "running" or (state and changes != saved)
        ]

    def sweep(self, name: str) -> SweepRecord | None:
        """A sweep with its entries, None if Redis does not know it.

        Raises:
            InvalidInput: its record cannot be read.
        """

        def question(redis: Any) -> list[Any]:
            both = redis.pipeline(transaction=False)  # an entry that is newer than the count comes again
            both.hmget(self._sweep_key(name), *SWEEP_FIELDS)
            both.hgetall(f"{self.prefix}entries:{name}")
            answer: list[Any] = both.execute()
            return answer

        fields, entries = self.ask(question)
        return None if fields[0] is None else SweepRecord.of_fields(name, fields, entries)

    def put_sweep(self, spec: SweepSpec, before: str = "") -> bool:
        """Begin a sweep, or go on with one that has another description from now on.

        Args:
            spec: its description.
            before: the description that it has now, as `SweepRecord.described`; empty for a new one.

        Returns:
            False if it has another description by now; nothing was written then.
        """
        return bool(self.run("put_sweep", int, spec.name, description(spec), before))

    def submit_trial(
        self,
        sweep: str,
        entry: Entry,
        spec: JobSpec,
        continues: str | None = None,
        replaces: str = "",
        began: int | None = None,
    ) -> Added:
        """Submit a job of a sweep that runs, and write its entry, in one step.

        Args:
            sweep: its name.
            entry: of the job, whose id is new.
            spec: the job.
            continues: the id of the job whose checkpoint it resumes from.
            replaces: the id of the job whose place it takes; a sweep that has ended goes on with it.
            began: when the sweep began for which this was decided, in milliseconds since 1970: another may
                have its name by now. None for whichever has it.

        Raises:
            InvalidJob: a job it depends on failed or was cancelled; nothing was written.
        """
        text = json.dumps(entry.as_dict())
        part = json.dumps({"name": sweep, "entry": entry.as_dict()})
        last = [began or "", *(each for each, _ in spec.needs().values())]
        about = job_arguments(entry.job, spec, continues)
        answer = self.run("submit_trial", list, sweep, entry.key, text, *about, part, replaces, *last)
        if answer[0] == "refused":
            raise refused(answer)
        return "over" if answer[0] == "over" else "added" if answer[0] in STATES else "taken"

    def add_reused(self, sweep: str, entry: Entry, began: int) -> Added:
        """Add a job that had succeeded before the sweep asked for it; `began` is as for `submit_trial`."""
        answer = self.run("add_reused", str, sweep, entry.key, json.dumps(entry.as_dict()), began)
        return "added" if answer == "added" else "over" if answer == "over" else "taken"

    def end_sweep(
        self, name: str, state: Literal["stopped", "ended"], why: str, decided: SweepRecord | None = None
    ) -> SweepState | None:
        """End a sweep that runs; its jobs stay as they are.

        Args:
            name: of the sweep.
            state: which it has then.
            why: for people.
            decided: the record by which this was decided; it goes on if it has changed since.

        Returns:
            The state before, None if Redis does not know it.
        """
        seen = ("", "") if decided is None else (decided.created, decided.changes)
        before = self.run("end_sweep", str, name, state, why, *seen)
        return next((each for each in ("running", "stopped", "ended") if each == before), None)

    def note_sweep(self, name: str, why: str) -> bool:
        """Record why a sweep that runs does not go on; an empty text takes that back.

        Returns:
            Whether that is new.
        """
        return bool(self.run("note_sweep", int, name, why))

    def restore_sweep(self, record: SweepRecord, state: SweepState, entries: Sequence[Entry]) -> bool:
        """Write a sweep that Redis does not know.

        Returns:
            False if Redis knows it; nothing was written then.
        """
        pairs = [part for entry in entries for part in (entry.key, json.dumps(entry.as_dict()))]
        ended = "" if state == "running" else record.ended or ""
        about = (record.name, record.described, state, record.created, ended, record.why)
        return bool(self.run("restore_sweep", int, *about, *pairs))

    def sweep_saved(self, record: SweepRecord) -> bool:
        """Record that a sweep's file was written as this record has it.

        Returns:
            False if Redis does not know that sweep any more; nothing was written then.
        """
        return bool(self.run("sweep_saved", int, record.name, record.created, record.changes))

    def delete_sweep(self, name: str) -> bool:
        """Remove a sweep; its jobs stay as they are.

        Returns:
            False if it runs; nothing was removed then.
        """
        return bool(self.run("delete_sweep", int, name))

    def forget_sweep(self, name: str, older_than_seconds: float) -> bool:
        """Remove a sweep that ended longer ago and whose file is up to date.

        Returns:
            Whether it was.
        """
        return bool(self.run("forget_sweep", int, name, in_milliseconds(older_than_seconds)))


def job_arguments(job_id: str, spec: JobSpec, continues: str | None) -> tuple[str, ...]:
    """The arguments that all scripts that submit a job have."""
    return (
        job_id,
        StoredSpec.of(spec).to_json(),
        spec.name or "",
        list_of(spec.action, spec.priority),
        task_name(spec.model, spec.action),
        continues or "",
    )


def entry_arguments(job_id: str, sweep: dict[str, Any] | None) -> tuple[str, ...]:
    """The arguments of `submit` for the sweep of a job that the new one retries.

    Raises:
        InvalidInput: it cannot be read.
    """
    if sweep is None:
        return "", "", "", ""
    try:
        entry = Entry.of({**sweep["entry"], "job": job_id})
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput("job", expected="a job of a sweep", given=f"another one ({error})") from None
    text = json.dumps(entry.as_dict())
    return json.dumps({"name": sweep["name"], "entry": entry.as_dict()}), sweep["name"], entry.key, text


def refused(answer: list[Any]) -> InvalidJob:
    """The error for a job that depends on one which failed or was cancelled."""
    return InvalidJob(
        "from",
        expected="a training job that succeeded or will run",
        given=f"job {answer[1]}, which {state_phrase(answer[2])}",
        hint=f"`quartet retry {answer[1]}` queues it again",
    )
