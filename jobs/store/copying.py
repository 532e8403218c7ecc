"""Copies a published folder to another place, whole or not at all."""

import shutil
from pathlib import Path

from jobs.errors import DamagedFolder
from jobs.store.job_folder import JobFolder
from jobs.store.objects.fetching import FETCHING


def copy_folder(folder: JobFolder, to: Path) -> JobFolder:
    """Copy a job's folder into another folder, and compare the copy with its manifest.

    Args:
        folder: to copy; it matches its manifest, or nothing is copied.
        to: the folder in which the copy will be; it is made if need be. A whole copy that is there stays.

    Raises:
        DamagedFolder: the folder, or what is in the place of its copy, does not match its manifest.
        OSError: a file cannot be read or written.
    """
    final = JobFolder(to / folder.id)
    if final.path.is_dir():
        final.check()
    else:
        part = to / FETCHING / f"{folder.id}.copy"
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder.path, part, symlinks=True)
        problems = JobFolder(part).verify()
        if problems:
            shutil.rmtree(part)
            raise DamagedFolder(f"{folder.path}: {problems[0]}")
        part.rename(final.path)
    return final
