"""A worker's name means the same to Celery, the ledger and the lock, or it is refused before anything starts."""

import os

import pytest

from jobs.errors import InvalidInput
from worker.cli import worker
from worker.engine import main_process


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the workers that would have been started."""
    names: list[str] = []
    monkeypatch.setattr(main_process, "start", lambda *given: names.append(given[-1]))
    return names


@pytest.mark.parametrize(
    "name",
    ["", " ", "%n", "%h", "w%i", "a/b", "../x", "a,b", "a@b", "a b", "w1\n", "w\x00", "ä", "１", "a:b", "x" * 65, "x" * 300],
)  # fmt: skip
@pytest.mark.parametrize("command", [[], ["health"]])
def test_a_name_that_celery_or_a_folder_reads_otherwise_is_refused(
    started: list[str], command: list[str], name: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        worker.main([*command, "--name", name], standalone_mode=False)
    assert (caught.value.exit_code, caught.value.field) == (2, "--name")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
    assert started == []


@pytest.mark.parametrize("name", ["worker", "quartet-12", "a.b_c-D9", "x" * 64])
def test_a_plain_name_starts_a_worker(started: list[str], name: str) -> None:
    worker.main(["--name", name], standalone_mode=False)
    assert started == [f"{name}@{os.uname().nodename}"]
