"""Brings a host's copy of an object store up to date with what other hosts did to published jobs."""

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from jobs.errors import DamagedFolder, InvalidInput, JobConflict
from jobs.store.atomic_files import whole_file
from jobs.store.file_lock import try_lock
from jobs.store.labels import Label, Labels
from jobs.store.manifest import MOST_MANIFEST_BYTES
from jobs.store.objects import changes, fetching
from jobs.store.objects.changes import Change
from jobs.store.objects.layout import manifest_of, read_manifest
from jobs.store.objects.objects import Objects

log = logging.getLogger(__name__)

SEEN = ".changes-seen.json"
"""In the results folder: which of the latest changes are made here."""

_LOCK = ".changes.lock"
_LOCK_SECONDS = 30.0


def bring_up_to_date(objects: Objects, root: Path, known: Callable[[str, bool], None]) -> None:
    """Make the changes here that are not made yet. Nothing is done while another process does it.

    Args:
        objects: the store.
        root: the results folder, which exists.
        known: called with a job's id once its folder is here, or gone; True if it is here.

    Raises:
        StoreUnreachable: the store does not answer.
        OSError: the volume is full, read-only or gone.
    """
    with try_lock(root / _LOCK, _LOCK_SECONDS) as held:
        if not held:
            return
        seen = _seen(root)
        for batch in changes.changes_after(objects, seen):
            manifests = _manifests(objects, root, batch)
            for change in batch:
                _make(objects, root, change, manifests.get(change.job_id), known)
            seen |= {change.name for change in batch}
            with whole_file(root / SEEN, durable=False) as file:
                file.write(json.dumps(sorted(changes.still_to_remember(seen))).encode())


def remove_copy(root: Path, job_id: str) -> None:
    """Remove a job's folder at once, as far as whoever lists it is concerned."""
    with suppress(OSError):
        gone = root / fetching.FETCHING / f"{job_id}.deleted"
        shutil.rmtree(gone, ignore_errors=True)
        gone.parent.mkdir(exist_ok=True)
        (root / job_id).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def _seen(root: Path) -> set[str]:
    try:
        found = json.loads((root / SEEN).read_bytes())
    except (OSError, ValueError):
        return set()
    named = found if isinstance(found, list) else []
    return {name for name in named if isinstance(name, str) and name[:13].isdecimal()}


def _manifests(objects: Objects, root: Path, batch: Sequence[Change]) -> dict[str, bytes | None]:
    """By the ids of published jobs that have no folder here: their manifests in the store."""
    new = {change.job_id for change in batch if change.kind == "published"}
    ids = sorted(job_id for job_id in new if not (root / job_id).is_dir())
    read = objects.read_all([manifest_of(job_id) for job_id in ids], MOST_MANIFEST_BYTES)
    return dict(zip(ids, read, strict=True))


def _make(
    objects: Objects, root: Path, change: Change, manifest: bytes | None, known: Callable[[str, bool], None]
) -> None:
    """Make a change; what a stranger wrote is logged and left."""
    try:
        if change.kind == "published":
            _make_folder(objects, root, change, manifest, known)
        elif change.kind == "deleted":
            if fetching.published(objects, change.job_id) is None:
                remove_copy(root, change.job_id)
                known(change.job_id, False)
        else:
            content = change.content or {}
            Labels(root).put(change.job_id, Label(tuple(content["tags"]), content["note"]))
    except (ValueError, LookupError, TypeError, DamagedFolder, InvalidInput, JobConflict) as error:
        log.warning("the change %s in the store cannot be read: %s", change.name, error)


def _make_folder(
    objects: Objects,
    root: Path,
    change: Change,
    manifest: bytes | None,
    known: Callable[[str, bool], None],
) -> None:
    """Make the folder of a job that another host published, with the files that the change brings.

    A change that would be too large brings none.
    """
    job_id, content = change.job_id, change.content or {}
    if manifest is None or (root / job_id).is_dir():
        return
    if "files" not in content:
        made = fetching.fetch(objects, root, job_id, lambda name: name in changes.BROUGHT)
    else:
        found = read_manifest(manifest, job_id)
        made = fetching.make_folder(root, job_id, found, changes.as_files(content["files"]))
    if made:
        known(job_id, True)
