"""A Redis and workers of a benchmark's own, and what their jobs say when."""

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
"""For one job."""


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
    """A private Redis without workers; gives the settings that find it."""
    with private_redis(settings.private_socket(), settings.state_dir, keep=False) as address:
        yield read_settings(
            **{name: getattr(settings, name) for name in Settings.model_fields} | {"redis_url": address}
        )


def wait(client: Client, job_id: str, end: str = "succeeded") -> Record:
    """What the ledger has of a job once it has ended as it should: `succeeded`, or `cancelled`.

    Raises:
        RuntimeError: it ended otherwise, or takes minutes.
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


def said(client: Client, job_id: str) -> list[tuple[int, dict[str, Any]]]:
    """What a job said of its progress and when, in Redis' milliseconds since 1970."""
    entries = client.ledger.redis.xrange(f"quartet:progress:{job_id}")
    return [
        (int(entry.partition("-")[0]), json.loads(fields["values"]))
        for entry, fields in entries
        if "values" in fields
    ]


def first_step(client: Client, job_id: str) -> int | None:
    """When a training's first step was told of, in Redis' milliseconds since 1970; None if none was yet."""
    steps = (moment for moment, values in said(client, job_id) if values.get("step") or values.get("epoch"))
    return next(steps, None)


def wait_for_first_step(client: Client, job_id: str) -> int:
    """The same, once there is one.

    Raises:
        RuntimeError: the job ended without, or takes minutes.
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
    raise RuntimeError(f"job {job_id} told of no step")
