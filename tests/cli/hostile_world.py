"""What a stranger may send, and a world in which to see that it does nothing.

A row is a name, what is sent, and a pattern of the sentence or the result that it gets. After each row the file
that lies outside of everything is still what it was.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.claim import Claim
from jobs.cli.job_table import show_jobs
from jobs.cli.tables import show_job
from jobs.client import Client
from jobs.errors import QuartetError
from jobs.settings import Settings
from jobs.showing.command_line import command_line
from jobs.spec import JobSpec
from jobs.store.job_folder import CHECKPOINT, JobFolder
from tests.support.report_folders import job_record, render_page, write_folder
from worker.images.datasets import load_images
from worker.report.index_page import write_index
from worker.training.checkpoint import Checkpoint

ID = "20261123-221530-042-k7qd"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Bomb:
    """Unpickled, it would write into the working folder."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch owned",)


@dataclass
class World:
    """A client, its results folder, and a file outside that nothing may touch or show."""

    settings: Settings
    client: Client
    folder: Path
    outside: Path

    @property
    def results(self) -> Path:
        self.settings.results_dir.mkdir(exist_ok=True)
        return self.settings.results_dir

    def queued(self, **fields: Any) -> str:
        """A job in Redis whose record somebody changed."""
        job_id = self.client.submit("autoencoder", "train", data="digits").id
        self.client.ledger.redis.hset(f"quartet:job:{job_id}", mapping=fields)
        other = self.client.submit("autoencoder", "train", data="digits").id
        listing = self.client.listing()
        assert other in [job.id for job in listing.jobs], "it hides no other"
        assert job_id in [*listing.unreadable, *(job.id for job in listing.jobs)], "it does not vanish"
        return str(self.client.job(job_id))

    def finished(self, **changes: Any) -> JobFolder:
        """A folder that came from anywhere."""
        spec = JobSpec.make("autoencoder", "train", data="digits")
        return JobFolder(write_folder(self.results, job_record(spec, job_id=ID) | changes))

    def published(self) -> JobFolder:
        """A folder that we published, with a model and a checkpoint."""
        results = self.client.results
        claim = Claim(ID, 1, "0123456789abcdef")
        staging = results.stage(claim)
        (staging / "job.json").write_text(
            json.dumps(job_record(JobSpec.make("autoencoder", "train"), job_id=ID))
        )
        (staging / "model.keras").write_bytes(b"weights")
        Checkpoint(variables=[np.zeros(3, np.float32)]).write(staging / CHECKPOINT)
        return results.publish(claim, 0o022)

    def images(self, name: str, content: bytes) -> str:
        """What reading a file of images gets."""
        path = self.folder / name
        path.write_bytes(content)
        return str(load_images(str(path), self.settings))

    def checkpoint(self, **arrays: Any) -> str:
        path = self.folder / CHECKPOINT
        np.savez(path, **arrays)
        return str(Checkpoint.read(path))

    def shown(self, capsys: pytest.CaptureFixture[str], reference: str) -> str:
        """`quartet list` and `quartet show`, as a terminal gets them."""
        job = self.client.job(reference)
        show_jobs([job])
        show_job(job, self.client.timeline(reference), {}, command_line(job.stored))
        return capsys.readouterr().out

    def page(self, **changes: Any) -> str:
        """A report and the index of a job that says such things."""
        folder = self.finished(state="failed", **changes).path
        render_page(folder)
        write_index(self.client.results)
        pages = [path.read_text() for path in (folder / "report.html", self.results / "index.html")]
        assert not any("<script>document" in page or "<img src=x" in page for page in pages)
        assert not any(CONTROL.search(page) for page in pages)
        return "the page is whole"


Row = tuple[str, Callable[[World], Any], str]


def table(*groups: list[Row]) -> Any:
    rows = [row for group in groups for row in group]
    return pytest.mark.parametrize(
        ("send", "gets"), [row[1:] for row in rows], ids=[ascii(row[0]) for row in rows]
    )


def check(world: World, send: Callable[[World], Any], gets: str) -> None:
    """Send it, and look at what came of it."""
    try:
        found = str(send(world))
    except (QuartetError, OSError) as error:
        found = str(error).replace("Too many levels of symbolic links", "symbolic link")
    assert re.search(gets, found), found
    assert len(found) < 2_000
    assert "a secret" not in found
    assert [path.name for path in world.outside.iterdir() if path.name != "job.json"] == ["secret.txt"]
    assert (world.outside / "secret.txt").read_text() == "a secret"
    assert not list(world.folder.rglob("owned")), "code of a stranger ran"
    assert not Path("owned").exists()
