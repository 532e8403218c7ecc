"""One worker of a name for each Redis, however its address is spelled and wherever the workers' folders are."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from jobs.errors import InvalidInput, QuartetError
from jobs.settings import Settings
from worker.engine import name_lock
from worker.engine.name_lock import only_one, server
from worker.engine.watchdog import watched

HOLDER = """
import sys, time
from worker.engine.name_lock import only_one
with only_one("w1@here", sys.argv[1]):
    print("holds", flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the locks, for this test alone."""
    folder = tmp_path / "locks"
    monkeypatch.setattr(name_lock, "folder", lambda: folder)
    return folder


@pytest.fixture
def redis(tmp_path: Path) -> str:
    """A server that no other test names."""
    return server(f"unix://{tmp_path}/redis.sock")


@pytest.fixture
def holder(redis: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a name."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, redis],
        cwd=Path(__file__).parents[2],
        # What may differ between two workers of a user.
        env=os.environ | {"HOME": "/nowhere", "TMPDIR": "/nowhere", "XDG_STATE_HOME": "/nowhere"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holds\n"
    yield process
    process.kill()
    process.communicate(timeout=10)


@pytest.mark.parametrize(
    "address",
    [
        "redis://localhost/3",
        "redis://localhost:6379/3?socket_timeout=5",
        "redis://:geheim@LOCALHOST?db=3",
        "redis://user:geheim@localhost./3",
        "redis://127.0.0.1/3",
        "redis://127.1.2.3/3",
        "redis://[::1]/3",
        "rediss://localhost/3?ssl_cert_reqs=none",
        "redis:///3",
    ],
)
def test_one_server_has_one_name_however_its_address_is_spelled(address: str) -> None:
    assert server(address) == server("redis://localhost:6379/3")


def test_the_order_of_the_sentinels_makes_no_difference() -> None:
    assert server("redis+sentinel://:geheim@h,i:7/main/1") == server("redis+sentinel://i:7,h:26379/main/1")


def test_a_socket_has_one_name_whichever_link_leads_to_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    plain = server(f"unix://{tmp_path}/folder/redis.sock")
    assert server(f"unix://{tmp_path}/link/redis.sock?socket_timeout=5") == plain
    assert server(f"unix://{tmp_path}/folder/../folder/redis.sock?db=0") == plain
    assert server(f"unix://{tmp_path}/folder/redis.sock?db=1") != plain


def test_two_servers_and_two_databases_have_names_of_their_own() -> None:
    addresses = ["redis://h/0", "redis://h/1", "redis://h:6380/0", "redis://i/0", "redis://h0/0", "unix:///h"]
    addresses += ["redis+sentinel://h/a/0", "redis+sentinel://h/b/0", "redis://h/0?namespace=lab"]
    assert len({server(address) for address in addresses}) == len(addresses)


@pytest.mark.parametrize("option", ["", "?socket_timeout=5", "?health_check_interval=9"])
def test_a_second_worker_with_another_state_folder_is_refused(
    locks: Path, settings: Settings, tmp_path: Path, option: str
) -> None:
    second = settings.model_copy(
        update={
            "state_dir": tmp_path / "other",
            "redis_url": SecretStr(f"{settings.redis_address()}{option}"),
        }
    )
    with watched(settings, "w1@here"):
        with pytest.raises(InvalidInput, match=r"no other worker of this host has, got 'w1'$"):
            watched(second, "w1@here").__enter__()
        with watched(second, "w2@here"):
            pass
    with watched(second, "w1@here"):  # the first has ended
        pass
    assert list(locks.iterdir()) == []


def test_a_name_is_held_against_other_processes_until_its_holder_is_killed(
    holder: subprocess.Popen[str], redis: str
) -> None:
    with pytest.raises(InvalidInput):
        only_one("w1@here", redis).__enter__()
    holder.send_signal(signal.SIGKILL)
    holder.wait(10)
    with only_one("w1@here", redis):
        pass


def test_a_lock_file_that_was_removed_meanwhile_is_no_lock(
    locks: Path, redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, opened = os.open, 0

    def removed_once(path: Path, *rest: int, **more: int) -> int:
        nonlocal opened
        found = real(path, *rest, **more)
        if str(path).endswith(".lock"):
            opened += 1
            if opened == 1:
                Path(path).unlink()
        return found

    monkeypatch.setattr(os, "open", removed_once)
    with only_one("w1@here", redis):
        assert opened == 2
        assert len(list(locks.iterdir())) == 1


def test_the_folder_of_the_locks_is_this_users_alone(locks: Path, redis: str) -> None:
    with only_one("w1@here", redis):
        assert stat.S_IMODE(locks.stat().st_mode) == 0o700


@pytest.mark.parametrize("planted", ["a file", "a link"])
def test_a_folder_that_is_not_ours_is_refused_in_a_sentence(locks: Path, redis: str, planted: str) -> None:
    if planted == "a file":
        locks.touch()
    else:
        (locks.parent / "elsewhere").mkdir()
        locks.symlink_to(locks.parent / "elsewhere")
    with pytest.raises(QuartetError, match=r"cannot be locked in .*locks") as caught:
        only_one("w1@here", redis).__enter__()
    assert "QUARTET_STATE_DIR" not in caught.value.explanation
