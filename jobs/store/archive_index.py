"""What an archive says of itself, in its first member: which jobs it holds, and what labels they had."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.ids import is_job_id
from jobs.store.labels import LONGEST_NOTE, Label
from jobs.store.manifest import MOST_FILES
from jobs.store.strict_json import parse_json
from jobs.tags import check_tags

NAME = "quartet-archive.json"
MOST_JOBS = 10_000
MOST_BYTES = 32 * 2**20

_FORM = 1
"""Raise it where an older version could not read a newer archive."""


@dataclass(frozen=True)
class ArchivedJob:
    """A job in an archive.

    Attributes:
        files: how many its manifest names.
        bytes: of those files.
        label: the tags and the note that it was given since it was submitted; None if nobody did.
    """

    id: str
    files: int
    bytes: int
    label: Label | None = None


def index_text(jobs: Sequence[ArchivedJob]) -> bytes:
    """The first member of an archive."""
    listed = [
        {"id": job.id, "files": job.files, "bytes": job.bytes}
        | ({} if job.label is None else {"tags": list(job.label.tags), "note": job.label.note})
        for job in jobs
    ]
    return json.dumps({"form": _FORM, "jobs": listed}, indent=1, ensure_ascii=False).encode() + b"\n"


def read_index(content: bytes) -> list[ArchivedJob]:
    """Read what `index_text` wrote, which a stranger may have changed.

    Raises:
        ValueError: it is something else; the text says why.
    """
    try:
        found = parse_json(content)
        form, listed = found["form"], found["jobs"]
        if form != _FORM:
            raise ValueError(f"its form is {str(form)[:20]}, which another version of Quartet wrote")
        if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_JOBS:
            raise ValueError(f"it does not list 1 to {MOST_JOBS:,} jobs")
        jobs = [_read_job(each) for each in listed]
    except (LookupError, TypeError, RecursionError):
        raise ValueError(f"{NAME} in it does not list jobs") from None
    ids = [job.id for job in jobs]
    if ids != sorted(set(ids)):
        raise ValueError(f"{NAME} in it lists a job twice, or in another order than by their ids")
    return jobs


def _read_job(value: dict[str, object]) -> ArchivedJob:
    job_id, files, size = value["id"], value["files"], value["bytes"]
    if not isinstance(job_id, str) or not is_job_id(job_id):
        raise ValueError(f"{str(job_id)[:60]!r} in it is no job's id")
    for count, most in ((files, MOST_FILES), (size, 2**60)):
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= most:
            raise ValueError(f"job {job_id} in it has {str(count)[:20]} files or bytes")
    label = _read_label(value) if "tags" in value else None
    return ArchivedJob(job_id, files, size, label)  # type: ignore[arg-type] # counts


def _read_label(value: dict[str, object]) -> Label:
    tags, note = value["tags"], value.get("note", "")
    if not isinstance(tags, list) or not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise ValueError(f"the tags or the note of job {value['id']} in it are none")
    if note.encode(errors="ignore").decode() != note:  # half a character, which no file takes
        raise ValueError(f"the note of job {value['id']} in it is no text")
    try:
        return Label(check_tags(tags), note)
    except ValueError as error:
        raise ValueError(f"job {value['id']} in it has tags other than {error}") from None
