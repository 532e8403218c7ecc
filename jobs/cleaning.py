"""`Cleaning`: deletes many jobs by rules, writes jobs into archives and restores them."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import InvalidInput
from jobs.finding.job_reader import JobReader
from jobs.finding.wanted import Wanted
from jobs.job import Job
from jobs.store.labels import Labels

if TYPE_CHECKING:
    from jobs.pruning import Pruned
    from jobs.sweeps.sweep_spec import Goal


class Cleaning(JobReader):
    """Makes room in the store."""

    def prune(
        self,
        older: str,
        *,
        keep_tagged: bool = False,
        keep_best: int | None = None,
        model: str | None = None,
        sweep: str | None = None,
        state: str | None = None,
        dry_run: bool = False,
        planned: "Pruned | None" = None,
    ) -> "Pruned":
        """Delete jobs that ended long ago, but none that another job still needs.

        Args:
            older: only jobs that ended before then: `90d`, `12h`, `2w`, or a date of ISO 8601.
            keep_tagged: keep jobs that have a tag.
            keep_best: keep so many of the jobs that succeeded of each model and action, and of each sweep,
                by the metric of the sweep or the headline.
            model: only jobs of this model.
            sweep: only jobs of the sweep of this name.
            state: only jobs in this state: succeeded, failed or cancelled.
            dry_run: delete nothing, but end what a command had begun to delete that was killed.
            planned: what a dry run returned; only jobs among those are deleted.

        Returns:
            The jobs that were deleted, or that a job needs by now, and why the others stay.

        Raises:
            InvalidInput: `older` is no time, `keep_best` no count, or there is no such state.
            JobConflict: another process deletes for long.
            RedisUnreachable: Redis cannot be reached, so nobody knows which jobs are needed.
            StoreUnreachable: the object store does not answer.
            DamagedFolder: the results folder cannot be read or changed.
        """
        from jobs import pruning  # late, as below: most clients keep everything

        wanted = Wanted.make(state, model, sweep=sweep)
        rules = pruning.Rules.make(older, keep_tagged, keep_best, wanted)
        found = pruning.plan(self._known, rules, self._goal_of, planned)
        return found if dry_run else pruning.prune(self._known, found)

    def _goal_of(self, sweep: str) -> "Goal | None":
        """By what the trials of a sweep are ranked; None where nobody knows it."""
        from jobs.sweeps.sweep_folder import read_sweep

        with suppress(InvalidInput):
            record = self.ledger.sweep(sweep) or read_sweep(self.results, sweep)
            return None if record is None else record.spec.metric
        return None

    def archive(self, references: Iterable[str | Job], to: str | os.PathLike[str]) -> Path:
        """Write jobs with their tags and notes into a new file, each file compared with its manifest.

        The jobs stay where they are. A job that they used is in the archive only if it is named, and the data
        that they read is not.

        Args:
            references: to jobs that have ended.
            to: the file, whose name ends in `.tar.zst`.

        Returns:
            Its path.

        Raises:
            InvalidInput: something is there, it is in the results folder, the name has another end, or no
                jobs or too many are named.
            JobConflict: a job has no folder.
            UnknownJob: a reference names no job or several.
            RedisUnreachable: one may name a job that has not ended, and Redis cannot be reached.
            StoreUnreachable: the object store does not answer.
            DamagedFolder: a folder does not match its manifest, or the file cannot be written.
        """
        from jobs.archiving import archive_path, write_archive

        path = archive_path(to, self.results.root)
        ids = dict.fromkeys(self.resolve(reference) for reference in references)
        folders = [self.folder(job_id) for job_id in ids]
        self._known.history.sync()  # some may have been tagged on another host
        write_archive(folders, Labels(self.results.root), path)
        return path

    def restore(
        self, path: str | os.PathLike[str], tell: Callable[[str, bool], object] = lambda *_: None
    ) -> list[tuple[str, bool]]:
        """Restore the jobs of an archive under their ids, each file compared with its manifest.

        A job is published whole or not at all; whoever stops on the way, or is killed, restores the rest by
        calling it again.

        Args:
            path: of a file that `archive` wrote.
            tell: gets each job's id as it is restored, and whether it was: False for one that is there
                already, the same.

        Returns:
            What `tell` got of each job.

        Raises:
            InvalidInput: there is no such file.
            DamagedArchive: it cannot be read, or is none that `archive` wrote.
            JobConflict: a job is there with other files or has not ended, or another process deletes or
                restores.
            RedisUnreachable: Redis cannot be reached, so nobody knows whether the jobs have ended.
            StoreUnreachable: the object store does not answer.
            DamagedFolder: the results folder cannot be written.
        """
        from jobs.restoring import restore_archive

        restored = []
        for job_id, was_restored in restore_archive(self._known, Path(path), self.settings.umask):
            tell(job_id, was_restored)
            restored.append((job_id, was_restored))
        return restored
