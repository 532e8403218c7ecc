"""One GPU for each worker: real locks between real processes, on a machine with fake GPUs."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.errors import InvalidSetting
from tests.support.fake_nvml import listed
from tests.support.processes import until
from worker.engine.gpu.locks import hold_alone, holders
from worker.engine.gpu.nvml import Card

HOLD = """
import os, sys
from jobs.settings import read_settings
from worker.engine.gpu import device
hold = device.take(read_settings(), sys.argv[1], lambda why: print("waits", why, flush=True))
print("holds", os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.read()
"""
FIRST, SECOND = (f"GPU-{number:08d}-0000-0000-0000-000000000000" for number in (0, 1))
SLICES = [f"MIG-00000001-0000-0000-0000-{number:012d}" for number in (1, 2)]


class Holder:
    """A process that takes a GPU as a worker does, and holds it until it ends."""

    def __init__(self, name: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def holder() -> Iterator[Callable[[str], Holder]]:
    started: list[Holder] = []

    def start(name: str) -> Holder:
        started.append(Holder(name))
        return started[-1]

    yield start
    for one in started:
        one.end()


def test_every_worker_gets_a_gpu_of_its_own_and_the_next_waits_for_one(
    machine: Callable[..., None], holder: Callable[[str], Holder]
) -> None:
    machine("0:90", "0:10")
    first = holder("worker@a")
    assert first.says() == f"holds {SECOND}", "the less loaded one"
    second = holder("worker@b")
    assert second.says() == f"holds {FIRST}"
    third = holder("worker@c")
    assert third.says() == "waits all 2 GPUs are held by worker@a and worker@b"
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    until(lambda: third.says() == f"holds {SECOND}", 20, "the third's turn")
    rows = listed()
    assert [row["holders"] for row in rows] == [["worker@b"], ["worker@c"]]
    assert [row["load_percent"] for row in rows] == [90, 10]
    assert rows[0]["driver"] == "999.1"


def test_a_slice_is_a_gpu_of_its_own(machine: Callable[..., None], holder: Callable[[str], Holder]) -> None:
    machine("-1:0", "2:0")
    found = {one.says() for one in [holder(f"worker@{name}") for name in "abc"]}
    assert found == {f"holds {uuid}" for uuid in (FIRST, *SLICES)}
    assert [(row["gpu"], row["memory_total"]) for row in listed()] == [
        ("0", 80_000_000_000),
        ("1:0", 10_000_000_000),
        ("1:1", 10_000_000_000),
    ]


def test_workers_that_share_spread_over_all_gpus_and_keep_others_out(
    machine: Callable[..., None], holder: Callable[[str], Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("0:0", "0:0", QUARTET_GPU="shared")
    found = [one.says() for one in [holder(f"worker@{number}") for number in range(5)]]
    assert sorted(found.count(f"holds {uuid}") for uuid in (FIRST, SECOND)) == [2, 3]
    assert sum(len(row["holders"]) for row in listed()) == 5
    monkeypatch.setenv("QUARTET_GPU", "exclusive")
    sharers = "worker@0, worker@1, worker@2, worker@3 and worker@4"
    assert holder("worker@alone").says() == f"waits all 2 GPUs are held by {sharers}"


def test_a_gpu_held_alone_is_not_shared(
    machine: Callable[..., None], holder: Callable[[str], Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("0:0")
    assert holder("worker@alone").says() == f"holds {FIRST}"
    monkeypatch.setenv("QUARTET_GPU", "shared")
    assert holder("worker@shared").says() == "waits the only GPU is held by worker@alone"


def test_without_a_gpu_or_by_the_setting_the_cpu_is_used(
    machine: Callable[..., None], holder: Callable[[str], Holder], tmp_path: Path
) -> None:
    machine("0:0", QUARTET_GPU="none")
    assert holder("worker@a").says() == "holds -1"
    machine("0:0", QUARTET_GPU="exclusive", CUDA_VISIBLE_DEVICES="")
    assert holder("worker@b").says() == "holds"
    assert not (tmp_path / "locks").exists()


def test_an_outer_mask_is_respected(machine: Callable[..., None], holder: Callable[[str], Holder]) -> None:
    machine("0:0", "0:0", "0:0", CUDA_VISIBLE_DEVICES="1")
    assert holder("worker@a").says() == f"holds {SECOND}"
    assert holder("worker@b").says() == "waits the only GPU is held by worker@a"


def card(index: str, uuid: str) -> Card:
    return Card(index, uuid, f"GPU-{index[0]}", "a GPU", 0, 1, 0, "1")


def test_a_lock_file_that_is_left_over_means_nothing(tmp_path: Path) -> None:
    hold = hold_alone([card("0", "GPU-0")], tmp_path, "worker@a")
    assert hold is not None
    assert [holder["worker"] for holder in holders(card("0", "GPU-0"), tmp_path)] == ["worker@a"]
    assert hold_alone([card("0", "GPU-0")], tmp_path, "worker@b") is None
    for descriptor in hold.descriptors:
        os.close(descriptor)
    assert list(tmp_path.iterdir())
    assert holders(card("0", "GPU-0"), tmp_path) == []
    assert hold_alone([card("0", "GPU-0")], tmp_path, "worker@b") is not None


def test_a_hostile_uuid_or_link_stays_in_the_folder(tmp_path: Path) -> None:
    folder, outside = tmp_path / "locks", tmp_path / "outside"
    folder.mkdir()
    outside.write_text("precious")
    assert hold_alone([card("0", "../outside")], folder, "w") is not None
    assert [path.name for path in folder.iterdir()] == ["___outside.lock"]
    (folder / "GPU-0.lock").symlink_to(outside)
    with pytest.raises(InvalidSetting, match="QUARTET_GPU_LOCK_DIR"):
        hold_alone([card("0", "GPU-0")], folder, "w")
    assert outside.read_text() == "precious"
