"""Fixtures: a machine with fake GPUs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.settings import Settings
from tests.support import fake_nvml


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
