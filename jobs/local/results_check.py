"""Whether workers of this machine can publish jobs in the results folder: it is tried as they would do it."""

import errno
import os
import tempfile
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidSetting
from jobs.store.staging import STAGING
from jobs.wording import reason_of

FIELD = "QUARTET_RESULTS_DIR"


def check_results_folder(root: Path) -> None:
    """Refuse a results folder in which no job could be published, before one is queued.

    Args:
        root: its path; it is made if it does not exist.

    Raises:
        InvalidSetting: it cannot be made, or takes no folder, or does not rename one.
    """
    try:
        publish_nothing(root)
    except OSError as error:
        raise _refused(root, error) from None


def check_results_rights(root: Path) -> None:
    """Refuse a results folder in which this user may not write; one that is full, away or broken may recover.

    Args:
        root: its path; it is made if it does not exist.

    Raises:
        InvalidSetting: the user lacks the right.
    """
    try:
        publish_nothing(root)
    except PermissionError as error:
        refused = _refused(root, error)
        refused.hint = (
            f"this worker is user {os.geteuid()}, group {os.getegid()}; give it the folder by `chown`"
        )
        raise refused from None
    except OSError:
        return


def _refused(root: Path, error: OSError) -> InvalidSetting:
    given = f"{shown_path(root)} ({reason_of(error)})"
    return InvalidSetting(FIELD, expected="a folder that can be made and written to", given=given)


def publish_nothing(root: Path) -> None:
    """Make a folder where a job is staged, rename it as a job is published, and remove it.

    Args:
        root: the results folder.

    Raises:
        OSError: one of the steps is not possible.
    """
    root.mkdir(parents=True, exist_ok=True)
    staging = root / STAGING
    if staging.is_symlink():  # which workers refuse too
        raise OSError(errno.ELOOP, "its folder for staging is a symbolic link", str(staging))
    place = staging if os.path.lexists(staging) else root
    with tempfile.TemporaryDirectory(prefix=".trial-", dir=place) as name:
        staged = Path(name) / "job"
        staged.mkdir()
        published = root / f"{Path(name).name}.published"
        staged.rename(published)
        try:
            descriptor = os.open(published, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        finally:
            published.rmdir()
