"""Which jobs succeeded with which fingerprint: `results/.fingerprints/<2 digits>.jsonl`, a line for each.

A line is only a hint where to look. Jobs that succeeded before there were fingerprints have none, and neither
have those whose lines were lost: an equal job is run again then.
"""

import json
import logging
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from jobs.ids import is_job_id
from jobs.store.appended_lines import append_lines
from jobs.store.regular_files import read_regular

log = logging.getLogger(__name__)

FOLDER = ".fingerprints"
MOST_BYTES = 64 * 2**20
"""The largest file that is read: 150 million jobs in all."""

_LOCK = ".lock"
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Fingerprints:
    """The jobs of a results folder that succeeded, by their fingerprints.

    Attributes:
        root: the results folder.
    """

    root: Path

    def add(self, key: str, job_id: str) -> None:
        """Add a job; an error is logged, since an equal job is run again then.

        Args:
            key: its fingerprint, 64 hexadecimal digits; anything else is passed over.
            job_id: the job's id.
        """
        if not _KEY.fullmatch(key):  # from a folder that came from elsewhere
            return
        folder = self.root / FOLDER
        line = json.dumps({"key": key, "id": job_id}, separators=(",", ":")).encode()
        try:
            folder.mkdir(exist_ok=True)
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise NotADirectoryError(20, "Not a folder of its own", str(folder))
            append_lines(self._path(key), folder / _LOCK, [line], MOST_BYTES)
        except OSError as error:
            log.warning("a job that equals job %s will be run again: %s", job_id, error)

    def find(self, key: str) -> list[str]:
        """The ids of the jobs that were added with a fingerprint, newest first; they may be gone since."""
        if not _KEY.fullmatch(key):
            return []
        try:
            content = read_regular(self._path(key), MOST_BYTES)
        except OSError:
            return []
        line = re.compile(rb'^\{"key":"' + key.encode() + rb'","id":"([0-9a-z-]{1,40})"\}$', re.MULTILINE)
        found = {match.decode() for match in line.findall(content)}
        return sorted(filter(is_job_id, found), reverse=True)

    def _path(self, key: str) -> Path:
        return self.root / FOLDER / f"{key[:2]}.jsonl"
