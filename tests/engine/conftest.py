"""Fixtures: a machine with fake GPUs, a worker for several tests."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.settings import Settings
from tests.support import fake_nvml
from tests.support.processes import Workers, one_worker_in


@pytest.fixture(scope="session")
def fake_pynvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_nvml.build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def machine(
    fake_pynvml: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Say what GPUs there are: their slices and loads."""
    for name in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(fake_pynvml), prepend=os.pathsep)
    monkeypatch.setenv("QUARTET_REDIS_URL", settings.redis_address())
    monkeypatch.setenv("QUARTET_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("QUARTET_GPU_LOCK_DIR", str(tmp_path / "locks"))

    def gpus(*entries: str, **environment: str) -> None:
        monkeypatch.setenv("FAKE_GPUS", ",".join(entries))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return gpus


@pytest.fixture(scope="module")
def one_worker(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """A worker with quick leases for the tests of a module that let it live: to start one costs seconds."""
    with one_worker_in(tmp_path_factory.mktemp("one"), redis_url) as workers:
        yield workers
