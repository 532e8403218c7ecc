"""What the gallery shows of an object store: a copy in a folder, brought up to date as it is asked for."""

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from jobs.errors import QuartetError
from jobs.ids import is_job_id
from jobs.settings import read_settings
from jobs.store.job_folder import CHECKPOINT, MODEL
from jobs.store.open_results import open_results
from jobs.store.results import Results

log = logging.getLogger(__name__)

INDEX_SECONDS = 5.0
"""Between two times that the page of all jobs is written."""


class StoreCopy:
    """A folder into which an object store's files are fetched before they are shown."""

    def __init__(self, results: Results) -> None:
        """Nothing is fetched yet; `results` is the copy."""
        self._results = results
        self._written = -INDEX_SECONDS
        self._lock = threading.Lock()

    def bring(self, names: Sequence[str]) -> None:
        """Fetch what a request asks for; an error is logged, and what is there is shown.

        Args:
            names: of the folders and the file in the request's path.
        """
        try:
            if is_job_id(names[0]) and len(names) > 1:
                if names[-1] in (MODEL, CHECKPOINT):
                    self._results.whole(names[0])
                else:
                    self._results.with_page(names[0])
            else:
                self._write_index()
        except (QuartetError, OSError) as error:
            log.warning("%s", error)

    def _write_index(self) -> None:
        from worker.report.index_page import write_index

        with self._lock:
            if time.monotonic() - self._written >= INDEX_SECONDS:
                write_index(self._results)
                self._written = time.monotonic()


def store_copy(folder: Path) -> StoreCopy | None:
    """The copy that a folder is; None where the folder is the store.

    Args:
        folder: the results folder.

    Raises:
        InvalidSetting: a setting is wrong, or the folder is the copy of another store, or a store itself.
    """
    settings = read_settings(results_dir=folder)
    return StoreCopy(open_results(settings)) if settings.store else None
