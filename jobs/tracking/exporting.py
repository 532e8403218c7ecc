"""Exports jobs, and sweeps with their jobs, to MLflow."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.errors import JobConflict
from jobs.tracking.mlflow_runs import MlflowRuns
from jobs.tracking.tracked_job import tracked_job, tracked_sweep

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.job import Job
    from jobs.sweeps.entry import Entry
    from jobs.sweeps.sweep import Sweep


@dataclass(frozen=True)
class Exported:
    """One run in MLflow.

    Attributes:
        what: the id of the job, or `sweep NAME`.
        experiment: the name of its experiment.
        run: its id in MLflow; None for a job of a sweep that has no folder yet.
        new: whether it was not there before.
    """

    what: str
    experiment: str
    run: str | None
    new: bool


@dataclass(frozen=True)
class Exporter:
    """Exports to one address.

    Attributes:
        client: knows the jobs.
        runs: the runs of that address.
        with_model: whether the models are copied as well.
    """

    client: "Client"
    runs: MlflowRuns
    with_model: bool = False

    def jobs(self, references: Iterable[str]) -> Iterator[Exported]:
        """Export ended jobs, each one once.

        Args:
            references: to the jobs; all are looked up before the first one is exported.

        Raises:
            JobConflict: a job has no folder, or none yet.
            UnknownJob: a reference names no job or several.
            DamagedFolder: a folder does not match its manifest.
            RedisUnreachable: a job has no folder, and Redis cannot be reached.
            StoreUnreachable: the object store does not answer.
            NotExported: MLflow does not take it.
        """
        found = {job.id: job for job in map(self.client.job, references)}
        for job in found.values():
            yield self._job(job)

    def sweep(self, name: str) -> Iterator[Exported]:
        """Export a sweep, then each of its jobs that has ended as a child of it.

        Raises:
            InvalidInput: there is no such sweep, or this version does not understand it.
            DamagedFolder, RedisUnreachable, StoreUnreachable, NotExported: as for `jobs`.
        """
        sweep = self.client.find_sweep(name)
        parent, new = self.runs.put(tracked_sweep(sweep))
        yield Exported(f"sweep {sweep.name}", sweep.name, parent, new)
        for entry in sweep.entries:
            outcome = sweep.outcomes[entry.job]
            if outcome.state == "gone":
                continue
            try:
                if not outcome.ended:
                    raise JobConflict("job", expected="one that has ended", given=entry.job)
                yield self._job(self.client.job(entry.job), sweep, entry, parent)
            except JobConflict:  # ended a moment ago, it may have no folder yet
                yield Exported(entry.job, sweep.name, None, False)

    def _job(
        self,
        job: "Job",
        sweep: "Sweep | None" = None,
        entry: "Entry | None" = None,
        parent: str | None = None,
    ) -> Exported:
        folder = self.client.folder(job)
        folder.check()
        run = tracked_job(job, folder, sweep=sweep, entry=entry, with_model=self.with_model)
        run_id, new = self.runs.put(run, parent)
        return Exported(job.id, run.experiment, run_id, new)
