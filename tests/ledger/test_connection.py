"""Whatever Redis answers, it is one sentence with its address and never its password, and the exit code 3."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from redis import exceptions

from jobs.errors import InvalidSetting, RedisUnreachable
from jobs.ledger.connection import check_mode, connect, hello, in_sentences
from tests.support.answering_redis import HELLO, answering
from tests.support.processes import until
from tests.support.redis_servers import Servers

URL = "redis://user:geheim@host:6379/0"
MASKED = "redis://user:***@host:6379/0"
UP = "`quartet up` starts a private Redis"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    started = Servers(tmp_path)
    yield started
    started.end()


def sentence(url: str, ask: Callable[[], object]) -> str:
    with pytest.raises(RedisUnreachable) as caught, in_sentences(url):
        ask()
    assert caught.value.exit_code == 3
    assert caught.value.__cause__ is None
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    return str(caught.value)


def ping(url: str, seconds: float = 2.0) -> Callable[[], object]:
    return lambda: connect(url, answer_seconds=seconds).set("x", "y")


def test_a_redis_that_nobody_started_is_named_without_its_password() -> None:
    url = "redis://:geheim@127.0.0.1:1/0"
    assert sentence(url, ping(url)) == "Redis cannot be reached at redis://:***@127.0.0.1:1/0"
    url = "unix:///nowhere.sock"
    with pytest.raises(RedisUnreachable) as caught, in_sentences(url):
        connect(url).ping()
    assert (str(caught.value), caught.value.hint) == (f"Redis cannot be reached at {url}", UP)


@pytest.mark.parametrize(
    "url", ["http://:geheim@host", "redis://host:port", "redis://:gehe#im@host", "geheim"]
)
def test_an_address_that_is_not_valid_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidSetting) as caught, in_sentences(url):
        connect(url)
    assert (caught.value.field, caught.value.exit_code) == ("QUARTET_REDIS_URL", 2)
    assert "geheim" not in caught.value.explanation
    assert "im@" not in caught.value.explanation


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (exceptions.AuthenticationError("no"), f"Redis at {MASKED} does not accept the password"),
        (exceptions.NoPermissionError("'get'"), f"Redis at {MASKED} denies this user a command ('get')"),
        (exceptions.ConnectionError("x"), f"Redis cannot be reached at {MASKED}"),
        (exceptions.TimeoutError("x"), f"Redis cannot be reached at {MASKED}"),
        (exceptions.MaxConnectionsError("full"), f"Redis cannot be reached at {MASKED} (full)"),
        (exceptions.BusyLoadingError("x"), f"Redis at {MASKED} is still loading its data"),
        (exceptions.OutOfMemoryError("full"), f"Redis at {MASKED} refuses writes (full)"),
        (exceptions.ExecAbortError("x"), f"Redis at {MASKED} refuses a command (x)"),
        (exceptions.MasterDownError("down"), f"Redis at {MASKED} has lost its primary (down)"),
        (exceptions.WatchError("w"), f"Redis at {MASKED} answers what is not understood (w)"),
        (exceptions.InvalidResponse(), f"Redis at {MASKED} answers what is not understood (InvalidResponse)"),
        (OSError("AF_UNIX path too long"), f"Redis cannot be reached at {MASKED} (AF_UNIX path too long)"),
        (
            exceptions.ResponseError(
                "unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'u' 'geheim'"
            ),
            f"Redis at {MASKED} refuses a command (unknown command 'HELLO')",
        ),
        (
            exceptions.ResponseError("ERR forged\r\nline \x1b[31m" + "x" * 900),
            f"Redis at {MASKED} refuses a command (ERR forged line [U+001B][31m" + "x" * 171 + "…)",
        ),
    ],
)
def test_every_error_of_redis_py_is_one_sentence(error: Exception, said: str) -> None:
    def fail() -> None:
        raise error

    assert sentence(URL, fail) == said


def test_no_error_class_of_redis_py_is_forgotten() -> None:
    for name in dir(exceptions):
        kind = getattr(exceptions, name)
        if isinstance(kind, type) and issubclass(kind, exceptions.RedisError):
            error = kind("1 host:1" if issubclass(kind, exceptions.AskError) else "why")
            with pytest.raises(RedisUnreachable), in_sentences(URL):
                raise error


def test_an_error_of_our_own_code_is_let_through() -> None:
    with pytest.raises(KeyError), in_sentences(URL):
        raise KeyError("x")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("LOADING Redis is loading the dataset in memory", "is still loading its data"),
        ("NOREPLICAS Not enough good replicas to write.", "refuses a command (NOREPLICAS Not enough good"),
        ("MASTERDOWN Link with MASTER is down", "has lost its primary (Link with MASTER is down)"),
        ("READONLY You can't write against a read only replica.", "refuses writes (You can't write"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "refuses writes (command not allowed"),
        ("MISCONF Errors writing to the AOF file", "refuses a command (MISCONF Errors writing"),
        ("BUSY Redis is busy running a script.", "refuses a command (BUSY Redis is busy"),
        ("CLUSTERDOWN Hash slot not served", "belongs to a cluster (Hash slot not served)"),
        ("MOVED 3999 127.0.0.1:6381", "belongs to a cluster (3999 127.0.0.1:6381)"),
        ("ASK 3999 127.0.0.1:6381", "belongs to a cluster (3999 127.0.0.1:6381)"),
        ("TRYAGAIN Multiple keys request", "belongs to a cluster (Multiple keys request)"),
        ("CROSSSLOT Keys in request", "belongs to a cluster (Keys in request)"),
        ("NOAUTH Authentication required.", "does not accept the password"),
        ("WRONGPASS invalid username-password pair", "does not accept the password"),
        ("NOPERM this user has no permissions", "denies this user a command (this user has no permissions)"),
        ("ERR max number of clients reached", "(max number of clients reached)"),
        ("EXECABORT Transaction discarded", "refuses a command (Transaction discarded)"),
        ("UNKILLABLE Sorry", "refuses a command (UNKILLABLE Sorry)"),
        ("MOVED nonsense", "answers what is not understood"),
        ("", "refuses a command"),
    ],
)
def test_every_answer_of_a_server_is_one_sentence(answer: str, said: str) -> None:
    with answering(f"-{answer}\r\n".encode()) as url:
        assert said in sentence(url, ping(url))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b":x\r\n",
        b"$x\r\n",
        b"*1\r\n:x\r\n",
        b"!5\r\nERR x\r\n",
        b"\x00\xff\r\n",
    ],
)
def test_what_does_not_speak_the_protocol_is_one_sentence(answer: bytes) -> None:
    with answering(answer) as url:
        sentence(url, ping(url, 1.0))
    with answering(lambda _: answer) as url:  # from the handshake on
        sentence(url, ping(url, 1.0))


def test_deep_nesting_is_one_sentence() -> None:
    with answering(b"*1\r\n" * 5_000 + b":1\r\n") as url:
        sentence(url, ping(url))


def test_a_connection_that_is_closed_at_once_is_one_sentence() -> None:
    with answering(lambda _: None) as url:
        assert sentence(url, ping(url)) == (
            f"Redis cannot be reached at {url} (the server closed the connection)"
        )


def test_a_script_that_the_server_forgot_is_sent_again_at_once(servers: Servers) -> None:
    client = connect(servers.start())
    script = client.register_script("return 7")
    assert script() == 7
    client.script_flush()
    assert script() == 7


def test_a_server_alone_is_accepted_and_asked_once(servers: Servers) -> None:
    url = servers.start()
    client = connect(url)
    assert hello(client)["mode"] == "standalone"
    check_mode(client)
    before = client.info("commandstats")["cmdstat_hello"]["calls"]
    for _ in range(5):
        check_mode(client)
    assert client.info("commandstats")["cmdstat_hello"]["calls"] == before


@pytest.mark.parametrize("database", ["0", "3"])
def test_a_node_of_a_cluster_is_refused(servers: Servers, database: str) -> None:
    url = servers.start("--cluster-enabled", "yes")
    with pytest.raises((InvalidSetting, RedisUnreachable)) as caught, in_sentences(url):
        check_mode(connect(url.replace("/0", f"/{database}")))
    if "DB index is out of range" in str(caught.value):
        return  # Valkey says this before anything else
    assert caught.value.exit_code == 2
    assert str(caught.value) == (
        "QUARTET_REDIS_URL: expected the address of one Redis server, got that of a server in cluster mode"
    )


def test_sentinel_is_refused(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "sentinel.conf").write_text("")
    url = servers.start(config=tmp_path / "sentinel.conf", options=("--sentinel",))
    with pytest.raises(InvalidSetting, match="got that of Sentinel"), in_sentences(url):
        check_mode(connect(url))


def test_a_server_that_does_not_know_the_question_is_accepted() -> None:
    def reply(words: list[bytes]) -> bytes:
        return HELLO if len(words) > 1 else b"-ERR unknown command 'HELLO'\r\n"

    with answering(reply) as url:
        check_mode(connect(url))


def test_hundreds_of_threads_of_one_process_have_a_connection_each(redis_url: str) -> None:
    pool = connect(redis_url, answer_seconds=9.0).connection_pool
    with in_sentences(redis_url):
        held = [pool.get_connection() for _ in range(200)]
    for connection in held:
        pool.release(connection)
    pool.disconnect()


class TestARealServer:
    """States that a real server is put into."""

    def test_a_full_memory(self, servers: Servers) -> None:
        url = servers.start("--maxmemory", "1mb", "--maxmemory-policy", "noeviction")
        client = connect(url)

        def fill() -> None:
            for number in range(1_000):
                client.set(f"x{number}", "x" * 10_000)

        assert "refuses writes" in sentence(url, fill)

    def test_too_few_replicas(self, servers: Servers) -> None:
        url = servers.start("--min-replicas-to-write", "1")
        assert "(NOREPLICAS Not enough good replicas" in sentence(url, ping(url))

    def test_a_replica(self, servers: Servers) -> None:
        url = servers.start("--replicaof", "127.0.0.1 1")
        assert "refuses writes" in sentence(url, ping(url))

    def test_a_replica_that_serves_nothing_without_its_primary(self, servers: Servers) -> None:
        url = servers.start("--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "no")
        assert "has lost its primary" in sentence(url, lambda: connect(url).get("x"))

    def test_a_disk_that_takes_no_snapshot(self, servers: Servers, tmp_path: Path) -> None:
        url = servers.start("--dir", str(tmp_path))
        client = connect(url)
        client.config_set("save", "3600 1")
        client.config_set("rdbcompression", "no")
        # A folder in the snapshot's place.
        (tmp_path / "dump.rdb").mkdir()
        client.set("x", "y")
        client.bgsave()
        until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", 20)
        assert "(MISCONF" in sentence(url, ping(url))

    def test_a_password(self, servers: Servers) -> None:
        url = servers.start("--requirepass", "geheim")
        for login in ("", ":wrong@", "nobody:geheim@"):
            other = url.replace(":geheim@", login)
            assert sentence(other, ping(other)).endswith("does not accept the password")

    def test_a_user_without_a_right(self, servers: Servers) -> None:
        url = servers.start()
        connect(url).acl_setuser("few", enabled=True, passwords=["+geheim"], commands=["+ping"])
        few = url.replace("redis://", "redis://few:geheim@")
        assert "denies this user a command (" in sentence(few, ping(few))

    def test_no_more_clients(self, servers: Servers) -> None:
        url = servers.start("--maxclients", "1")
        holder = connect(url)
        held = holder.connection_pool.get_connection()
        assert sentence(url, ping(url, 2.0)).startswith("Redis cannot be reached at")
        held.disconnect()

    def test_an_answer_that_takes_too_long(self, servers: Servers) -> None:
        url = servers.start("--enable-debug-command", "yes")
        asked = sentence(url, lambda: connect(url, answer_seconds=0.3).execute_command("DEBUG", "SLEEP", "2"))
        assert asked == f"Redis cannot be reached at {url}"

    def test_a_script_that_does_not_end(self, servers: Servers) -> None:
        url = servers.start("--busy-reply-threshold", "50")
        sentence(url, lambda: connect(url, answer_seconds=0.3).eval("while true do end", 0))
        assert "(BUSY " in sentence(url, ping(url))
        connect(url).script_kill()

    def test_a_database_that_there_is_not(self, servers: Servers) -> None:
        url = servers.start().replace("/0", "/99")
        assert "DB index is out of range" in sentence(url, ping(url))

    def test_killed_connections(self, servers: Servers) -> None:
        url = servers.start()
        client = connect(url)
        client.ping()
        connect(url, answer_seconds=3.0).client_kill_filter(_type="normal", skipme=True)
        with suppress(RedisUnreachable), in_sentences(url):
            client.set("x", "y")
        client.set("x", "y")
