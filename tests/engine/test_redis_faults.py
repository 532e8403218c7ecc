"""Whatever Redis answers, and for however long: a worker lives through it, and so does its running job."""

import contextlib
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError

from tests.engine.bare_workers import BareWorker, redis_at
from tests.support.processes import RestartableRedis, until

SECONDS = float(os.environ.get("QUARTET_FAULT_SECONDS", "1.5"))
"""How long each fault lasts."""


class Liar:
    """Stands before Redis, and answers in its place while it has an `answer`."""

    def __init__(self, path: str) -> None:
        self.path, self.answer = path, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/3"
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.path)
                for source, target, is_request in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._pump, args=(source, target, is_request), daemon=True
                    ).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self.answer:
                    target.sendall(data)
                elif is_request:
                    source.sendall(self.answer)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        source.close()

    def end(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        until(lambda: not any(thread.is_alive() for thread in self.threads), 30, "the end of its threads")


ANSWERS = {
    "READONLY": b"-READONLY You can't write against a read only replica.\r\n",
    "OOM": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "MISCONF": b"-MISCONF Redis is configured to save RDB snapshots\r\n",
    "NOREPLICAS": b"-NOREPLICAS Not enough good replicas to write.\r\n",
    "LOADING": b"-LOADING Redis is loading the dataset in memory\r\n",
    "MASTERDOWN": b"-MASTERDOWN Link with MASTER is down\r\n",
    "BUSY": b"-BUSY Redis is busy running a script.\r\n",
    "CLUSTERDOWN": b"-CLUSTERDOWN The cluster is down\r\n",
    "MOVED": b"-MOVED 1234 127.0.0.1:1\r\n",
    "ASK": b"-ASK 1234 127.0.0.1:1\r\n",
    "CROSSSLOT": b"-CROSSSLOT Keys in request don't hash to the same slot\r\n",
    "NOAUTH": b"-NOAUTH Authentication required.\r\n",
    "WRONGPASS": b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    "NOPERM": b"-NOPERM User default has no permissions to run the 'brpop' command\r\n",
    "EXECABORT": b"-EXECABORT Transaction discarded because of previous errors.\r\n",
    "WRONGTYPE": b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    "NOSCRIPT": b"-NOSCRIPT No matching script.\r\n",
    "UNKILLABLE": b"-UNKILLABLE Sorry the script already executed write commands\r\n",
    "an error without a name": b"-what?\r\n",
    "OK to everything": b"+OK\r\n",
    "a number": b":5\r\n",
    "an empty list": b"*0\r\n",
    "a strange list": b"*3\r\n:1\r\n$-1\r\n*1\r\n+x\r\n",
    "a web server": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "bytes": b"\x00\xff\x80\r\n",
    "half an answer": b"*2\r\n$5\r\nqua",
}


SEEN = {
    "no replicas": "NOREPLICAS",
    "a replica": "ReadOnlyError",
    "a replica of a dead master": "ReadOnlyError",
    "a failed save": "MISCONF",
    "killed connections": "ConnectionError",
    "too many clients": "ConnectionError",
    "another password": "Authentication",
    "no rights": "NoPermissionError",
    "no keys": "NoPermissionError",
    "no channels": "NoPermissionError",
    "a disabled user": "Authentication",
    "a busy script": "BUSY",
    "away": "ConnectionError",
}
"""What the worker's log says of each state of Redis that it notices."""


@pytest.fixture
def redis(restartable: RestartableRedis) -> Any:
    return redis_at(restartable.address, db=3)


@pytest.fixture
def liar(restartable: RestartableRedis) -> Iterator[Liar]:
    found = Liar(str(restartable.socket))
    yield found
    found.end()


def endure(
    worker: BareWorker,
    redis: Any,
    name: str,
    begin: Callable[[], Any],
    end: Callable[[], Any],
    seen: str = "",
) -> None:
    """A fault, of which the worker logs `seen`; a job runs into it and ends in its midst, another comes after."""
    worker.mark("hold")
    running, before = worker.submit(redis), len(worker.said())
    began_file = worker.file.with_suffix(".running")
    until(lambda: began_file.exists() and began_file.read_text() == running, 30, f"{name}: a job's begin")
    processor = sum(worker.process.cpu_times()[:2])
    begin()
    try:
        time.sleep(SECONDS / 2)
        worker.mark("hold", False)
        until(lambda: running in worker.done(), 20, f"{name}: the running job's end")
        time.sleep(SECONDS / 2)
        used = sum(worker.process.cpu_times()[:2]) - processor
        assert used < 0.6 * SECONDS, f"{name}: the worker spins"
    finally:
        end()
    child = worker.does_a_job(redis, 30)
    assert child == worker.done()[running], f"{name}: another process did it"
    said = worker.said()[before:]
    assert said.count("\n") < 30, f"{name}: {said}"
    assert seen in said, f"{name}: {said}"
    # Or the next fault, if it shows in the same way, would not be worth another line.
    until(lambda: not outages(worker.said()), 30, f"{name}: the end of each outage")


def outages(said: str) -> set[str]:
    """The uses of Redis of which the log last said that it is away."""
    latest = re.findall(r"(waiting for jobs|waiting for questions|sending events and answers): (.*)", said)
    return {use for use, text in dict(latest).items() if "answers again" not in text}


@pytest.mark.chaos
def test_a_worker_lives_through_every_answer(redis: Any, liar: Liar, tmp_path: Path) -> None:
    worker = BareWorker(liar.address, tmp_path)
    try:
        worker.does_a_job(redis, 60)
        for name, answer in ANSWERS.items():
            begin = partial(setattr, liar, "answer", answer)
            endure(worker, redis, name, begin, partial(setattr, liar, "answer", b""))
    finally:
        worker.end()
    assert "Traceback" not in worker.said()


@pytest.mark.chaos
def test_a_worker_lives_through_every_state_of_redis(
    restartable: RestartableRedis, redis: Any, tmp_path: Path
) -> None:
    redis.acl_setuser("admin", enabled=True, nopass=True, commands=["+@all"], keys=["*"], channels=["*"])
    admin = redis_at(restartable.address, username="admin", password="x")
    worker = BareWorker(restartable.address + "?db=3", tmp_path)
    stop = threading.Event()

    def config(**values: Any) -> None:
        for name, value in values.items():
            admin.config_set(name.replace("_", "-"), value)

    def kill_all() -> None:
        admin.client_kill_filter(_type="normal", skipme=True)
        admin.client_kill_filter(_type="pubsub", skipme=True)

    def kill_on() -> None:
        stop.clear()

        def work() -> None:
            while not stop.wait(0.2):
                kill_all()

        threading.Thread(target=work, daemon=True).start()

    def busy() -> None:
        def work() -> None:
            with contextlib.suppress(RedisError):
                redis_at(restartable.address, username="admin", password="x", socket_timeout=60).eval(
                    "while true do end", 0
                )

        threading.Thread(target=work, daemon=True).start()

    def answers() -> bool:
        """The script goes on for a moment after it was killed."""
        with contextlib.suppress(RedisError):
            return bool(redis.ping())
        return False

    def refuse_to_save() -> None:
        (restartable.folder / "dump.rdb").mkdir()
        config(save="3600 1")
        admin.bgsave()

    def save_again() -> None:
        (restartable.folder / "dump.rdb").rmdir()
        admin.bgsave()
        until(lambda: admin.info("persistence")["rdb_last_bgsave_status"] == "ok", 20)
        config(save="")

    def acl(*rules: str) -> Any:
        return admin.execute_command("ACL", "SETUSER", "default", *rules)

    faults: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "full memory": (lambda: config(maxmemory="1mb"), lambda: config(maxmemory="0")),
        "no replicas": (
            lambda: config(min_replicas_to_write="1"),
            lambda: config(min_replicas_to_write="0"),
        ),
        "a replica": (lambda: admin.replicaof("127.0.0.1", 1), lambda: admin.replicaof("NO", "ONE")),
        "a replica of a dead master": (
            lambda: (config(replica_serve_stale_data="no"), admin.replicaof("127.0.0.1", 1)),
            lambda: (admin.replicaof("NO", "ONE"), config(replica_serve_stale_data="yes")),
        ),
        "a failed save": (refuse_to_save, save_again),
        "killed connections": (kill_on, stop.set),
        "too many clients": (
            lambda: (config(maxclients=1), kill_all()),
            lambda: config(maxclients=1000),
        ),
        "another password": (
            lambda: (acl("resetpass", ">other"), kill_all()),
            lambda: acl("resetpass", "nopass"),
        ),
        "no rights": (lambda: (acl("-@all"), kill_all()), lambda: acl("+@all")),
        "no keys": (lambda: acl("resetkeys"), lambda: acl("~*")),
        "no channels": (lambda: (acl("resetchannels"), kill_all()), lambda: acl("&*")),
        "no publishing": (lambda: acl("-publish"), lambda: acl("+publish")),
        "a disabled user": (lambda: (acl("off"), kill_all()), lambda: acl("on")),
        "a busy script": (
            lambda: (config(busy_reply_threshold="100"), busy()),
            lambda: (admin.script_kill(), until(answers, 20)),
        ),
        "a pause": (lambda: admin.client_pause(int(SECONDS * 1000)), lambda: None),
        "away": (restartable.kill, restartable.start),
    }
    try:
        worker.does_a_job(redis, 60)
        for name, (begin, end) in faults.items():
            endure(worker, redis, name, begin, end, SEEN.get(name, ""))
    finally:
        worker.end()
    assert "Traceback" not in worker.said()
