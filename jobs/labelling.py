"""`Labelling`: tags and notes, which a job may get at any time."""

from collections.abc import Iterable

from jobs.finding.job_list import in_results
from jobs.finding.job_reader import JobReader
from jobs.job import Job
from jobs.store.labels import Labels
from jobs.store.labels_script import write_labels_script


class Labelling(JobReader):
    """Labels jobs, in whatever state; their folders do not change."""

    def tag(self, reference: str | Job, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Job:
        """Change the tags of a job, and return it as it is then.

        Args:
            reference: to the job.
            add: tags that it gets, unless it has them.
            remove: tags that it loses, if it has them.

        Raises:
            InvalidInput: a tag has other characters than it may, or the job would have too many.
            JobConflict: another process holds the labels' lock for long.
            UnknownJob: the reference names no job or several.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: the results folder cannot be written, or the job's folder cannot be read.
        """
        return self._label(self.job(reference), add=add, remove=remove)

    def note(self, reference: str | Job, text: str) -> Job:
        """Write a note about a job, in place of the one before, and return the job as it is then.

        Args:
            reference: to the job.
            text: at most 2,000 characters; empty removes the note.

        Raises:
            InvalidInput: the text is too long.
            JobConflict, UnknownJob, RedisUnreachable, DamagedFolder: as `tag` does.
        """
        return self._label(self.job(reference), note=text)

    def _label(
        self, job: Job, add: Iterable[str] = (), remove: Iterable[str] = (), note: str | None = None
    ) -> Job:
        with in_results(self.results):
            self.results.root.mkdir(parents=True, exist_ok=True)
            label = Labels(self.results.root).change(job.id, job.tags, add=add, remove=remove, note=note)
            self.results.labelled(job.id, label.tags, label.note)
            write_labels_script(self.results.root)
        return self.job(job.id)
