"""Fixtures of the notebooks' tests."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from jobs.client import Client
from jobs.ids import new_job_id
from jobs.job import Job
from jobs.spec import JobSpec
from jobs.store.history import History
from jobs.store.job_folder import JobFolder
from tests.support.report_folders import job_record, write_folder

HISTORY = "epoch,loss,validation_loss\n1,0.3,0.25\n2,0.2,0.125\n"


def png(width: int = 4, height: int = 3) -> bytes:
    """A black picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def publish(client: Client, spec: JobSpec | dict[str, Any] | None = None, **changes: Any) -> Job:
    """A training job that has ended, with a folder as a worker leaves it; `changes` are of its record."""
    spec = spec or JobSpec.make("autoencoder", "train", data="digits", name="mine")
    record = job_record(spec, job_id=new_job_id(), continues=None, **changes)
    folder = write_folder(client.results.root, record, {"history.csv": HISTORY, "report.html": "a page"})
    (folder / "metrics.json").write_text(json.dumps({"validation_bce": 0.123456789, "images": 10}))
    (folder / "figures").mkdir()
    for name in ("loss", "code", "thumbnail"):
        (folder / "figures" / f"{name}.png").write_bytes(png())
    History(client.results).add(JobFolder(folder))
    return client.job(folder.name)


@pytest.fixture
def folder_of_figures(tmp_path: Path) -> Path:
    (tmp_path / "job" / "figures").mkdir(parents=True)
    return tmp_path / "job"
