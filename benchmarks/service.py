"""A private Redis for a benchmark, and what its jobs report and when."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.data import FILES
from jobs.client import Client
from jobs.ledger.job_record import ENDED, Record
from jobs.local.redis_server import private_redis
from jobs.settings import Settings, read_settings

SECONDS_ALLOWED = 300
"""The time limit of one job."""


@contextmanager
def folders(data: Path | None) -> Iterator[Settings]:
    """Settings with empty folders of their own; the data folder has links to the real data, if any."""
    with tempfile.TemporaryDirectory(prefix="quartet-bench-") as place:
        here = Path(place)
        (here / "data").mkdir()
        for name in FILES.values() if data else ():
            assert data is not None
            (here / "data" / name).symlink_to(data / name)
        yield read_settings(
            redis_url=None, results_dir=here / "results", data_dir=here / "data", state_dir=here / "state"
        )


@contextmanager
def redis_alone(settings: Settings) -> Iterator[Settings]:
    """Start a private Redis without workers; yield the settings with its address."""
    with private_redis(settings.private_socket(), settings.state_dir, keep=False) as address:
        yield read_settings(
            **{name: getattr(settings, name) for name in Settings.model_fields} | {"redis_url": address}
        )


def wait(client: Client, job_id: str, end: str = "succeeded") -> Record:
    """Wait for a job and return its record, once it has ended as it should: `succeeded`, or `cancelled`.

    Raises:
        RuntimeError: it ended otherwise, or took longer than `SECONDS_ALLOWED`.
    """
    deadline = time.monotonic() + SECONDS_ALLOWED
    while time.monotonic() < deadline:
        [record] = client.ledger.records([job_id])
        if record.state == end:
            return record
        if record.state in ENDED:
            raise RuntimeError(f"job {job_id} {record.state}: {record.error}")
        time.sleep(0.02)
    raise RuntimeError(f"job {job_id} has not ended after {SECONDS_ALLOWED} seconds")


def reported(client: Client, job_id: str) -> list[tuple[int, dict[str, Any]]]:
    """A job's progress messages, each with its time by Redis' clock, in milliseconds since 1970."""
    entries = client.ledger.redis.xrange(f"quartet:progress:{job_id}")
    return [
        (int(entry.partition("-")[0]), json.loads(fields["values"]))
        for entry, fields in entries
        if "values" in fields
    ]


def first_step(client: Client, job_id: str) -> int | None:
    """When a job reported its first step, in Redis' milliseconds since 1970; None if it has not yet."""
    steps = (
        moment for moment, values in reported(client, job_id) if values.get("step") or values.get("epoch")
    )
    return next(steps, None)


def wait_for_first_step(client: Client, job_id: str) -> int:
    """The same, once there is one.

    Raises:
        RuntimeError: the job ended without, or took longer than `SECONDS_ALLOWED`.
    """
    deadline = time.monotonic() + SECONDS_ALLOWED
    while time.monotonic() < deadline:
        [record] = client.ledger.records([job_id])
        step = first_step(client, job_id)
        if step is not None:
            return step
        if record.state in ENDED:
            break
        time.sleep(0.02)
    raise RuntimeError(f"job {job_id} reported no step")
