"""`quartet exporter` as a process: what it answers, what it bears, how it ends."""

import contextlib
import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jobs.exporter.current_page import WAIT_SECONDS
from jobs.exporter.server import CONNECTION_SECONDS, MOST_CONNECTIONS
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings, read_settings
from tests.cli.program import QUARTET, environment, quartet
from tests.exporter.pages import fill, samples, value
from tests.support.processes import RestartableRedis, until


class Exporter:
    """A running exporter."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process, self.port = process, port

    def ask(self, path: str = "/metrics", method: str = "GET") -> tuple[int, str, str]:
        """Status, content type and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read().decode()

    def up(self) -> float:
        return value(samples(self.ask()[2]), "up")

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=2 * CONNECTION_SECONDS)

    def send(self, request: bytes) -> bytes:
        with self.connect() as connection:
            connection.sendall(request)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while part := connection.recv(1 << 16):
                    answer += part
            return answer


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Exporter]:
    process = subprocess.Popen(
        [QUARTET, "exporter", "--port", "0"],
        env=environment(settings, PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        port = re.fullmatch(r"the metrics are on http://127\.0\.0\.1:(\d+)/metrics\n", said)
        assert port, said
        yield Exporter(process, int(port[1]))
    finally:
        process.kill()
        process.communicate()


def test_it_answers_a_scrape_and_ends_by_ctrl_c(settings: Settings, ledger: Ledger) -> None:
    fill(ledger)
    with running(settings) as exporter:
        status, kind, body = exporter.ask()
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert value(samples(body), "open_jobs", queue="training") == 2
        assert exporter.ask("/")[0] == exporter.ask("/metrics?x=1")[0] == 200
        assert exporter.ask("/other")[0] == exporter.ask("/metrics/")[0] == 404
        for method in ("POST", "HEAD", "DELETE"):
            assert exporter.ask("/metrics", method)[0] == 405
        for request in (
            b"\r\n\r\n",
            b"GET /metrics\r\n\r\n",
            b"\x16\x03\x01\r\n\r\n",
            b"GET /" + b"x" * 50_000,
        ):
            assert exporter.send(request).startswith(b"HTTP/1.1 400 ")
        idle = [exporter.connect() for _ in range(2 * MOST_CONNECTIONS)]
        assert exporter.ask()[0] == 200
        there = psutil.Process(exporter.process.pid).net_connections("tcp")
        assert sum(each.status == psutil.CONN_ESTABLISHED for each in there) <= MOST_CONNECTIONS
        for connection in idle:
            connection.close()
        exporter.process.send_signal(signal.SIGINT)
        out, said = exporter.process.communicate(timeout=10)
        assert (out, said.strip()) == ("", "")
        assert exporter.process.returncode == 130


@pytest.mark.chaos
def test_a_redis_that_is_away_or_hangs_is_said_at_once(restartable: RestartableRedis, tmp_path: Path) -> None:
    settings = read_settings(
        redis_url=restartable.address, results_dir=tmp_path, state_dir=tmp_path, data_dir=tmp_path
    )
    with running(settings) as exporter:
        assert exporter.up() == 1

        def up_within(seconds: float) -> float:
            began = time.monotonic()
            found = exporter.up()
            assert time.monotonic() - began < seconds
            return found

        redis = restartable.process()
        redis.send_signal(signal.SIGSTOP)
        time.sleep(2.1)
        assert [up_within(WAIT_SECONDS + 1), up_within(0.5), up_within(0.5)] == [0, 0, 0]
        redis.send_signal(signal.SIGCONT)
        until(lambda: exporter.up() == 1, 20)
        restartable.kill()
        time.sleep(2.1)
        assert up_within(1) == 0
        assert samples(exporter.ask()[2]) == {("quartet_up", frozenset()): 0}
        restartable.start()
        until(lambda: exporter.up() == 1, 20)
        exporter.process.send_signal(signal.SIGTERM)
        _, said = exporter.process.communicate(timeout=10)
        assert exporter.process.returncode == 0
        lines = said.splitlines()
        assert [line == "Redis is back" for line in lines] == [False, True, False, True], said


@pytest.mark.chaos
def test_slow_clients_are_cut_off_and_hold_up_no_scrape(settings: Settings, ledger: Ledger) -> None:
    fill(ledger)
    with running(settings) as exporter:
        slow, deaf = exporter.connect(), exporter.connect()
        with slow, deaf:
            deaf.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")  # and reads nothing
            began = time.monotonic()
            with contextlib.suppress(OSError):
                while time.monotonic() - began < 3 * CONNECTION_SECONDS:
                    slow.sendall(b"G")
                    time.sleep(0.2)
                    assert exporter.ask("/")[0] == 200
            assert CONNECTION_SECONDS - 1 < time.monotonic() - began < CONNECTION_SECONDS + 3


@pytest.mark.chaos
def test_wrong_usage_is_refused_in_a_sentence(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = quartet(settings, "exporter", "--port", port, code=2).stderr
    assert said == (
        f"quartet: host: expected an address of this machine where port {port} is free, got '127.0.0.1'\n"
        "hint: Address already in use\n"
    )
    assert "port: expected an integer" in quartet(settings, "exporter", "--port", "x", code=2).stderr
    without = "import sys; sys.modules['prometheus_client'] = None; from jobs.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", without, "exporter"], env=environment(settings), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "quartet: the exporter needs the package prometheus-client\nhint: pip install 'quartet[exporter]'\n"
    )
