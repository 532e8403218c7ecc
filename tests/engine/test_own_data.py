"""A job reads the stored data that it was submitted with, wherever the original is by then; or it fails in a
sentence.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.job import Job
from jobs.settings import Settings
from tests.engine.test_attempt import StubWing, stub  # noqa: F401 - a fixture
from tests.support.own_texts import NOVEL
from worker.context import JobContext
from worker.datasets.locate import locate
from worker.engine import background
from worker.engine.attempt import execute

Work = Callable[..., Job]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "novel.txt"
    path.write_text(NOVEL)
    return path


@pytest.fixture
def work(client: Client, settings: Settings, stub: StubWing) -> Work:  # noqa: F811
    """Has a worker in this process run a job that reads its data."""

    def task(context: JobContext) -> dict[str, float]:
        found = locate(type(context.spec.parameters), context.data_to_read(), context.settings)
        assert found.path is not None
        context.data[found.name] = {"name": found.name, "path": str(found.path), "sha256": "0" * 64}
        return stub.task(context)

    stub.action = lambda _: task  # type: ignore[method-assign]

    def run(job: Job) -> Job:
        execute(job.id, settings, "w1@here")
        background.wait()
        return client.job(job.id)

    return run


def test_a_job_finds_stored_data_although_the_original_is_gone(
    client: Client, work: Work, file: Path
) -> None:
    pin = client.add_data(file, name="novel").pin
    queued = client.submit("textgen", "train", data="novel")
    file.unlink()
    assert work(queued).state == "succeeded"
    job = client.folder(queued.id).job
    assert job["spec"]["data"] == str(pin)
    assert job["data"]["novel"]["path"] == str(client.own_data.find(pin))
    page = (client.folder(queued.id).path / "report.html").read_text()
    assert pin.shown in page
    assert str(pin) in page, "the command reproduces the job"


def test_a_job_whose_data_was_changed_or_removed_fails_in_a_sentence(
    client: Client, work: Work, file: Path
) -> None:
    pin = client.add_data(file, name="novel").pin
    changed, gone = (client.submit("textgen", "train", data="novel", seed=seed) for seed in (1, 2))
    stored = client.own_data.find(pin)
    stored.chmod(0o644)
    stored.write_text("something else")
    assert str(work(changed).error).startswith(f"data: expected stored data as it was added, got {pin.shown}")
    client.own_data.remove("novel")
    error = str(work(gone).error)
    assert error.endswith(
        f"got {pin.shown}, which is not (hint: `quartet data add` with the same file stores it again)"
    )
