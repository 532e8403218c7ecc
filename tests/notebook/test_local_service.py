"""A service within one process: what it refuses, and how it ends when what it started keeps dying."""

from contextlib import ExitStack
from typing import Any

import pytest

import jobs
from jobs.errors import InvalidInput, InvalidSetting, QuartetError
from jobs.local.supervisor import Service
from jobs.notebook import local_service
from jobs.notebook.local_service import LocalService
from jobs.settings import Settings
from tests.support.processes import until


def test_a_number_of_workers_that_is_none_is_refused() -> None:
    wrong: list[Any] = [0, -1, 65, True, 1.5, "2", None]
    for workers in wrong:
        with pytest.raises(InvalidInput, match="workers: expected an integer from 1 to 64"):
            jobs.service(workers)


def test_a_setting_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSetting):
        jobs.service(result_dir="results")


class Dying(Service):
    """Its worker does not come up."""

    def check(self) -> None:
        raise QuartetError("worker quartet-1 keeps dying at startup")


def test_who_waits_is_told_that_a_worker_keeps_dying(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_service, "CHECK_SECONDS", 0.01)
    ended: list[str] = []
    stack = ExitStack()
    stack.callback(lambda: ended.append("service"))
    with LocalService(Dying(settings, []), stack) as client:
        job = client.submit("denoiser", "train", data="digits")
        with pytest.raises(QuartetError, match="keeps dying at startup"):
            job.wait(timeout=30)
        with pytest.raises(QuartetError, match="keeps dying at startup"):
            client.find_sweep("any")
        assert ended == []
    assert ended == ["service"]
    until(lambda: not client._watcher.is_alive(), what="the end of the thread")
    client.close()
