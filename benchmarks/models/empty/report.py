"""The report of an empty job has no blocks of its own."""

from jobs.store.job_folder import JobFolder
from worker.report.blocks import Blocks


def present(folder: JobFolder) -> Blocks:  # noqa: ARG001 - a report's signature
    """Show nothing."""
    return ()
