"""Folders of jobs that are being deleted, out of sight: `results/.deleted/`.

A folder is set aside there by one rename, as `<job id>.whole`, and may come back. Once it is certain that it
goes, a second rename makes it `<job id>`, of which nothing comes back, and which may be erased file by file.
So whatever a command leaves that is killed, the next one knows how far it came.
"""

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.ids import is_job_id

FOLDER = ".deleted"
_WHOLE = ".whole"


@dataclass(frozen=True)
class SetAside:
    """What is being deleted in a results folder.

    Attributes:
        root: the results folder.
    """

    root: Path

    def take(self, job_id: str) -> None:
        """Set a job's folder aside.

        Raises:
            OSError: it cannot be moved.
        """
        self._folder.mkdir(exist_ok=True)
        if self._folder.is_symlink():  # somebody made it to have folders moved elsewhere
            raise OSError(errno.ELOOP, "the folder of what is deleted is a symbolic link", str(self._folder))
        (self.root / job_id).rename(self._folder / f"{job_id}{_WHOLE}")

    def put_back(self, job_id: str) -> None:
        """Put a folder back that was set aside; where there is another one by now, an equal copy, that stays.

        Raises:
            OSError: it cannot be moved.
        """
        aside = self._folder / f"{job_id}{_WHOLE}"
        if (self.root / job_id).exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.rename(self.root / job_id)

    def give_up(self, job_id: str) -> None:
        """Let a folder go that was set aside.

        Raises:
            OSError: it cannot be moved.
        """
        gone = self._folder / job_id
        shutil.rmtree(gone, ignore_errors=True)
        (self._folder / f"{job_id}{_WHOLE}").rename(gone)

    def whole(self) -> list[str]:
        """The ids of the jobs whose folders may come back.

        Raises:
            OSError: the results volume is gone.
        """
        return [name.removesuffix(_WHOLE) for name in self._names() if name.endswith(_WHOLE)]

    def gone(self) -> list[str]:
        """The ids of the jobs whose folders do not come back.

        Raises:
            OSError: the results volume is gone.
        """
        return list(filter(is_job_id, self._names()))

    def erase(self) -> None:
        """Erase what does not come back, as far as that is possible."""
        for job_id in self.gone():
            shutil.rmtree(self._folder / job_id, ignore_errors=True)
        if not self._names():
            shutil.rmtree(self._folder, ignore_errors=True)

    def _names(self) -> list[str]:
        if self._folder.is_symlink():
            return []
        try:
            names = sorted(path.name for path in self._folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):  # or another process has just ended its deletion
            return []
        return [name for name in names if is_job_id(name.removesuffix(_WHOLE))]

    @property
    def _folder(self) -> Path:
        return self.root / FOLDER
