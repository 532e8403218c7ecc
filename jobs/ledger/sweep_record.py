"""One sweep's record in the ledger, or in its file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from jobs.errors import InvalidInput
from jobs.sweeps.entry import Entry
from jobs.sweeps.sweep_spec import SweepSpec

SweepState = Literal["running", "stopped", "ended"]
SWEEP_STATES: tuple[SweepState, ...] = ("running", "stopped", "ended")

SWEEP_FIELDS = ("spec", "state", "created", "ended", "why", "changes", "saved")
"""The fields of a sweep in Redis, in the order in which they are read."""


@dataclass(frozen=True)
class SweepRecord:
    """One sweep as it is stored.

    Attributes:
        described: its description as JSON; `spec` is the same, checked by this version.
        state: `stopped` is what a person did; `ended`, what it did by itself.
        created: milliseconds since 1970, as is `ended`, which is None while it runs.
        why: why it was stopped or ended; of one that runs, why it does not go on, if that is so.
        changes: how often it changed.
        saved: the count of changes at which its file was last written.
        entries: its jobs, in the order of their trials.
    """

    name: str
    described: str
    state: SweepState
    created: int
    ended: int | None
    why: str
    changes: int
    saved: int
    entries: tuple[Entry, ...]

    @property
    def spec(self) -> SweepSpec:
        """Its description.

        Raises:
            InvalidInput: this version does not understand it.
        """
        try:
            return SweepSpec.parse(json.loads(self.described))
        except (ValueError, ValidationError, RecursionError) as error:
            why = str(error).splitlines()
            raise unreadable_sweep(self.name, " ".join(why)[:200]) from None

    def as_dict(self) -> dict[str, Any]:
        """The content of its file."""
        return {
            "spec": json.loads(self.described),
            "state": self.state,
            "created": self.created,
            "ended": self.ended,
            "why": self.why,
            "entries": [entry.as_dict() for entry in self.entries],
        }

    @classmethod
    def of_file(cls, name: str, value: Any) -> "SweepRecord":
        """Read what `as_dict` gave.

        Raises:
            InvalidInput: it is none.
        """
        try:
            entries = [Entry.of(each) for each in value["entries"]]
            found = cls._read(name, {**value, "spec": json.dumps(value["spec"])}, entries)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise unreadable_sweep(name, error) from None
        return found

    @classmethod
    def of_fields(cls, name: str, fields: list[Any], entries: Mapping[str, str]) -> "SweepRecord":
        """Read the values of a sweep's `SWEEP_FIELDS` in Redis, and its entries.

        Raises:
            InvalidInput: they are none.
        """
        try:
            read = [Entry.of(json.loads(text)) for text in entries.values()]
            return cls._read(name, dict(zip(SWEEP_FIELDS, fields, strict=True)), read)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise unreadable_sweep(name, error) from None

    @classmethod
    def _read(cls, name: str, value: Mapping[str, Any], entries: list[Entry]) -> "SweepRecord":
        state = next((each for each in SWEEP_STATES if each == value["state"]), None)
        if state is None:
            raise ValueError(f"its state is {str(value['state'])[:40]!r}")
        if not isinstance(json.loads(value["spec"]), dict):
            raise ValueError("its description is no JSON object")
        entries.sort(key=lambda entry: (entry.trial, entry.rung, -1 if entry.then is None else entry.then))
        return cls(
            name=name,
            described=value["spec"],
            state=state,
            created=int(value["created"]),
            ended=int(value["ended"]) if value["ended"] else None,
            why=value["why"] or "",
            changes=int(value.get("changes") or 0),
            saved=int(value.get("saved") or 0),
            entries=tuple(entries),
        )


def description(spec: SweepSpec) -> str:
    """A sweep's description as JSON, its parameters in the order in which they were written."""
    return json.dumps(spec.model_dump(mode="json", by_alias=True))


def unreadable_sweep(name: str, why: object) -> InvalidInput:
    """The error for a sweep that this version cannot read."""
    return InvalidInput(
        f"sweep {name}",
        expected="one that this version can read",
        given=f"one that it cannot ({why})",
    )
