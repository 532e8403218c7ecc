"""Where what lies in an object store, and what a job's manifest there says.

.store-id                          the store's identity
<job>/MANIFEST.sha256              created once: with it the job is published; it names the files
<job>/<publication>/<file>         as in the job's folder; whoever does not publish leaves them unnamed
.checkpoints/<job>/<progress>      the newest checkpoints of a job that has not ended
.changes/<moment>-<job>-<kind>     what happened to jobs, in its order: other hosts read on from there
.shared/<path>                     small files of the results folder that every host needs
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from jobs.errors import DamagedFolder
from jobs.ids import check_job_id
from jobs.store.job_folder import MANIFEST
from jobs.store.manifest import MOST_FILES, text_of

CHANGES = ".changes"
CHECKPOINTS = ".checkpoints"
SHARED = ".shared"
STORE_ID = ".store-id"

_LINE = re.compile(r"([0-9a-f]{64})  ([0-9a-f]{16})/(.+)")


@dataclass(frozen=True)
class Published:
    """A job as the store has it.

    Attributes:
        publication: what its files' keys begin with.
        checksums: file's name -> SHA-256.
    """

    publication: str
    checksums: Mapping[str, str]


def manifest_of(job_id: str) -> str:
    """The key of a job's manifest.

    Raises:
        UnknownJob: `job_id` is not a job id.
    """
    return f"{check_job_id(job_id)}/{MANIFEST}"


def file_of(job_id: str, publication: str, name: str) -> str:
    """The key of one of a job's files.

    Raises:
        UnknownJob: `job_id` is not a job id.
    """
    return f"{check_job_id(job_id)}/{publication}/{name}"


def manifest_text(checksums: Mapping[str, str], publication: str) -> bytes:
    """The manifest of a job in an object store, as `sha256sum --check` reads it beside the files.

    Args:
        checksums: file's name -> SHA-256.
        publication: 16 hexadecimal digits of this publication's own.
    """
    return text_of({f"{publication}/{name}": checksum for name, checksum in checksums.items()}).encode()


def read_manifest(content: bytes, job_id: str) -> Published:
    """Read what `manifest_text` wrote, which a stranger may have changed.

    Raises:
        DamagedFolder: it is no manifest, or names a file outside the job's folder.
    """
    try:
        lines = content.decode().removesuffix("\n").split("\n")
        matches = [match for line in lines if (match := _LINE.fullmatch(line))]
        publications = {match[2] for match in matches}
        checksums = {match[3]: match[1] for match in matches}
        if len(checksums) != len(lines) or len(publications) != 1 or len(lines) > MOST_FILES:
            raise ValueError("a line is not a checksum and a file of one publication")
        strange = next(iter(checksums.keys() - well_named(checksums)), None)
        if strange is not None:
            raise ValueError(f"{strange[:80]!r} is no name of a job's file")
    except ValueError as error:
        raise DamagedFolder(f"job {job_id}: {MANIFEST} in the store cannot be read ({error})") from None
    return Published(publications.pop(), checksums)


def well_named(names: Iterable[str]) -> set[str]:
    """Those names whose files lie in their folder, are not hidden in it, and can all be made there."""
    found = {name for name in names if len(name) <= 500 and name.isprintable() and _is_well_made(name)}
    return {name for name in found if found.isdisjoint(map(str, PurePosixPath(name).parents))}


def _is_well_made(name: str) -> bool:
    parts = name.split("/")
    return not any(
        not part or part.startswith(".") or "\\" in part or len(part.encode()) > 255 for part in parts
    )
