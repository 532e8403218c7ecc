"""The results folder of a host whose store is an object store: a copy, of which each host has its own.

Here a job is staged, and published twice: in the store, which decides, and then in the folder. Of jobs that
other hosts published, the folder has what lists and comparisons need; the other files are fetched when they
are read.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from jobs.claim import Claim
from jobs.errors import DamagedFolder, InvalidSetting, LeaseLost, StoreUnreachable
from jobs.ids import check_job_id
from jobs.store.copy_of_store import bring_up_to_date, remove_copy
from jobs.store.fingerprints import Fingerprints
from jobs.store.history import History
from jobs.store.job_folder import CHECKPOINT, MANIFEST, MODEL, JobFolder
from jobs.store.objects import changes, fetching, publishing, shared_files
from jobs.store.objects.checkpoints import SharedCheckpoints
from jobs.store.objects.layout import STORE_ID, manifest_text
from jobs.store.objects.objects import Objects
from jobs.store.objects.shared_data import SharedData
from jobs.store.results import Results
from jobs.store.store_id import ID_FILE, id_in, new_store_id

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
"""Until a store that does not answer is asked again."""

_NOT_ON_A_PAGE = (MODEL, CHECKPOINT)
_MOST_CHANGE_BYTES = changes.MOST_BYTES // 2
_COPY_OF = ".copy-of"
_SYNC_SECONDS = 1.0

_synced: dict["BucketResults", float] = {}
"""When this process last read what other hosts did."""

T = TypeVar("T")


@dataclass(frozen=True)
class BucketResults(Results):
    """A host's copy of an object store.

    Attributes:
        objects: the store.
        address: the store's.
        patient: whether publishing waits for a store that does not answer, however long.
    """

    objects: Objects = field(kw_only=True, compare=False)
    address: str = field(kw_only=True)
    patient: bool = field(kw_only=True, default=False)

    def find(self, job_id: str) -> JobFolder | None:
        """As `Results.find`; the store is asked about a job that has no folder here.

        Raises:
            UnknownJob: `job_id` is not a job id.
            DamagedFolder: the store has something else in its place.
            StoreUnreachable: the store does not answer.
        """
        return super().find(job_id) or self._fetched(job_id, lambda name: name in changes.BROUGHT)

    def whole(self, job_id: str) -> JobFolder | None:
        """As `Results.whole`; raises as `find` does."""
        return self._fetched(job_id, lambda _: True)

    def with_page(self, job_id: str) -> JobFolder | None:
        """As `Results.with_page`; raises as `find` does."""
        return self._fetched(job_id, lambda name: name not in _NOT_ON_A_PAGE)

    def fetch(self, job_id: str, to: Path) -> JobFolder | None:
        """As `Results.fetch`, without a copy in the results folder.

        Raises:
            StoreUnreachable: the store does not answer.
        """
        if not fetching.fetch(self.objects, to, job_id, lambda _: True):
            return None
        folder = JobFolder(to / job_id)
        folder.check()
        return folder

    def _fetched(self, job_id: str, wanted: Callable[[str], bool]) -> JobFolder | None:
        folder = super().find(job_id)
        if folder is not None and _has_all(folder, wanted):
            return folder
        if not fetching.fetch(self.objects, self.root, job_id, wanted):
            return folder
        if folder is None:
            self._found(job_id)
        return super().find(job_id)

    def _found(self, job_id: str, here: bool = True) -> None:
        """List a job whose folder was made here, and find it where an equal one is to be run."""
        if not here:
            History(self).drop(job_id)
            return
        folder = JobFolder(self.root / job_id)
        History(self).add(folder)
        with suppress(DamagedFolder, LookupError, TypeError):
            Fingerprints(self.root).add(str(folder.job["fingerprint"]["key"]), job_id)

    def here(self, job_id: str) -> JobFolder | None:
        """As `Results.here`."""
        return super().find(job_id)

    def sync(self) -> None:
        """As `Results.sync`, at most once a second.

        Raises:
            StoreUnreachable: the store does not answer.
            OSError: the volume is full, read-only or gone.
        """
        if time.monotonic() - _synced.get(self, -_SYNC_SECONDS) < _SYNC_SECONDS:
            return
        _synced[self] = time.monotonic()
        self.root.mkdir(parents=True, exist_ok=True)
        bring_up_to_date(self.objects, self.root, self._found)

    @property
    def checkpoints(self) -> SharedCheckpoints:
        """As `Results.checkpoints`."""
        return SharedCheckpoints(self.objects)

    @property
    def shared_data(self) -> SharedData:
        """As `Results.shared_data`."""
        return SharedData(self.objects)

    def _make_public(
        self, claim: Claim, staging: Path, checksums: Mapping[str, str], fence: Callable[[], object]
    ) -> None:
        job_id, publication = claim.job_id, claim.token
        files = {name: (staging / name).read_bytes() for name in changes.BROUGHT if name in checksums}

        def create() -> bool:
            fence()
            return publishing.publish(self.objects, job_id, publication, checksums)

        try:
            self._asked(lambda: publishing.upload(self.objects, job_id, publication, staging, checksums))
            if not self._asked(create):
                raise LeaseLost(f"attempt {claim.attempt} of job {job_id} is no longer the current one")
        except (LeaseLost, OSError):
            # Whoever publishes removes what others have uploaded; what came after that is removed here.
            with suppress(StoreUnreachable, DamagedFolder):
                if first := fetching.published(self.objects, job_id):
                    publishing.remove_others(self.objects, job_id, first.publication)
            raise
        try:
            self._rename(staging, self.root / job_id)
        except OSError as error:  # the job is published, whatever becomes of this host's copy
            log.warning("job %s is published, and this host has no copy: %s", job_id, error)
            with suppress(OSError):
                self.root.mkdir(parents=True, exist_ok=True)
        self._asked(lambda: self._announce(job_id, publication, checksums, files))

    def _announce(
        self, job_id: str, publication: str, checksums: Mapping[str, str], files: dict[str, bytes]
    ) -> None:
        """Tell other hosts of a job that is published, and remove what nobody needs any more."""
        manifest = manifest_text(checksums, publication)
        fits = sum(map(len, files.values())) + len(manifest) <= _MOST_CHANGE_BYTES
        content = {"files": changes.as_texts({MANIFEST: manifest, **files})}
        changes.add_change(self.objects, "published", job_id, content if fits else {})
        publishing.remove_others(self.objects, job_id, publication)
        self.checkpoints.remove(job_id)

    def tell_again(self, job_id: str) -> None:
        """As `Results.tell_again`.

        Raises:
            StoreUnreachable: the store does not answer.
            DamagedFolder: a file in the store does not match the manifest.
        """
        found, folder = fetching.published(self.objects, job_id), self.find(job_id)
        if found is not None and folder is not None:
            names = [name for name in changes.BROUGHT if (folder.path / name).is_file()]
            files = {name: (folder.path / name).read_bytes() for name in names}
            self._announce(job_id, found.publication, found.checksums, files)

    def _rename(self, staging: Path, final: Path) -> None:
        """Put the folder that is published in place of the copy that another process has made of it."""
        for _ in range(3):
            try:
                staging.rename(final)
            except OSError:
                if not final.is_dir():
                    raise
                remove_copy(self.root, final.name)
            else:
                return

    def _asked(self, ask: Callable[[], T]) -> T:
        """What the store answers, however long it takes, if this store is asked patiently."""
        away = False
        while True:
            try:
                return ask()
            except StoreUnreachable as error:
                if not self.patient:
                    raise
                log.log(logging.DEBUG if away else logging.WARNING, "%s; publishing waits for it", error)
                away = True
                time.sleep(RETRY_SECONDS)

    @property
    def name(self) -> str:
        """As `Results.name`: the store's address."""
        return self.address

    def place(self) -> str:
        """As `Results.place`: the store's address."""
        return self.address

    def id(self) -> str | None:
        """As `Results.id`.

        Raises:
            StoreUnreachable: the store does not answer.
        """
        found = self.objects.read(STORE_ID, 1_000)
        return None if found is None else id_in(found)

    def give_id(self, wanted: str | None = None) -> str | None:
        """As `Results.give_id`.

        Raises:
            StoreUnreachable: the store does not answer.
        """
        self.objects.create(STORE_ID, f"{wanted or new_store_id()}\n".encode())
        return self.id()

    def check_copy(self) -> None:
        """Refuse a results folder that is a store of its own, or the copy of another one; mark this one's.

        Raises:
            InvalidSetting: it is.
            OSError: the volume is full, read-only or gone.
        """
        mark = self.root / _COPY_OF
        given = None
        if (self.root / ID_FILE).exists():
            given = f"{self.root}, which is a store itself"
        elif mark.exists() and mark.read_text().strip() != self.address:
            given = f"{self.root}, which is a copy of {mark.read_text().strip()[:200]}"
        if given:
            expected = f"a folder for this host's copy of {self.address}"
            raise InvalidSetting(
                "QUARTET_RESULTS_DIR", expected=expected, given=given, hint="name a new folder"
            )
        if not mark.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            mark.write_text(f"{self.address}\n")

    def share(self, path: Path) -> None:
        """As `Results.share`.

        Raises:
            StoreUnreachable: the store does not answer.
            OSError: the file cannot be read.
        """
        shared_files.share(self.objects, self.root, path)

    def take_shared(self, path: Path) -> None:
        """As `Results.take_shared`.

        Raises:
            StoreUnreachable: the store does not answer.
            OSError: the volume is full, read-only or gone.
        """
        shared_files.take(self.objects, self.root, path)

    def labelled(self, job_id: str, tags: Sequence[str], note: str) -> None:
        """As `Results.labelled`.

        Raises:
            StoreUnreachable: the store does not answer.
        """
        changes.add_change(self.objects, "labelled", job_id, {"tags": list(tags), "note": note})

    def bytes_of(self, job_ids: Sequence[str]) -> list[int]:
        """As `Results.bytes_of`, in the object store.

        Raises:
            StoreUnreachable: the store does not answer.
        """
        return self.objects.sizes([check_job_id(job_id) for job_id in job_ids])

    def deleted(self, job_id: str) -> None:
        """As `Results.deleted`.

        Raises:
            StoreUnreachable: the store does not answer.
        """
        publishing.remove_others(self.objects, job_id, None)
        self.checkpoints.remove(job_id)
        changes.add_change(self.objects, "deleted", job_id, {})


def _has_all(folder: JobFolder, wanted: Callable[[str], bool]) -> bool:
    """Whether a folder has each wanted file that its manifest names."""
    try:
        lines = (folder.path / MANIFEST).read_text().splitlines()
    except (OSError, ValueError):
        return True  # damaged, and not for want of files
    names = (line[66:] for line in lines)
    return all((folder.path / name).exists() for name in names if name and wanted(name))
