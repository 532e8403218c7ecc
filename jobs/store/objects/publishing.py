"""Publishes a folder to an object store: all its files first, then its manifest, which is created once."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jobs.store.objects.layout import file_of, manifest_of, manifest_text
from jobs.store.objects.objects import Objects

_UPLOADS = 8
"""At a time."""

_MOST_LEFT = 10_000


def upload(
    objects: Objects, job_id: str, publication: str, folder: Path, checksums: Mapping[str, str]
) -> None:
    """Upload a job's files, which no reader sees before `publish`.

    Args:
        objects: the store.
        job_id: the job.
        publication: 16 hexadecimal digits of this publication's own.
        folder: that holds the files.
        checksums: file's name -> SHA-256.

    Raises:
        StoreUnreachable: the store does not answer.
        OSError: a file cannot be read.
    """
    upload_all(objects, {file_of(job_id, publication, name): folder / name for name in checksums})


def upload_all(objects: Objects, paths: Mapping[str, Path]) -> None:
    """Upload files, several at a time.

    Args:
        objects: the store.
        paths: key -> file.

    Raises:
        StoreUnreachable: the store does not answer.
        OSError: a file cannot be read.
    """
    with ThreadPoolExecutor(_UPLOADS, thread_name_prefix="upload") as pool:
        list(pool.map(objects.upload, paths.keys(), paths.values()))


def publish(objects: Objects, job_id: str, publication: str, checksums: Mapping[str, str]) -> bool:
    """Create a job's manifest.

    Returns:
        Whether the job is published with these files; False if another attempt was first.

    Raises:
        StoreUnreachable: the store does not answer; the manifest may have been created all the same.
    """
    return objects.create(manifest_of(job_id), manifest_text(checksums, publication))


def remove_others(objects: Objects, job_id: str, publication: str | None) -> None:
    """Remove the files that other attempts uploaded, whose manifest will never be there.

    Args:
        objects: the store.
        job_id: the job.
        publication: what stays, with the manifest; None to remove everything, the manifest first.

    Raises:
        StoreUnreachable: the store does not answer.
    """
    names = objects.names(job_id, most=_MOST_LEFT)
    if publication is None:
        objects.remove([manifest_of(job_id)])
    kept = f"{publication}/"
    objects.remove([f"{job_id}/{name}" for name in names if "/" in name and not name.startswith(kept)])
