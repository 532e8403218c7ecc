"""Which jobs must stay, since one that has not ended, or a sweep that runs, needs them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from jobs.errors import InvalidInput, JobConflict
from jobs.finding.job_list import UNFINISHED
from jobs.finding.known_jobs import KnownJobs
from jobs.ids import is_job_id
from jobs.store.saved_records import needs_of


@dataclass(frozen=True)
class Needed:
    """What is needed at one moment.

    Attributes:
        by_job: the id of a job -> that of one that has not ended, and reads it or resumes from it.
        by_sweep: the id of a job -> the name of a sweep that runs, and counts on it or reads it.
    """

    by_job: Mapping[str, str] = field(default_factory=dict)
    by_sweep: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, known: KnownJobs) -> "Needed":
        """What is needed now.

        Raises:
            RedisUnreachable: Redis cannot be reached.
            DamagedFolder: the folder of a job that is continued cannot be read.
        """
        by_job: dict[str, str] = {}
        by_sweep: dict[str, str] = {}
        ids = [each for state in UNFINISHED for each in known.ledger.ids(state)]
        for record in known.ledger.records(ids):
            read = {*needs_of(record.stored), *_continued(known, record.continues)}
            by_job |= dict.fromkeys(read, record.id)
        for name, state in known.ledger.sweep_states().items():
            with suppress(InvalidInput):  # a sweep that cannot be read does not go on
                sweep = known.ledger.sweep(name) if state == "running" else None
                if sweep is not None:
                    read = {entry.job for entry in sweep.entries}
                    by_sweep |= dict.fromkeys(read, name)
                    by_sweep |= dict.fromkeys(_ids_in(sweep.spec.model_dump(mode="json")), name)
        return cls(by_job, by_sweep)

    def check(self, job_id: str) -> None:
        """Refuse to delete a job that is needed.

        Raises:
            JobConflict: it is.
        """
        if job_id in self.by_sweep:
            name = self.by_sweep[job_id]
            given = f"{job_id}, which the sweep {name} counts on"
            hint = f"`quartet sweeps stop {name}` stops it"
            raise JobConflict("job", expected="one of no sweep that runs", given=given, hint=hint)
        if job_id in self.by_job:
            given = f"{job_id}, which job {self.by_job[job_id]} needs"
            raise JobConflict("job", expected="one that no unfinished job needs", given=given)


def _continued(known: KnownJobs, job_id: str | None) -> Iterator[str]:
    """The jobs that a job continues: the one before, the one before that."""
    seen: set[str] = set()
    while job_id is not None and job_id not in seen:
        seen.add(job_id)
        yield job_id
        before = known.find(job_id)
        job_id = before.continues if before is not None else None


def _ids_in(value: Any) -> Iterator[str]:
    """The ids of jobs in a value of JSON."""
    if isinstance(value, str):
        if is_job_id(value):
            yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _ids_in(each)
