"""A GPU that somebody outside Quartet uses: it is waited for, or shared, and everybody can see by whom it is used."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.settings import Settings, read_settings
from tests.engine.test_gpu_locks import FIRST, SECOND, Holder, holder
from tests.support.fake_nvml import listed
from tests.support.processes import Workers, until
from worker.engine.gpu import device, nvml, outsiders

__all__ = ["holder"]  # the fixture

STRANGER = 4_194_305
"""No process has this id: the kernel's greatest is one less."""


class Use:
    """What the fake library says of processes that use a GPU."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def by(self, *lines: str) -> None:
        part = self.path.with_suffix(".part")
        part.write_text("\n".join(lines))
        part.replace(self.path)


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Use:
    monkeypatch.setenv("FAKE_USE", str(tmp_path / "use"))
    return Use(tmp_path / "use")


@pytest.fixture
def ended_process() -> Iterator[int]:
    """A process that has ended, and whose parent has not asked for its exit status."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process.pid
    process.wait()


def test_a_worker_waits_for_a_gpu_that_a_stranger_uses(
    machine: Callable[..., None], holder: Callable[[str], Holder], use: Use
) -> None:
    machine("0:0", "0:0")
    use.by(f"0 {STRANGER} 500 compute")
    assert holder("worker@a").says() == f"holds {SECOND}", "the other one"
    waiting = holder("worker@b")
    used = f"waits GPU 0 is used by process {STRANGER}, which is no worker of Quartet"
    assert waiting.says() == f"{used}; the other GPU is held by worker@a"
    rows = listed()
    assert [row["holders"] for row in rows] == [[], ["worker@a"]]
    assert [row["other_processes"] for row in rows] == [[STRANGER], []]
    use.by()
    until(lambda: waiting.says() == f"holds {FIRST}", 20, "the stranger's end")


@pytest.mark.parametrize("shares", [{"QUARTET_GPU_OTHERS": "share"}, {"QUARTET_GPU": "shared"}])
def test_by_setting_it_is_shared(
    machine: Callable[..., None], holder: Callable[[str], Holder], use: Use, shares: dict[str, str]
) -> None:
    machine("0:0", **shares)
    use.by(f"0 {STRANGER} 500 compute")
    assert holder("worker@a").says() == f"holds {FIRST}"


def test_what_a_dead_worker_left_is_waited_for_and_what_draws_on_a_screen_is_not(
    machine: Callable[..., None], holder: Callable[[str], Holder], use: Use, ended_process: int
) -> None:
    machine("0:0")
    first = holder("worker@a")
    assert first.says() == f"holds {FIRST}"
    use.by(f"0 {first.process.pid} 500 compute")
    waiting = holder("worker@b")
    assert waiting.says() == "waits the only GPU is held by worker@a"
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    until(lambda: "is used by process" in waiting.says(), 10, "the look at what it left")
    # Its memory is free now; a browser and a display server have theirs, and a process has ended.
    use.by("0 77 900 both", "0 78 900 graphics", f"0 {ended_process} 1 compute")
    until(lambda: waiting.says() == f"holds {FIRST}", 20, "the GPU")


@pytest.mark.parametrize(
    ("lines", "unlisted"),
    [
        (["0 1 900 unlisted"], 900_000_000),
        (["0 1 900 unlisted", "0 0 0 display"], 0),
        (["0 1 900 unlisted", "0 0 0 untold"], 0),
        (["0 1 900 unlisted", "0 78 5 graphics"], 0),
    ],
)
def test_memory_that_no_listed_process_uses_counts_unless_a_screen_may_use_it(
    fake_card: Callable[[], nvml.Card], use: Use, lines: list[str], unlisted: int
) -> None:
    use.by(*lines)
    card = fake_card()
    assert (card.processes, card.unlisted_bytes, outsiders.is_used(card)) == ((), unlisted, bool(unlisted))


@pytest.fixture
def fake_card(monkeypatch: pytest.MonkeyPatch) -> Callable[[], nvml.Card]:
    from tests.support import fake_pynvml

    monkeypatch.setattr(nvml, "pynvml", fake_pynvml)
    monkeypatch.setattr(nvml, "FIRST_NAMESPACE", 0)  # as in a container
    monkeypatch.setenv("FAKE_GPUS", "0:0")
    return lambda: nvml.cards()[0]


def test_a_stranger_in_another_container_is_known_by_the_memory(
    fake_card: Callable[[], nvml.Card], use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings(gpu="exclusive", gpu_lock_dir=tmp_path / "locks")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    use.by("0 1 3200 unlisted")

    def end_waiting(reason: str) -> None:
        raise InterruptedError(reason)

    said = r"3\.2 GB of GPU 0 are in use by a process that cannot be seen from here"
    with pytest.raises(InterruptedError, match=said):
        device.take(settings, "worker@a", end_waiting)
    use.by("0 1 40 unlisted")
    assert fake_card().unlisted_bytes == 40_000_000, "as an idle card may have"
    assert not outsiders.is_used(fake_card())
    # Outside containers every process is listed, and what is in use beside them is the system's.
    monkeypatch.setattr(nvml, "FIRST_NAMESPACE", Path("/proc/self/ns/pid").stat().st_ino)
    use.by("0 1 3200 unlisted")
    assert fake_card().unlisted_bytes == 0


def test_a_workers_own_processes_and_those_of_other_containers_are_no_strangers(
    fake_card: Callable[[], nvml.Card], use: Use
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        use.by(f"0 {child.pid} 500 compute", f"0 {STRANGER} 500 compute")
        card, here = fake_card(), os.uname().nodename
        assert outsiders.processes_outside(card, [{"host": here, "pid": os.getpid()}]) == [STRANGER]
        assert outsiders.processes_outside(card, [{"host": "0123456789ab", "pid": 7}]) == []
        assert outsiders.processes_outside(card, []) == sorted([child.pid, STRANGER])
    finally:
        child.communicate(b"\n")


def test_a_process_whose_name_is_cut_within_a_character_is_a_stranger_as_any_other(
    fake_card: Callable[[], nvml.Card], use: Use
) -> None:
    # The kernel keeps 15 bytes of a name: seven letters and a half.
    named = "import ctypes; ctypes.CDLL(None).prctl(15, 'обучение'.encode()[:15]); print(); input()"
    child = subprocess.Popen([sys.executable, "-c", named], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        use.by(f"0 {child.pid} 500 compute")
        card, here = fake_card(), os.uname().nodename
        assert card.processes == (child.pid,)
        assert outsiders.processes_outside(card, [{"host": here, "pid": os.getpid()}]) == []
        assert outsiders.processes_outside(card, [{"host": here, "pid": [7]}]) == [child.pid]
    finally:
        child.communicate(b"\n")


def test_a_list_of_processes_stays_short(fake_card: Callable[[], nvml.Card], use: Use) -> None:
    use.by(*(f"0 {STRANGER + number} 5 compute" for number in range(5)))
    card = fake_card()
    numbers = f"{STRANGER}, {STRANGER + 1}, {STRANGER + 2} and 2 more"
    assert outsiders.in_words(card, card.processes) == (
        f"GPU 0 is used by processes {numbers}, which are no workers of Quartet"
    )


@pytest.mark.chaos
def test_health_log_and_a_queued_job_say_who_uses_the_gpu(
    settings: Settings, workers: Workers, machine: Callable[..., None], use: Use
) -> None:
    machine("0:0")
    use.by(f"0 {STRANGER} 500 compute")
    folder = Path(os.environ["QUARTET_GPU_LOCK_DIR"])
    workers.settings = settings.model_copy(update={"gpu": "exclusive", "gpu_lock_dir": folder})
    client = Client(settings)
    workers.start()
    until(lambda: client.ledger.workers(), 60, "the worker's announcement")
    said = f"waits for a GPU: GPU 0 is used by process {STRANGER}, which is no worker of Quartet"
    assert said in quartet("-m", "worker.cli", "health", "--name", "w1")
    job = client.submit("autoencoder", "train", data="digits", epochs=1)
    [waiting] = json.loads(quartet("-c", "from jobs.cli.main import main; main()", "list", "--json"))
    assert (waiting["id"], waiting["state"]) == (job.id, "queued")
    assert said in quartet("-c", "from jobs.cli.main import main; main()", "show", job.id)
    assert said in workers.logs()
    assert f"process {STRANGER}" in quartet("-c", "from jobs.cli.main import main; main()", "gpus")
    use.by()
    until(lambda: "holds GPU 0" in workers.logs(), 20, "the GPU")


def quartet(*arguments: str) -> str:
    return subprocess.check_output([sys.executable, *arguments], text=True, stderr=subprocess.STDOUT)
