"""What an attempt used is measured for it alone, and never fails it."""

import json
import sys
import time
from pathlib import Path

import pytest

from jobs.errors import MissingPart
from tests.support.processes import until
from worker.engine import usage
from worker.engine.gpu import device, nvml
from worker.engine.usage import Usage

MEMORY = 150_000_000


def test_the_peak_of_memory_is_that_of_the_block() -> None:
    with Usage() as large:
        block = bytearray(MEMORY)
        block[::4096] = b"x" * len(block[::4096])
    del block
    with Usage() as small:
        pass
    assert small.measured["peak_memory_bytes"] > 1_000_000
    if sys.platform == "linux" and Path("/proc/self/clear_refs").exists():
        assert large.measured["peak_memory_bytes"] - small.measured["peak_memory_bytes"] > MEMORY / 2


def test_cpu_time_is_counted_in_cores() -> None:
    with Usage() as busy:
        until_cpu = time.process_time() + 0.1
        while time.process_time() < until_cpu:
            pass
    with Usage() as idle:
        time.sleep(0.2)
    assert busy.measured["cpu_cores"] > idle.measured["cpu_cores"]
    assert busy.measured["cpu_cores_available"] >= 1
    assert "gpu_load_percent" not in busy.measured


def test_the_load_of_the_held_gpu_is_averaged_even_if_the_driver_falls_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def card(uuid: str, load: int | None) -> nvml.Card:
        return nvml.Card("0", uuid, uuid, "A card", 1, 2, load, "580")

    looks: list[int] = []

    def cards() -> list[nvml.Card]:
        looks.append(1)
        if len(looks) == 1:
            raise MissingPart("the driver does not answer")
        return [card("GPU-other", 99), card("GPU-mine", 40 if len(looks) == 2 else 60)]

    monkeypatch.setenv(device.HELD_VARIABLE, json.dumps({"uuid": "GPU-mine"}))
    monkeypatch.setattr(usage, "SAMPLE_SECONDS", 0.01)
    monkeypatch.setattr(nvml, "cards", cards)
    with Usage() as used:
        until(lambda: len(looks) >= 4, 30)
    assert 40 < used.measured["gpu_load_percent"] <= 60
