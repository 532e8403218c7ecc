"""`SweepMaker`: what a client does with sweeps."""

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from jobs.errors import InvalidInput, InvalidSweep, JobConflict, RedisUnreachable
from jobs.job import Job
from jobs.ledger.sweep_record import SweepRecord, description
from jobs.sweeps.describer import Describer
from jobs.sweeps.extension import check_extension
from jobs.sweeps.sweep_folder import read_sweep, sweeps_with_file
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.wording import shown

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.sweeps.sweep import Sweep

MOST_NAMED = 20
"""Sweeps that the refusal of an unknown name lists: those with the most similar names."""

_TRIES = 5
"""How often a sweep that others change meanwhile is looked at again."""


class SweepMaker(Describer):
    """Begins sweeps and finds them. Ended ones are found in `results/` even without Redis."""

    def sweep(
        self,
        model: str,
        action: str = "train",
        *,
        parameters: Mapping[str, Any],
        method: str = "grid",
        name: str | None = None,
        **more: Any,
    ) -> "Sweep":
        """Begin a sweep, as `create_sweep` does, from what a sweep's file has.

        Args:
            model: a model's name.
            action: what each trial does.
            parameters: each parameter -> a value; a list of values; or a mapping with the keys that a file
                has for it, such as `{"min": 1e-4, "max": 1e-2, "distribution": "log_uniform_values"}`.
            method: grid, random, sobol or tpe.
            name: by which it is found; without one, it is made from the model and the time.
            more: the other keys of a file: `data`, `metric`, `seeds`, `run_cap`, `early_terminate`,
                `parallel`, `then`, `max_failures` and so on; a list as `data` varies the dataset.

        Raises:
            InvalidSweep: something is wrong; `problems` has every mistake.
            JobConflict, RedisUnreachable: as `create_sweep` does.
        """
        if not isinstance(parameters, Mapping):
            expected = "a mapping of each parameter's name to its values"
            raise InvalidSweep.of([InvalidSweep("parameters", expected=expected, given=shown(parameters))])
        values = {key: _written(value) for key, value in parameters.items()}
        if isinstance(more.get("data"), list | tuple):
            values["data"] = _written(list(more.pop("data")))
        named = {} if name is None else {"name": name}
        about = {"model": model, "action": action, "method": method, **named, **more}
        made = self.describe({**about, "parameters": values}).made
        assert isinstance(made, SweepSpec)  # it has a method
        return self.create_sweep(made)

    def create_sweep(self, spec: SweepSpec) -> "Sweep":
        """Begin a sweep; workers run it from now on, and no process of ours is needed.

        Where the name is in use by a sweep with the same description, or with one to which this adds, that
        sweep goes on: what is new is run, and what was cancelled when it was stopped.

        Args:
            spec: its description.

        Raises:
            JobConflict: another sweep has this name.
            RedisUnreachable: Redis cannot be reached.
        """
        for _ in range(_TRIES):
            before = self._record_in_redis(spec.name)
            if before is None:
                put = self.ledger.put_sweep(spec)
            elif json.loads(before.described) == json.loads(description(spec)) and before.state != "stopped":
                return self._sweep(before)
            else:
                check_extension(before.spec, spec)
                if before.state == "stopped":
                    self._sweep(before).queue_stopped()
                put = self.ledger.put_sweep(spec, before.described)
            if put:
                return self.find_sweep(spec.name)
        raise JobConflict("name", expected="a sweep that nobody else changes", given=shown(spec.name))

    def check_known(self, name: str) -> None:
        """Let Redis know an ended sweep again which it has forgotten.

        Raises:
            JobConflict: it ran when Redis lost its data, and was not restored.
            RedisUnreachable: Redis cannot be reached.
        """
        self._record_in_redis(name)

    def go_on(self, name: str) -> None:
        """Let a sweep that ended or was stopped run again.

        Raises:
            JobConflict: somebody changed it meanwhile.
            RedisUnreachable: Redis cannot be reached.
        """
        record = self._record_in_redis(name)
        if record is None or not self.ledger.put_sweep(record.spec, record.described):
            raise JobConflict("sweep", expected="one that nobody else changes", given=shown(name))

    def sweeps(self) -> "list[Sweep]":
        """All sweeps, the newest first; those that cannot be read are left out.

        Raises:
            RedisUnreachable: Redis cannot be reached, though somebody expects one.
        """
        found, away = self.sweeps_known()
        if away is not None:
            raise away
        return found

    def sweeps_known(self) -> "tuple[list[Sweep], RedisUnreachable | None]":
        """As `sweeps`, and why these are only those with a file: Redis cannot be reached, though somebody
        expects one. None where it can.
        """
        found, away = {}, None
        try:
            names = self.ledger.sweep_names()
        except RedisUnreachable as error:
            names, away = [], error
        for name in {*names, *sweeps_with_file(self.results)}:
            try:
                found[name] = self._find(name, in_redis=away is None)
            except InvalidInput:
                continue
        records = [record for record in found.values() if record is not None]
        known = set(names) if away is None else found.keys()
        newest_first = [
            self._sweep(each, lost=each.state == "running" and each.name not in known)
            for each in sorted(records, key=lambda each: -each.created)
        ]
        return newest_first, None if self._nobody_expects_redis() else away

    def sweeps_with(self, references: Iterable[str | Job]) -> dict[str, list[str]]:
        """The sweeps of which some jobs are, or that took them over.

        Args:
            references: to the jobs.

        Returns:
            The id of each of them that is of any -> the names of these, in alphabetical order.

        Raises:
            UnknownJob: a reference names no job or several.
            RedisUnreachable: Redis cannot be reached, though somebody expects one.
        """
        ids = {self.resolve(reference) for reference in references}
        found: dict[str, list[str]] = {}
        for sweep in sorted(self.sweeps(), key=lambda each: each.name):
            for job_id in ids & {entry.job for entry in sweep.entries}:
                found.setdefault(job_id, []).append(sweep.name)
        return found

    def find_sweep(self, name: str) -> "Sweep":
        """One sweep.

        Raises:
            InvalidInput: there is none of this name, or its record cannot be read.
            RedisUnreachable: it has no file, or has not ended, and Redis cannot be reached.
        """
        try:
            record = self.ledger.sweep(name)
        except RedisUnreachable:
            record = read_sweep(self.results, name)
            if record is None or record.state == "running":
                raise
        if record is not None:
            return self._sweep(record)
        record = read_sweep(self.results, name)
        if record is None:
            raise self._unknown(name)
        return self._sweep(record, lost=record.state == "running")

    def _sweep(self, record: SweepRecord, *, lost: bool = False) -> "Sweep":
        from jobs.sweeps.sweep import Sweep  # with all that decides on its trials

        return Sweep(cast("Client", self), record, lost=lost)

    def _find(self, name: str, *, in_redis: bool) -> SweepRecord | None:
        record = self.ledger.sweep(name) if in_redis else None
        return read_sweep(self.results, name) if record is None else record

    def _record_in_redis(self, name: str) -> SweepRecord | None:
        """A sweep that Redis knows, or knows again from its file."""
        record = self.ledger.sweep(name)
        kept = read_sweep(self.results, name) if record is None else None
        if kept is None:
            return record
        if kept.state == "running":
            raise JobConflict(
                "sweep",
                expected="one that Redis knows",
                given=f"{name}, which ran when Redis lost its data",
                hint="`quartet rebuild` restores it",
            )
        self.ledger.restore_sweep(kept, kept.state, kept.entries)
        return self.ledger.sweep(name)

    def _unknown(self, name: str) -> InvalidInput:
        known = sorted({*self.ledger.sweep_names(), *sweeps_with_file(self.results)})
        nearest = get_close_matches(name, known, n=MOST_NAMED, cutoff=0.0)
        more = len(known) - len(nearest)
        also = f", or one of {more:,} more that `quartet sweeps list --all` names" if more else ""
        error = InvalidInput.unknown("sweep", name, nearest, also)
        if not known:
            error = InvalidInput("sweep", expected="the name of a sweep", given=shown(name))
            error.hint = "there is none yet; `quartet sweep FILE` begins one"
        return error


def _written(value: Any) -> Any:
    """A parameter as a file has it."""
    if isinstance(value, list | range):
        return {"values": list(value)}
    return {"value": list(value)} if isinstance(value, tuple) else value
