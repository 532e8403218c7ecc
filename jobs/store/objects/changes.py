"""What happened to published jobs, one object each, in its order: every host reads on from where it was.

A change is named by the clock of the host that made it. Clocks differ, so a reader looks back by an hour
beyond what it has seen, and remembers what it has seen there.
"""

import base64
import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, cast

from jobs.ids import check_job_id
from jobs.store.job_folder import HISTORY
from jobs.store.objects.layout import CHANGES
from jobs.store.objects.objects import Objects
from jobs.store.strict_json import parse_json

LOOK_BACK_SECONDS = 3_600.0
MOST_BYTES = 4 * 2**20
"""Of one change."""

BROUGHT = ("job.json", "metrics.json", HISTORY, "figures/thumbnail.png")
"""The files of a job that every host has: what lists, comparisons and sweeps read."""

Kind = Literal["published", "deleted", "labelled"]

_NAME = re.compile(r"(\d{13})-(\d{8}-\d{6}-\d{3}-[a-z2-7]{4})-(published|deleted|labelled)-[0-9a-f]{8}")
_LISTED = 1_000
_READ = 32
"""At a time: strangers' changes may all be as large as one can be."""


class Change(NamedTuple):
    """One change.

    Attributes:
        name: by which changes are in their order.
        content: what it says, which a stranger may have written; None if it cannot be read.
    """

    name: str
    job_id: str
    kind: Kind
    content: dict[str, Any] | None


def add_change(objects: Objects, kind: Kind, job_id: str, content: Mapping[str, Any]) -> None:
    """Add a change.

    Raises:
        UnknownJob: `job_id` is not a job id.
        StoreUnreachable: the store does not answer.
    """
    moment = round(time.time() * 1000)
    name = f"{moment:013}-{check_job_id(job_id)}-{kind}-{secrets.token_hex(4)}"
    objects.write(f"{CHANGES}/{name}", json.dumps(content, separators=(",", ":")).encode())


def changes_after(objects: Objects, seen: set[str]) -> Iterator[list[Change]]:
    """The changes that are not among those seen, in batches, oldest first.

    Args:
        objects: the store.
        seen: names of changes; what is older than the newest of them by an hour counts as seen.

    Raises:
        StoreUnreachable: the store does not answer.
    """
    after = f"{_looks_back_to(seen):013}"
    while True:
        names = objects.names(CHANGES, after, most=_LISTED)
        new = [match for name in names if name not in seen and (match := _NAME.fullmatch(name))]
        for start in range(0, len(new), _READ):
            matches = new[start : start + _READ]
            contents = objects.read_all([f"{CHANGES}/{match[0]}" for match in matches], MOST_BYTES)
            yield [
                Change(match[0], match[2], cast("Kind", match[3]), _parsed(content))
                for match, content in zip(matches, contents, strict=True)
            ]
        if len(names) < _LISTED:
            return
        after = names[-1]


def still_to_remember(seen: set[str]) -> set[str]:
    """The names of changes that `changes_after` must be told next time."""
    first = _looks_back_to(seen)
    return {name for name in seen if int(name[:13]) >= first}


def as_texts(files: Mapping[str, bytes]) -> dict[str, str]:
    """Files as values for JSON."""
    return {name: base64.b64encode(content).decode() for name, content in files.items()}


def as_files(texts: object) -> dict[str, bytes]:
    """What `as_texts` was given.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("no files")
    return {str(name): base64.b64decode(text, validate=True) for name, text in texts.items()}


def _looks_back_to(seen: set[str]) -> int:
    """From which moment on changes are listed, in milliseconds since 1970."""
    # A clock that is ahead by years must not hide what follows.
    newest = min(int(max(seen, default="0")[:13]), round(time.time() * 1000))
    return max(0, newest - round(LOOK_BACK_SECONDS * 1000))


def _parsed(content: bytes | None) -> dict[str, Any] | None:
    try:
        value = parse_json(content or b"")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
