"""A `Selection` as text, for the process that draws the page, which thus compares the very same jobs."""

import json
from dataclasses import asdict
from typing import Any

from jobs.comparison.compared_sweep import ComparedSweep
from jobs.comparison.run import Run
from jobs.comparison.selection import Selection
from jobs.errors import InvalidInput
from jobs.sweeps.entry import Entry
from jobs.sweeps.sweep_spec import SweepSpec


def selection_text(selection: Selection) -> str:
    """The jobs and their sweeps as JSON."""
    sweeps = [
        {
            "name": sweep.name,
            "spec": sweep.spec and sweep.spec.model_dump(mode="json", by_alias=True),
            "entries": [entry.as_dict() for entry in sweep.entries],
        }
        for sweep in selection.sweeps
    ]
    return json.dumps({"runs": [asdict(run) for run in selection.runs], "sweeps": sweeps})


def selection_of(text: str) -> Selection:
    """Read what `selection_text` gave.

    Raises:
        InvalidInput: it is none.
    """
    try:
        value = json.loads(text)
        runs = [_run(each) for each in value["runs"]]
        return Selection(runs, [_sweep(each) for each in value["sweeps"]])
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InvalidInput("jobs", expected="what `selection_text` gives", given=str(error)[:80]) from None


def _run(value: dict[str, Any]) -> Run:
    return Run(**value | {name: tuple(value[name]) for name in ("tags", "warnings")})


def _sweep(value: dict[str, Any]) -> ComparedSweep:
    spec = None if value["spec"] is None else SweepSpec.parse(value["spec"])
    return ComparedSweep(value["name"], spec, tuple(map(Entry.of, value["entries"])))
