"""One GPU for each worker: real locks between real processes, over a fake NVML library."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fake_nvml
import psutil
import pytest
from conftest import Workers, ended, until

from jobs.client import Client
from jobs.settings import Settings
from worker import gpu, gpu_lock
from worker.nvml import Card, visible

HOLD = """
import sys
from jobs.settings import read_settings
from worker import gpu
hold = gpu.take(read_settings(), sys.argv[1], lambda why: print("waits", why, flush=True))
import os
print("holds", os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.read()
"""
FIRST, SECOND = (f"GPU-{number:08d}-0000-0000-0000-000000000000" for number in (0, 1))
SLICES = [f"MIG-00000001-0000-0000-0000-{number:012d}" for number in (1, 2)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_nvml.build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def machine(
    library: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Say what GPUs there are: their slices and loads."""
    for name in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(library))
    monkeypatch.setenv("QUARTET_REDIS_URL", settings.redis_address())
    monkeypatch.setenv("QUARTET_GPU_LOCK_DIR", str(tmp_path / "locks"))

    def gpus(*entries: str, **environment: str) -> None:
        monkeypatch.setenv("FAKE_GPUS", ",".join(entries))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return gpus


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


def shown() -> list[dict[str, Any]]:
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "gpus", "--json"]
    found: list[dict[str, Any]] = json.loads(subprocess.check_output(command, text=True))
    return found


def test_every_worker_gets_a_gpu_of_its_own_and_the_next_waits_for_one(
    machine: Callable[..., None], holder: Callable[[str], Holder]
) -> None:
    machine("0:90", "0:10")
    first = holder("worker@a")
    assert first.says() == f"holds {SECOND}", "the less loaded one"
    second = holder("worker@b")
    assert second.says() == f"holds {FIRST}"
    third = holder("worker@c")
    assert third.says() == "waits all 2 GPUs are held, by worker@a and worker@b"
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    until(lambda: third.says() == f"holds {SECOND}", 20, "the third's turn")
    rows = shown()
    assert [row["holders"] for row in rows] == [["worker@b"], ["worker@c"]]
    assert [row["load_percent"] for row in rows] == [90, 10]
    assert rows[0]["driver"] == "999.1"


def test_a_slice_is_a_gpu_of_its_own(machine: Callable[..., None], holder: Callable[[str], Holder]) -> None:
    machine("-1:0", "2:0")
    found = {one.says() for one in [holder(f"worker@{name}") for name in "abc"]}
    assert found == {f"holds {uuid}" for uuid in (FIRST, *SLICES)}
    assert [(row["gpu"], row["memory_total"]) for row in shown()] == [
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
    assert sum(len(row["holders"]) for row in shown()) == 5
    monkeypatch.setenv("QUARTET_GPU", "exclusive")
    assert holder("worker@alone").says().startswith("waits all 2 GPUs are held, by worker@0 and")


def test_a_gpu_held_alone_is_not_shared(
    machine: Callable[..., None], holder: Callable[[str], Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("0:0")
    assert holder("worker@alone").says() == f"holds {FIRST}"
    monkeypatch.setenv("QUARTET_GPU", "shared")
    assert holder("worker@shared").says() == "waits the only GPU is held, by worker@alone"


def test_without_a_gpu_or_by_the_setting_the_processor_is_used(
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
    assert holder("worker@b").says() == "waits the only GPU is held, by worker@a"


def card(index: str, uuid: str) -> Card:
    return Card(index, uuid, f"GPU-{index[0]}", "a GPU", 0, 1, 0, "1")


CARDS = [card("0", "GPU-0"), card("1:0", "MIG-a"), card("1:1", "MIG-b"), card("2", "GPU-2")]


@pytest.mark.parametrize(
    ("runtime", "cuda", "left"),
    [
        (None, None, "0 1:0 1:1 2"),
        ("all", None, "0 1:0 1:1 2"),
        ("none", None, ""),
        ("void", None, ""),
        ("GPU-2,MIG-a", None, "2 1:0"),
        ("2", None, "2"),
        ("1:1,0", None, "1:1 0"),
        # The runtime has left four cards of a larger machine, and numbered them anew.
        ("4,5:0,5:1,7", None, "0 1:0 1:1 2"),
        (None, "", ""),
        (None, "-1", ""),
        (None, "2,0", "2 0"),
        (None, "2,9,0", "2"),
        (None, "GPU-2", "2"),
        (None, "1", "1:0 1:1"),
        (None, "MIG-b,MIG-b", "1:1"),
        ("GPU-2,GPU-0", "0", "0"),
    ],
)
def test_masks_are_read_as_cuda_and_its_container_runtime_read_them(
    runtime: str | None, cuda: str | None, left: str
) -> None:
    masks = {"NVIDIA_VISIBLE_DEVICES": runtime, "CUDA_VISIBLE_DEVICES": cuda}
    environment = {name: value for name, value in masks.items() if value is not None}
    assert " ".join(card.index for card in visible(CARDS, environment)) == left


def test_a_lock_file_that_is_left_over_means_nothing(tmp_path: Path) -> None:
    hold = gpu_lock.hold_alone(CARDS[:1], tmp_path, "worker@a")
    assert hold is not None
    assert [holder["worker"] for holder in gpu_lock.holders(CARDS[0], tmp_path)] == ["worker@a"]
    assert gpu_lock.hold_alone(CARDS[:1], tmp_path, "worker@b") is None
    for descriptor in hold.descriptors:
        os.close(descriptor)
    assert list(tmp_path.iterdir())
    assert gpu_lock.holders(CARDS[0], tmp_path) == []
    assert gpu_lock.hold_alone(CARDS[:1], tmp_path, "worker@b") is not None


def test_a_hostile_uuid_or_link_stays_in_the_folder(tmp_path: Path) -> None:
    locks, outside = tmp_path / "locks", tmp_path / "outside"
    locks.mkdir()
    outside.write_text("precious")
    assert gpu_lock.hold_alone([card("0", "../outside")], locks, "w") is not None
    assert [path.name for path in locks.iterdir()] == ["___outside.lock"]
    (locks / "GPU-0.lock").symlink_to(outside)
    with pytest.raises(Exception, match="QUARTET_GPU_LOCK_DIR"):
        gpu_lock.hold_alone([card("0", "GPU-0")], locks, "w")
    assert outside.read_text() == "precious"


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("FAKE_ERROR", "9", "quartet-worker: NVIDIA's driver does not answer (Driver Not Loaded); mend it"),
        ("QUARTET_GPU_LOCK_DIR", "/proc/locks", "quartet-worker: setting QUARTET_GPU_LOCK_DIR: /proc/locks"),
        (
            "QUARTET_GPU",
            "all",
            "quartet-worker: setting QUARTET_GPU: input should be 'exclusive', 'shared' or",
        ),
    ],
)
def test_a_worker_that_cannot_take_a_gpu_says_why_and_ends(
    machine: Callable[..., None], variable: str, value: str, sentence: str
) -> None:
    machine("0:0", **{variable: value})
    done = subprocess.run([sys.executable, "-m", "worker.cli"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(sentence)


def test_the_record_of_a_job_names_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"name": "Fake GPU", "uuid": FIRST, "driver": "999.1", "pid": 1}
    monkeypatch.setenv(gpu.HELD_VARIABLE, json.dumps(held))
    there = SimpleNamespace(name="/physical_device:GPU:0")
    config = SimpleNamespace(
        list_physical_devices=lambda _: [there],
        experimental=SimpleNamespace(get_device_details=lambda _: {"device_name": "Fake GPU"}),
    )
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(config=config))
    monkeypatch.setattr(gpu, "loaded", lambda: True)
    assert gpu.describe() == {"kind": "gpu", "name": "Fake GPU", "uuid": FIRST, "driver": "999.1"}


@pytest.mark.chaos
def test_a_killed_worker_frees_its_gpu_and_its_job_goes_on_at_the_next(
    settings: Settings, workers: Workers, machine: Callable[..., None]
) -> None:
    machine("0:0")
    locks = Path(os.environ["QUARTET_GPU_LOCK_DIR"])
    workers.settings = settings.model_copy(update={"gpu": "exclusive", "gpu_lock_dir": locks})
    client = Client(settings)
    [first] = workers.start()
    until(lambda: shown()[0]["holders"], 60, "the first worker's lock")
    workers.start()

    def announced() -> dict[str, str] | None:
        return next(
            (about for name, about in client.ledger.workers().items() if name.startswith("w2@")), None
        )

    about = until(announced, 30, "the second worker's announcement")
    assert about["waiting"].startswith("for a GPU: the only GPU is held, by w1@")
    assert health("w2").startswith("w2@")
    assert "waits for a GPU" in health("w2")
    job = client.submit("autoencoder", "train", data="digits", epochs=2_000)
    until(lambda: client.ledger.latest_progress(job.id).get("epoch", 0) > 20, 60, "a training at work")
    [row] = shown()
    assert (row["uuid"], row["jobs"]) == (FIRST, [job.id])

    child = workers.child_of(first)
    os.kill(first.process.pid, signal.SIGKILL)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 10, "the child's end")
    done = ended(client, job.id, 120)
    assert (done.state, done.attempt, str(done.worker).split("@")[0]) == ("succeeded", 2, "w2"), (
        workers.logs()
    )
    device = client.folder(job.id).job["device"]
    assert device["unused_gpu"] == {"name": "Fake GPU", "uuid": FIRST, "driver": "999.1"}
    report = (client.folder(job.id).path / "report.html").read_text()
    assert FIRST in report
    assert "TensorFlow could not use it" in report


def health(name: str) -> str:
    return subprocess.check_output([sys.executable, "-m", "worker.cli", "health", "--name", name], text=True)
