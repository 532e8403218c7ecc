"""Finished jobs as the page of a comparison needs them, each folder read once: it never changes."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jobs.comparison.folder_run import run_of_folder
from jobs.comparison.run import Run
from jobs.store.job_folder import JobFolder
from worker.report.loss_scripts import losses_of

KNOWN_RUNS, KNOWN_LOSSES = 20_000, 1_000
"""Runs, and curves, that a process remembers: some kilobytes each, and tens of them."""


@lru_cache(maxsize=KNOWN_RUNS)
def read_run(path: Path) -> Run:
    """Read the folder of a finished job; one that cannot be read is `damaged`.

    Args:
        path: of the folder, which is named by the job's id.
    """
    return run_of_folder(JobFolder(path))


@lru_cache(maxsize=KNOWN_LOSSES)
def read_losses(path: Path) -> Mapping[str, Any]:
    """The losses of a training job, as `losses_of` gives them.

    Args:
        path: of its folder.
    """
    return losses_of(JobFolder(path))
