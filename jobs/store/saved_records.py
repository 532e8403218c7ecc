"""A small record of each accepted job that has no folder yet: `results/.accepted/<job id>.json`.

If Redis is lost, `quartet rebuild` restores from these what waited, was queued or ended without a folder.
The sweeper writes them, so what was accepted since its last round is not among them.
"""

import json
import logging
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import DamagedFolder, InvalidJob, InvalidModel
from jobs.ids import is_job_id
from jobs.ledger.job_record import ENDED, STATES, Record, check_sweep
from jobs.specs.stored_spec import StoredSpec
from jobs.store.atomic_files import fsync_folder, whole_file
from jobs.store.regular_files import read_regular
from jobs.store.strict_json import parse_json

if TYPE_CHECKING:
    from jobs.ledger.ledger import Ledger
    from jobs.store.results import Results

log = logging.getLogger(__name__)

FOLDER = ".accepted"
MOST_BYTES = 512 * 1024
"""A job of 64 kB has up to seven times as many bytes as JSON in JSON."""
_MOST_ERROR = 4_000
_BATCH = 100
_WRITERS = 8
_failing: set[Path] = set()
"""The folders that took no record the last time, so that this is logged once."""


@dataclass(frozen=True)
class SavedRecord:
    """What is kept of a job: its record in the ledger, as far as it cannot be found elsewhere.

    Attributes:
        spec: the job as it was stored, as JSON.
        needs: the ids of the jobs it depends on.
        finished: milliseconds since 1970, as are `submitted` and `started`.
        sweep: what the record says of the job's sweep, if it is of one.
    """

    id: str
    spec: str
    state: str
    submitted: int
    attempt: int
    lost: int
    needs: list[str]
    started: int | None
    finished: int | None
    worker: str | None
    error: str | None
    continues: str | None
    retried: str | None
    sweep: dict[str, Any] | None = None

    @classmethod
    def of(cls, record: Record) -> "SavedRecord":
        """What is kept of a record."""
        kept = {
            name: getattr(record, name) for name in cls.__dataclass_fields__ if name not in ("spec", "needs")
        }
        kept["error"] = record.error and record.error[:_MOST_ERROR]
        return cls(spec=record.stored.to_json(), needs=needs_of(record.stored), **kept)

    @classmethod
    def read(cls, content: bytes, job_id: str) -> "SavedRecord":
        """Read the content of a file.

        Args:
            content: at most `MOST_BYTES`.
            job_id: of the job whose record it is to be.

        Raises:
            ValueError: it is no such record.
        """
        try:
            found = cls(**parse_json(content))
            found.check(job_id)
            return found
        except (TypeError, InvalidJob) as error:
            raise ValueError(str(error)) from None

    def check(self, job_id: str) -> None:
        """Refuse values of other types than they should have.

        Raises:
            ValueError: there is one.
            InvalidJob: its spec is no job.
        """
        counts: list[Any] = [self.submitted, self.attempt, self.lost]
        counts += [time for time in (self.started, self.finished) if time is not None]
        texts: list[Any] = [self.worker, self.error]
        links: list[Any] = [link for link in (self.continues, self.retried) if link is not None]
        if self.id != job_id or self.state not in STATES or not isinstance(self.needs, list):
            raise ValueError("another job's record, or none")
        if not all(isinstance(count, int) and 0 <= count < 2**53 for count in counts):
            raise ValueError("a time or a number that is none")
        if not all(isinstance(text, str | None) for text in texts):
            raise ValueError("a text that is none")
        if not all(is_job_id(link) for link in [*links, *self.needs]):
            raise ValueError("the id of a job that is none")
        if not isinstance(self.spec, str):
            raise ValueError("a spec that is none")
        check_sweep(self.sweep)
        StoredSpec.from_json(self.spec)

    def stored(self) -> StoredSpec:
        """The job."""
        return StoredSpec.from_json(self.spec)


def needs_of(stored: StoredSpec) -> list[str]:
    """The ids of the jobs that a job depends on; without the code of its model, every id that it names."""
    try:
        return sorted({needed for needed, _ in stored.parse().needs().values()})
    except (InvalidJob, InvalidModel):
        named = [stored.source, *stored.parameters.values()]
        return sorted({value for value in named if isinstance(value, str) and is_job_id(value)})


def save_records(ledger: "Ledger", results: "Results", *, most: int = 2_000, seconds: float = 2.0) -> None:
    """Save the records of jobs that changed; remove those of jobs whose folders are published.

    A volume that takes none is logged once; the next call tries again.

    Args:
        ledger: says which jobs changed.
        results: where the records are saved.
        most: about how many jobs to look at.
        seconds: begin no other batch after so long.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    changes = list(ledger.changed(most).items())
    if not changes:
        return
    deadline = time.monotonic() + seconds
    folder = results.root / FOLDER
    try:
        _make(folder)
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="saved-records") as writers:
            for start in range(0, len(changes), _BATCH):
                _save(ledger, results, dict(changes[start : start + _BATCH]), writers)
                if time.monotonic() > deadline:
                    break
        _failing.discard(folder)
    except OSError as error:
        if folder not in _failing:
            log.warning(
                "the records of accepted jobs cannot be saved, so a loss of Redis would lose them: %s", error
            )
        _failing.add(folder)


def _save(ledger: "Ledger", results: "Results", changes: dict[str, str], writers: ThreadPoolExecutor) -> None:
    records = {record.id: record for record in ledger.records(list(changes))}
    texts: dict[str, bytes] = {}
    for job_id in filter(is_job_id, changes):
        record = records.get(job_id)
        if record is not None and not (record.state in ENDED and record.folder):
            text = json.dumps(asdict(SavedRecord.of(record)), separators=(",", ":")).encode()
            if len(text) <= MOST_BYTES:
                texts[job_id] = text
            else:
                log.warning("job %s: its record is too large to be saved", job_id)
        elif record is not None or results.find(job_id) is not None:
            remove_saved(results, job_id)
    # In parallel, since a disk syncs many files in hardly more time than one.
    list(writers.map(lambda job_id: _write(results, path_of(results, job_id), texts[job_id]), texts))
    if texts:
        fsync_folder(results.root / FOLDER)
    for job_id, changed in changes.items():
        ledger.saved(job_id, changed)


def saved_ids(results: "Results") -> list[str]:
    """The ids of the jobs whose records are saved, oldest first.

    Raises:
        OSError: the folder of records cannot be read.
    """
    folder = results.root / FOLDER
    results.take_shared(folder)
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            return []
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    return sorted(name[:-5] for name in names if name.endswith(".json") and is_job_id(name[:-5]))


def read_saved(results: "Results", job_id: str) -> SavedRecord | None:
    """The saved record of a job, None if there is none.

    Raises:
        DamagedFolder: what is there is no record.
    """
    path = path_of(results, job_id)
    try:
        return SavedRecord.read(read_regular(path, MOST_BYTES), job_id)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedFolder(f"{path} cannot be read ({error})") from None


def remove_saved(results: "Results", job_id: str) -> None:
    """Remove the saved record of a job, if there is one.

    Raises:
        OSError: the results volume is read-only or gone.
    """
    path = path_of(results, job_id)
    path.unlink(missing_ok=True)
    results.share(path)


def path_of(results: "Results", job_id: str) -> Path:
    """Where the record of a job is saved."""
    return results.root / FOLDER / f"{job_id}.json"


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise NotADirectoryError(20, "Not a folder of its own", str(folder))


def _write(results: "Results", path: Path, content: bytes) -> None:
    with whole_file(path) as file:
        file.write(content)
    results.share(path)
