"""What a job that ends here has in common with equal ones, so that those need not be run."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jobs.reuse import Fingerprint, goes_on_equally
from worker.engine.held_job import HeldJob
from worker.engine.loaded_code import loaded_checksum

_BEGUN = re.compile(r"running on .*, code ([0-9a-f]+)", re.DOTALL)


def begun(where: str, model: str) -> str:
    """The line of the timeline with which each attempt at a job begins its work.

    Args:
        where: the device that it runs on, in words.
        model: the job's model.
    """
    checksum = loaded_checksum(model)
    return f"running on {where}" + (f", code {checksum}" if checksum is not None else "")


def fingerprint_of(held: HeldJob, timeline: Sequence[Mapping[str, Any]]) -> Fingerprint | None:
    """The fingerprint of a job; None where its result may be that of no one job.

    That is so where attempts were made with different code, where the job resumes one that was, or one with
    other parameters, and where its data is not known or changed since it began.

    Args:
        held: the job.
        timeline: its events: `time` in milliseconds since 1970, and `text`.
    """
    spec, checksum = held.record.spec, loaded_checksum(held.record.spec.model)
    starts = [entry for entry in timeline if entry["text"].startswith("running on ")]
    codes = {match[1] if (match := _BEGUN.fullmatch(entry["text"])) else None for entry in starts}
    if checksum is None or codes != {checksum}:
        return None
    since = min(entry["time"] for entry in starts) / 1000
    found = Fingerprint.of(spec, checksum, held.results, held.settings.data_dir.absolute(), since)
    if found is None or held.record.continues is None:
        return found
    before = held.results.find(held.record.continues)
    return found if before is not None and goes_on_equally(spec, found, before) else None
