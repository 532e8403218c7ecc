"""Staging folders, `.staging/<job id>.<attempt>.<token>`: what their names say, and what is kept of one."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from jobs.ids import is_job_id
from jobs.store.job_folder import CHECKPOINT

STAGING = ".staging"
"""In the results folder."""


def real_folders(paths: Iterable[Path]) -> list[Path]:
    """The folders among a job's staging folders, by the number of the attempt; links are removed."""
    found = list(paths)
    for path in found:
        if path.is_symlink():  # somebody made it to have us write elsewhere
            path.unlink()
    return sorted((path for path in found if path.is_dir()), key=attempt_of_staging)


def job_of_staging(path: Path) -> str | None:
    """The job whose staging folder this is; None if it is none."""
    job_id, *rest = path.name.split(".")
    is_ours = is_job_id(job_id) and len(rest) in (1, 2) and rest[0].isdecimal()
    return job_id if is_ours else None


def attempt_of_staging(path: Path) -> int:
    """The number of the attempt whose staging folder this is."""
    return int(path.name.split(".")[1])


def progress_of_staging(staging: Path) -> tuple[float, int]:
    """Tells the staging folder with the newest checkpoint: attempts' numbers repeat if Redis lost some."""
    try:
        written = (staging / CHECKPOINT).stat().st_mtime
    except OSError:
        written = 0.0
    return written, attempt_of_staging(staging)


def keep_checkpoint_alone(staging: Path) -> None:
    """Remove everything from a staging folder except its checkpoint.

    Raises:
        OSError: the results volume is read-only or gone.
    """
    for leftover in staging.iterdir():
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        elif leftover.name != CHECKPOINT or leftover.is_symlink():
            leftover.unlink()
