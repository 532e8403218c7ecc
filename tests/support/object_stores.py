"""A real S3 server of our own, and a way to it that can be slow, refuse or be cut."""

import contextlib
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "of-the-tests",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests",
    "AWS_REGION": "us-east-1",
}
BUCKET = "quartet-tests"


@contextmanager
def s3_server(folder: Path, address: str = "127.0.0.1") -> Iterator[int]:
    """moto's server in a process of its own, with one empty bucket; gives its port.

    Args:
        folder: for its log.
        address: of this machine, where it listens.
    """
    port = _free_port()
    with (folder / "s3.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", address, "-p", str(port)], stdout=log, stderr=log
        )
    try:
        _make_bucket(f"{address}:{port}")
        yield port
    finally:
        server.kill()
        server.wait()


def environment(port: int) -> dict[str, str]:
    """What has clients ask the server at this port."""
    return CREDENTIALS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}


def _make_bucket(server: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            request = urllib.request.Request(f"http://{server}/{BUCKET}", method="PUT", data=b"")
            urllib.request.urlopen(request).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class FaultyWay:
    """Passes requests on to a server, as long as it is not told to misbehave.

    Attributes:
        to: the server's port.
        refuse: the share of requests that are answered with 500 or 503.
        lose: the share of requests that are passed on and whose answers are lost.
        seconds: by which each request is delayed.
        away: whether every connection is closed at once.
        expired: whether every request is answered as with credentials that have expired.
    """

    to: int
    refuse: float = 0.0
    lose: float = 0.0
    seconds: float = 0.0
    away: bool = False
    expired: bool = False
    seen: list[tuple[str, str]] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    @contextmanager
    def open(self) -> Iterator[int]:
        """Gives the port at which it listens."""
        way = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_any(self) -> None:
                with contextlib.suppress(OSError):  # whoever asked has gone
                    way._pass_on(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any  # noqa: N815 - the library's names

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            server.server_close()

    def _pass_on(self, asked: BaseHTTPRequestHandler) -> None:
        self.seen.append((asked.command, asked.path))
        body = asked.rfile.read(int(asked.headers.get("Content-Length", 0)))
        time.sleep(self.seconds)
        if self.away:
            asked.close_connection = True
            return
        if self.expired:
            self._answer(asked, 400, b"<Error><Code>ExpiredToken</Code><Message>expired</Message></Error>")
            return
        if self.chance.random() < self.refuse:
            status = self.chance.choice((500, 503))
            self._answer(asked, status, b"<Error><Code>InternalError</Code></Error>")
            return
        with closing(HTTPConnection("127.0.0.1", self.to, timeout=60)) as server:
            server.request(asked.command, asked.path, body=body, headers=dict(asked.headers.items()))
            answer = server.getresponse()
            content = answer.read()
            if self.chance.random() < self.lose:
                asked.close_connection = True
                return
            asked.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in (
                    "transfer-encoding",
                    "connection",
                    "content-length",
                    "date",
                    "server",
                ):
                    asked.send_header(name, value)
            length = answer.getheader("Content-Length") if asked.command == "HEAD" else str(len(content))
            asked.send_header("Content-Length", length or "0")
            asked.end_headers()
            if asked.command != "HEAD":
                asked.wfile.write(content)

    @staticmethod
    def _answer(asked: BaseHTTPRequestHandler, status: int, content: bytes) -> None:
        asked.send_response(status)
        asked.send_header("Content-Length", str(len(content)))
        asked.end_headers()
        if asked.command != "HEAD":
            asked.wfile.write(content)


def unique_address() -> str:
    """A prefix of the bucket that no other test has."""
    return f"s3://{BUCKET}/{os.urandom(6).hex()}"
