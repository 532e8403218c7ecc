"""Whether a worker is well is said by a small file that it writes; to read it costs next to nothing."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jobs.settings import Settings
from tests.support.processes import RestartableRedis, Workers, until
from worker import health

ROOT = Path(__file__).parents[2]
NAME = f"w1@{os.uname().nodename}"
LONG_AGO = 1_000.0


def say(state_dir: Path, address: str = "one", **changes: Any) -> None:
    """Write what a healthy worker says of itself, with some changes; times are seconds ago."""
    now = time.monotonic()
    state: dict[str, Any] = {"pid": os.getpid(), "folder": "/none", "waits": "", "stopping": False}
    state |= {"alive": 0.0, "redis": 0.0, "loop": 0.0} | changes
    for key in ("alive", "redis", "loop"):
        state[key] = max(0.0, now - state[key]) if state[key] is not None else 0.0
    path = health.state_file(state_dir, NAME, address)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(state))


@pytest.fixture
def uptime(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has run for a day."""
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + 86_400)


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({}, 0, f"{NAME} answers"),
        ({"alive": 30, "redis": 30, "loop": 30}, 0, f"{NAME} answers"),
        ({"waits": "for a GPU: the only GPU is held by w2@here"}, 0, f"{NAME} waits for a GPU: the only GPU"),
        ({"waits": "for room", "redis": LONG_AGO, "loop": None}, 0, f"{NAME} waits for room"),
        ({"waits": "for \x1b[31m"}, 0, f"{NAME} waits for [U+001B][31m"),
        ({"stopping": True, "loop": LONG_AGO}, 0, f"{NAME} is shutting down"),
        ({"loop": None}, 1, f"{NAME} is starting"),
        ({"alive": LONG_AGO}, 1, f"{NAME} did not answer for 1000 seconds"),
        ({"alive": -LONG_AGO}, 1, f"{NAME} did not answer for"),  # written before the machine was restarted
        ({"loop": LONG_AGO}, 1, f"{NAME} did not answer for 1000 seconds: its event loop is stuck"),
        ({"redis": LONG_AGO}, 3, f"{NAME}: Redis cannot be reached, for 1000 seconds now"),
        ({"pid": 2**22 + 1}, 1, f"{NAME} is not running"),
        ({"pid": "none"}, 1, f"{NAME} is not running"),
    ],
)
@pytest.mark.usefixtures("uptime")
def test_a_worker_is_judged_by_what_it_says_of_itself(
    tmp_path: Path, changes: dict[str, Any], code: int, sentence: str
) -> None:
    say(tmp_path, **changes)
    found, said = health.examine(tmp_path, NAME)
    assert found == code
    assert said.startswith(sentence)


@pytest.mark.usefixtures("uptime")
def test_of_two_workers_of_one_name_both_should_be_well(tmp_path: Path) -> None:
    say(tmp_path, "one")
    say(tmp_path, "two", loop=LONG_AGO)
    assert health.examine(tmp_path, NAME)[0] == 1
    say(tmp_path, "two", pid=2**22 + 1, alive=LONG_AGO)  # left by one that was killed
    assert health.examine(tmp_path, NAME) == (0, f"{NAME} answers")


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 50_000, '{"pid": 1}', "\udcff"])
def test_a_file_that_is_not_ours_is_no_worker(tmp_path: Path, text: str) -> None:
    say(tmp_path)
    health.state_file(tmp_path, NAME, "one").write_bytes(text.encode(errors="surrogateescape"))
    assert health.examine(tmp_path, NAME) == (1, f"{NAME} is not running")


@pytest.mark.parametrize("command", [["-m", "worker.health"], ["-m", "worker.cli", "health"]])
def test_it_costs_a_fraction_of_what_reading_all_settings_does(tmp_path: Path, command: list[str]) -> None:
    say(tmp_path)
    costs = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, *command, "--name", "w1"],
            env=os.environ | {"QUARTET_STATE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{NAME} answers\n", "")
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 0.3, costs  # some 0.05 s; a second with all that a client loads


def test_it_loads_nothing_that_is_not_pythons_own() -> None:
    program = (
        "import sys; before = set(sys.modules); import worker.health;"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert sorted(done.stdout.split()) == ["jobs", "worker"]


@pytest.mark.parametrize("where", ["environment", "lower case", "XDG_STATE_HOME", "home", ".env", "tilde"])
def test_it_finds_the_state_folder_where_the_settings_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    from jobs.settings import read_settings

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if where == "environment":
        monkeypatch.setenv("QUARTET_STATE_DIR", str(tmp_path / "a"))
    elif where == "lower case":
        monkeypatch.setenv("quartet_state_dir", str(tmp_path / "b"))
    elif where == "XDG_STATE_HOME":
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "c"))
    elif where == ".env":
        (tmp_path / ".env").write_text(f"QUARTET_STATE_DIR={tmp_path}/d\n")
    elif where == "tilde":
        monkeypatch.setenv("QUARTET_STATE_DIR", "~/e")
    assert health.state_dir() == read_settings().state_dir


@pytest.mark.chaos
def test_a_worker_says_that_it_is_well_and_that_redis_is_away(
    settings: Settings, restartable: RestartableRedis, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydantic import SecretStr

    monkeypatch.setattr(health, "SILENT_SECONDS", 20.0)
    workers.settings = settings.model_copy(update={"redis_url": SecretStr(restartable.address)})
    [worker] = workers.start()
    where = settings.state_dir
    until(lambda: health.examine(where, NAME) == (0, f"{NAME} answers"), 90, "its answer")
    restartable.kill()
    until(lambda: health.examine(where, NAME)[0] == health.NO_REDIS, 90, "the loss of Redis")
    restartable.start()
    until(lambda: health.examine(where, NAME) == (0, f"{NAME} answers"), 120, "its answer again")
    worker.process.terminate()
    worker.process.wait(60)
    assert health.examine(where, NAME) == (1, f"{NAME} is not running")
