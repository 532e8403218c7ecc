"""Which jobs are compared, and reading them: hundreds of folders, a few at a time."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jobs.comparison.compared_sweep import ComparedSweep
from jobs.comparison.folder_run import run_of_folder, run_of_job, training_of
from jobs.comparison.run import DAMAGED, GONE, Run
from jobs.errors import InvalidInput, InvalidJob, QuartetError, RedisUnreachable, UnknownJob
from jobs.finding.job_list import in_results
from jobs.finding.known_jobs import KnownJobs
from jobs.finding.wanted import ANY, Wanted
from jobs.job import Job
from jobs.store.job_folder import JobFolder
from jobs.store.labels import Labels
from jobs.sweeps.entry import Entry

if TYPE_CHECKING:
    from jobs.client import Client

READERS = 8
"""Folders that are read at once: on a network volume each file takes a while to open."""


@dataclass(frozen=True)
class Selection:
    """The jobs to compare, and what was found on the way.

    Attributes:
        runs: each once, the newest first.
        sweeps: those that were asked for by name.
        without: why only jobs with a folder are here: Redis cannot be reached. None where it can.
    """

    runs: Sequence[Run]
    sweeps: Sequence[ComparedSweep] = ()
    without: RedisUnreachable | None = None


class Selector:
    """Finds and reads the jobs that a person wants to compare."""

    def __init__(self, client: "Client", known: KnownJobs) -> None:
        self._client, self._known = client, known
        self._entries: dict[str, tuple[str, Entry]] = {}
        self._sweeps: dict[str, ComparedSweep | None] = {}
        self._without: RedisUnreachable | None = None

    def select(
        self, references: Iterable[str | Job], sweeps: Iterable[str], last: int | None, wanted: Wanted
    ) -> Selection:
        """All jobs that one of these names.

        Args:
            references: to jobs.
            sweeps: names of sweeps, for all their trials; of one that halving promoted its latest job.
            last: for so many of the newest jobs that are wanted; None for all of them where they have tags.
            wanted: only these jobs.

        Raises:
            InvalidInput: nothing is asked for, a sweep is unknown, or there is no such job.
            UnknownJob: a reference names no job or several.
            RedisUnreachable: a job may not have ended, and Redis cannot be reached.
            DamagedFolder: the results folder cannot be read.
        """
        references, names = list(references), list(dict.fromkeys(sweeps))
        if not (references or names or wanted.tags or last is not None):
            raise InvalidInput(
                "jobs",
                expected="jobs, or --sweep, --tag or --last",
                given="none",
                hint="`quartet compare --last 10` compares the ten newest",
            )
        found = [ComparedSweep.of(self._client.find_sweep(name)) for name in names]
        ids = [self._client.resolve(reference) for reference in references]
        for sweep in found:
            ids += self._trials(sweep)
        if last is not None or (wanted.tags and not ids):
            ids += self._listed(last, wanted)
        with in_results(self._client.results):
            runs = self._read(list(dict.fromkeys(ids)))
        runs = [run for run in runs if _accepts(wanted, run)]
        if not runs:
            raise _nothing(found, wanted)
        return Selection(sorted(runs, key=lambda run: run.id, reverse=True), found, self._without)

    def _trials(self, sweep: ComparedSweep) -> list[str]:
        """The job of each trial, of one that was promoted the latest."""
        latest = {entry.trial: entry for entry in sweep.entries if entry.then is None}
        self._entries |= {entry.job: (sweep.name, entry) for entry in latest.values()}
        self._sweeps[sweep.name] = sweep
        return [entry.job for entry in latest.values()]

    def _listed(self, last: int | None, wanted: Wanted) -> list[str]:
        listing = self._client.listing(wanted, last)
        self._without = listing.without
        ids = [job.id for job in listing.jobs]
        if wanted == ANY:  # one that cannot be read may be of any model, and have any tag
            ids = sorted({*ids, *listing.unreadable}, reverse=True)
        return ids[:last]

    def _read(self, ids: list[str]) -> list[Run]:
        """Read each job's folder, and that of the job whose model it used."""
        folders = self._folders(ids)
        with ThreadPoolExecutor(READERS) as pool:
            runs = list(pool.map(run_of_folder, folders.values()))
            runs += self._without_folder([each for each in ids if each not in folders])
            sources = self._folders([run.source for run in runs if run.source])
            trained = map(training_of, pool.map(run_of_folder, sources.values()))
            training = dict(zip(sources, trained, strict=True))
        labels = Labels(self._client.results.root)
        return [self._completed(run, training.get(run.source or "", {}), labels) for run in runs]

    def _folders(self, ids: Iterable[str]) -> dict[str, JobFolder]:
        return {each: folder for each in dict.fromkeys(ids) if (folder := self._known.folder(each))}

    def _without_folder(self, ids: list[str]) -> list[Run]:
        jobs, runs = [], []
        for job_id in ids:
            try:
                jobs.append(self._known.job(job_id))
            except (UnknownJob, RedisUnreachable) as error:
                if job_id not in self._entries:
                    raise
                away = isinstance(error, RedisUnreachable)
                runs.append(Run(job_id, GONE, error=str(error) if away else "deleted"))
            except InvalidJob as error:
                runs.append(Run(job_id, DAMAGED, error=str(error)))
        progress = self._client.progress(jobs)
        return runs + [run_of_job(job, progress.get(job.id, {})) for job in jobs]

    def _completed(self, run: Run, training: Mapping[str, Any], labels: Labels) -> Run:
        """The same job with what is not in its folder: tags, its place in its sweep, how its model was
        trained.
        """
        name, trial, rung = run.sweep, run.trial, run.rung
        if run.id in self._entries:  # the sweep may have taken it over from another one
            name, entry = self._entries[run.id]
            trial, rung = entry.trial, entry.rung
        sweep = self._sweep(name) if name and trial is not None else None
        point = sweep.point_of(trial) if sweep and trial is not None else None
        label = labels.find(run.id)
        tags = run.tags if label is None else label.tags
        placed = replace(run, sweep=name, trial=trial, rung=rung, point=point)
        return replace(placed, training=training, tags=tags)

    def _sweep(self, name: str) -> ComparedSweep | None:
        """A sweep by its name; None where nobody knows it."""
        if name not in self._sweeps:
            try:
                self._sweeps[name] = ComparedSweep.of(self._client.find_sweep(name))
            except QuartetError:
                self._sweeps[name] = None
        return self._sweeps[name]


def _accepts(wanted: Wanted, run: Run) -> bool:
    """Whether a job is wanted; one that cannot be read is, since it must not vanish."""
    if not run.kind:
        return True
    return (
        wanted.model in (None, run.model)
        and wanted.action in (None, run.action)
        and wanted.tags.issubset(run.tags)
    )


def _nothing(sweeps: Sequence[ComparedSweep], wanted: Wanted) -> InvalidInput:
    """The error where no job is left to compare."""
    if wanted.model or wanted.action or wanted.tags:
        kind = " ".join(filter(None, (wanted.model, wanted.action)))
        tagged = f" tagged {' and '.join(sorted(wanted.tags))}" if wanted.tags else ""
        return InvalidInput("jobs", expected=f"{kind} jobs{tagged}".strip(), given="none")
    if sweeps:
        return InvalidInput(
            "sweep", expected="one with a trial", given=f"{sweeps[0].name}, which has none yet"
        )
    return InvalidInput("jobs", expected="jobs that were submitted", given="none yet")
