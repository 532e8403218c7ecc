"""Job ids: they sort by time and are safe as file names."""

import re
import threading
from datetime import UTC, datetime, timedelta

from jobs.errors import UnknownJob

SHORTEST_PART = 4
"""Characters of an id that name a job, if no other id has them: its end, its beginning or any others."""

REFERENCE = f"a job's id, {SHORTEST_PART} or more characters of it, its name, or `latest`"
"""What a person may call a job by, to be read after `expected`."""

_PATTERN = re.compile(r"\d{8}-\d{6}-\d{3}-[a-z2-7]{4}")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_lock = threading.Lock()
_latest = datetime.min.replace(tzinfo=UTC)


def new_job_id() -> str:
    """Return an id like `20261123-221530-042-k7qd`: UTC time in milliseconds, then 20 random bits.

    Ids made by one process are strictly increasing, also within one millisecond.
    """
    import secrets  # late: it loads much, and a health check makes no id

    global _latest
    with _lock:
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        _latest = max(now, _latest + timedelta(milliseconds=1))
        moment = _latest
    random_part = "".join(secrets.choice(_ALPHABET) for _ in range(4))
    return f"{moment:%Y%m%d-%H%M%S}-{moment.microsecond // 1000:03d}-{random_part}"


def is_job_id(text: str) -> bool:
    """Whether `text` is a complete job id with a valid date and time."""
    if not isinstance(text, str) or _PATTERN.fullmatch(text) is None:
        return False
    try:
        submitted_at(text)
    except ValueError:
        return False
    return True


def submitted_at(job_id: str) -> datetime:
    """The time of an id, to the second, in UTC.

    Raises:
        ValueError: it has no valid date and time.
    """
    return datetime.fromisoformat(f"{job_id[:8]}T{job_id[9:15]}Z")


def check_job_id(text: str) -> str:
    """Return `text` if it is a job id, so that it may become part of a path.

    Raises:
        UnknownJob: it is not one.
    """
    if not is_job_id(text):
        raise UnknownJob("job", expected="a job id like 20261123-221530-042-k7qd", given=repr(text[:80]))
    return text
