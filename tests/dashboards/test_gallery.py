"""The gallery as a process, asked by raw sockets: what it shows, what it refuses, how it bears slow clients."""

import contextlib
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import until
from worker.dashboards.connections import REQUEST_SECONDS

PAGE = b"<!doctype html><title>jobs</title>"
SCRIPT = b"quartetRows('[]');\n"
MODEL = os.urandom(3_000_000)
SECRET = b"what nobody may see"


class Gallery:
    """A running gallery and the folder that it shows."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def connect(self, receive_buffer: int = 0) -> socket.socket:
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def send(self, request: bytes) -> bytes:
        """All that is answered to these bytes until the connection is closed."""
        with self.connect() as connection:
            with contextlib.suppress(OSError):  # refused before all of it was sent
                connection.sendall(request)
            answer = b""
            while part := connection.recv(1 << 20):
                answer += part
            return answer

    def ask(self, target: bytes, *headers: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Status, headers by their lower-case names, and body of the answer to one request."""
        lines = [f"{method} ".encode() + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close"]
        answer = self.send(b"\r\n".join([*lines, *(header.encode() for header in headers), b"", b""]))
        return parse(answer)


def parse(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}, body


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[int]:
    """A gallery of a folder; its port."""
    command = [sys.executable, "-m", "worker.dashboards.gallery", str(folder), "--port", "0", *options]
    log = folder.parent / "gallery.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
    try:
        assert process.stdout is not None
        said = process.stdout.readline().decode()
        port = re.search(r":(\d+)$", said.strip())
        assert port, said + log.read_text()
        yield int(port[1])
        assert process.poll() is None, log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    above = tmp_path_factory.mktemp("gallery")
    folder = above / "results"
    job = folder / "ab12"
    (folder / ".staging" / "cd34").mkdir(parents=True)
    job.mkdir()
    for path in (above / "secret", folder / ".staging" / "cd34" / "log.txt", job / ".hidden"):
        path.write_bytes(SECRET)
    (folder / "index.html").write_bytes(PAGE)
    (folder / "index").mkdir()
    (folder / "index" / "20261123-0.js").write_bytes(SCRIPT)
    (folder / "index" / ".marks.json").write_bytes(SECRET)
    (job / "report.html").write_bytes(PAGE)
    (job / "model.keras").write_bytes(MODEL)
    (job / "empty.txt").touch()
    (job / "loss curve ü.svg").write_text("<svg/>")
    (job / "link").symlink_to(above / "secret")
    (job / "inside").symlink_to("report.html")
    (folder / "elsewhere").symlink_to(above)
    os.mkfifo(job / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(job)  # the names of sockets are short
        listener.bind("socket")
        os.chdir(here)
    with running(folder) as port:
        yield Gallery(folder, port)


def test_what_is_published_is_shown(gallery: Gallery) -> None:
    status, headers, body = gallery.ask(b"/")
    assert (status, body) == (200, PAGE)
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-cache"
    assert "server" not in headers
    assert gallery.ask(b"/ab12/report.html?a=b")[2] == PAGE
    assert gallery.ask(b"/ab12/model.keras")[2] == MODEL
    status, headers, body = gallery.ask(b"/ab12/loss%20curve%20%C3%BC.svg")
    assert (status, headers["content-type"], body) == (200, "image/svg+xml", b"<svg/>")
    status, headers, _ = gallery.ask(b"/ab12")
    assert (status, headers["location"]) == (307, "/ab12/")
    status, headers, body = gallery.ask(b"/ab12/model.keras", method="HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(MODEL)), b"")


def test_the_page_of_all_jobs_has_its_scripts_and_no_other_page_may_run_one(gallery: Gallery) -> None:
    status, headers, body = gallery.ask(b"/index/20261123-0.js")
    assert (status, headers["content-type"], body) == (200, "text/javascript; charset=utf-8", SCRIPT)
    for target in (b"/", b"/index.html", b"/?a=b"):
        policy = gallery.ask(target)[1]["content-security-policy"]
        assert "; script-src 'self';" in policy
    for target in (b"/ab12/report.html", b"/ab12/model.keras", b"/index/20261123-0.js", b"/nothing", b"/ab12",
                   b"//index.html", b"/%69ndex.html", b"/ab12/../index.html"):  # fmt: skip
        policies = gallery.ask(target)[1]["content-security-policy"]
        assert policies.startswith(
            "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; base"
        )
        assert "script" not in policies


@pytest.mark.parametrize(
    "target",
    [
        b"/index/.marks.json", b"/nothing", b"/ab12/", b"/ab12/report.html/", b"/.staging/cd34/log.txt", b"/%2estaging/cd34/log.txt",
        b"/ab12/.hidden", b"/ab12/%2Ehidden", b"/../secret", b"/%2e%2e/secret", b"/ab12/../../secret",
        b"/ab12/%2e%2e%2f%2e%2e%2fsecret", b"/ab12%2freport.html", b"/..%5csecret", b"/ab12\\report.html",
        b"/%252e%252e/secret", b"//etc/passwd", b"/%2fetc/passwd", b"/ab12/link", b"/ab12/inside",
        b"/elsewhere/secret", b"/elsewhere", b"/ab12/pipe", b"/ab12/socket", b"/ab12//report.html", b"/%zz", b"/%",
        b"/" + b"a" * 300, b"/" + b"a/" * 4000, b"/ab12/%0d%0aSet-Cookie:a", b"/~root", b"/C:%5c", b"/data:,x",
        b"/ab12/report.html%00.txt", b"/%00", b"/%ff", b"/%c0%ae%c0%ae/secret", b"/%ed%a0%80", b"/%f4%90%80%80",
        b"http://localhost/", b"*", b"ab12", b"?", b"localhost:80",
    ],
)  # fmt: skip
def test_what_is_not_published_is_refused(gallery: Gallery, target: bytes) -> None:
    status, headers, body = gallery.ask(target)
    assert status in (400, 404)
    assert SECRET not in body
    assert "content-security-policy" in headers


def test_no_path_is_a_server_error(gallery: Gallery) -> None:
    for byte in range(256):
        for target in (b"/%%%02x" % byte, b"/ab12/%%%02x%%%02x" % (byte, byte), b"/" + bytes([byte])):
            status, _, body = gallery.ask(target)
            assert status in (200, 400, 404), target
            assert SECRET not in body


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST:1", "127.0.0.1:8000"])
def test_it_answers_to_the_names_of_this_machine(gallery: Gallery, host: str) -> None:
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert parse(gallery.send(request.encode()))[::2] == (200, PAGE)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:127.0.0.1", "127.0.0.2", "0.0.0.0", "localhost@evil",
     "evil@localhost", "[::1].evil", "www.localhost", "", "::1", "localhost:x", "[::1", "\xff", "localhost, evil"],
)  # fmt: skip
def test_it_answers_to_no_other_name(gallery: Gallery, host: str) -> None:
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    status, _, body = parse(gallery.send(request.encode("latin-1")))
    assert 400 <= status < 500
    assert PAGE not in body


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 2_000_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: a\r\n" * 200_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: x\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9.9.9\r\nHost: localhost\r\n\r\n",
        b"GET /\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA : b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: \x00\r\n\r\n",
        b"\xff" * 100 + b"\r\n\r\n",
    ],
)
def test_what_is_not_http_is_a_bad_request(gallery: Gallery, request_: bytes) -> None:
    assert parse(gallery.send(request_))[0] == 400


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "get", "X" * 999]
)
def test_it_can_change_nothing(gallery: Gallery, method: str) -> None:
    status, headers, _ = gallery.ask(b"/", method=method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert gallery.ask(b"/", "Content-Length: 5", method=method)[0] == 405


@pytest.mark.parametrize(
    ("given", "status", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 10), ("bytes=-5", 206, len(MODEL) - 5, len(MODEL)),
        ("bytes=2999999-", 206, 2_999_999, 3_000_000), ("bytes=100-99999999999", 206, 100, len(MODEL)),
        ("bytes=-99999999999", 206, 0, len(MODEL)), ("bytes=3000000-", 416, 0, 0), ("bytes=-0", 416, 0, 0),
        ("bytes=9-2", 400, 0, 0), ("bytes=x-y", 400, 0, 0), ("bytes", 400, 0, 0), ("pages=1-2", 400, 0, 0),
        ("bytes=" + "9" * 5000 + "-", 400, 0, 0), ("bytes=--5", 416, 0, 0), ("bytes=", 400, 0, 0),
        ("bytes=" + ",".join(["0-"] * 3000), 200, 0, len(MODEL)), ("bytes=\u0661-5", 400, 0, 0),
    ],
)  # fmt: skip
def test_part_of_a_file(gallery: Gallery, given: str, status: int, first: int, last: int) -> None:
    got, headers, body = gallery.ask(b"/ab12/model.keras", f"Range: {given}")
    assert got == status
    if status == 206:
        assert headers["content-range"] == f"bytes {first}-{last - 1}/{len(MODEL)}"
    if status < 300:
        assert body == MODEL[first:last]
    assert gallery.ask(b"/ab12/empty.txt", f"Range: {given}")[0] < 500


def test_several_parts_and_an_empty_file(gallery: Gallery) -> None:
    status, headers, body = gallery.ask(b"/ab12/model.keras", "Range: bytes=0-9,100-109")
    assert status == 206
    assert headers["content-type"].startswith("multipart/byteranges; boundary=")
    assert MODEL[:10] in body
    assert MODEL[100:110] in body
    assert gallery.ask(b"/ab12/empty.txt")[::2] == (200, b"")


def test_a_page_that_has_not_changed_is_not_sent_again(gallery: Gallery) -> None:
    _, headers, _ = gallery.ask(b"/")
    tag, changed = headers["etag"], headers["last-modified"]
    for header in (f"If-None-Match: {tag}", f"If-None-Match: W/{tag}", f'If-None-Match: "x", {tag}',
                   "If-None-Match: *", f"If-Modified-Since: {changed}"):  # fmt: skip
        status, found, body = gallery.ask(b"/", header)
        assert (status, found["etag"], body) == (304, tag, b""), header
    for header in ('If-None-Match: "x"', "If-None-Match: ,,", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
                   "If-Modified-Since: no date", "If-Modified-Since: 1",
                   "If-Modified-Since: , , , ,", "If-Modified-Since: Mon 0 0 0:0:0:0", "If-Modified-Since: \xff",
                   "If-Modified-Since: " + "9" * 6000, "If-Modified-Since: Mon, 1-1-1 :"):  # fmt: skip
        assert gallery.ask(b"/", header)[::2] == (200, PAGE), header
    far = "If-Modified-Since: Thu, 99 Jan 99999999999 9:9"
    assert gallery.ask(b"/", far)[0] in (200, 304)
    ranged = gallery.ask(b"/ab12/model.keras", 'If-Range: "x"', "Range: bytes=0-9")
    assert (ranged[0], ranged[2]) == (200, MODEL)


def test_one_connection_serves_several_requests(gallery: Gallery) -> None:
    one = b"GET /ab12/report.html HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert gallery.send(one * 5 + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).count(PAGE) == 6


def test_files_are_closed_whatever_is_answered(gallery: Gallery) -> None:
    import psutil

    [listening] = [
        found for found in psutil.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN and found.laddr.port == gallery.port
    ]  # fmt: skip
    process = psutil.Process(listening.pid)
    until(lambda: not process.net_connections("tcp")[1:], 30, "the end of earlier connections")
    before = process.num_fds()
    for _ in range(20):
        for header in (
            "A: a",
            "If-None-Match: *",
            "Range: bytes=0-0",
            "Range: bytes=9-1",
            "Range: bytes=9999999-",
        ):
            gallery.ask(b"/ab12/model.keras", header)
            gallery.ask(b"/ab12/model.keras", header, method="HEAD")
        for target in (b"/ab12", b"/ab12/pipe", b"/ab12/link", b"/ab12/report.html/x", b"/nothing"):
            gallery.ask(target)
        with gallery.connect(4096) as leaves:
            leaves.sendall(b"GET /ab12/model.keras HTTP/1.1\r\nHost: localhost\r\n\r\n")
            leaves.recv(1)
    until(lambda: process.num_fds() <= before, 30, "the end of the files that nobody reads")


KINDS = ("silent", "dribbling", "uploading", "not reading", "reading slowly")


@pytest.mark.chaos
def test_slow_connections_end_and_hold_up_nobody(gallery: Gallery) -> None:
    get = b"GET /ab12/model.keras HTTP/1.1\r\nHost: localhost\r\n"
    first = {"silent": b"", "dribbling": get, "uploading": get + b"Content-Length: 999999999\r\n\r\n"}
    slow = []
    for _ in range(180):
        for kind in KINDS:
            connection = gallery.connect(4096)
            slow.append((connection, kind))
            with contextlib.suppress(OSError):
                connection.sendall(first.get(kind, get + b"\r\n"))
    end = time.monotonic() + 200
    while slow:
        assert time.monotonic() < end, f"still open: {Counter(kind for _, kind in slow)}"
        began = time.monotonic()
        assert gallery.ask(b"/ab12/model.keras")[2] == MODEL
        # Whoever is held up waits until a slow one has used up its time.
        assert time.monotonic() - began < REQUEST_SECONDS
        slow = [(connection, kind) for connection, kind in slow if still_open(connection, kind)]
        time.sleep(0.5)


def still_open(connection: socket.socket, kind: str) -> bool:
    """Whether the server has this connection yet, after a bit more of what holds it."""
    connection.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        try:
            if kind in ("dribbling", "uploading"):
                connection.send(b"a")
            if kind == "uploading":
                while connection.recv(1 << 20):
                    pass
            if kind == "reading slowly":
                connection.recv(1)
        except OSError as error:
            if not isinstance(error, BlockingIOError):
                connection.close()
                return False
    watch = select.poll()
    watch.register(connection, select.POLLRDHUP)
    if watch.poll(0):
        connection.close()
        return False
    return True


def test_a_signal_just_before_the_server_waits_ends_it_without_a_warning() -> None:
    program = (
        "import socket, sys, uvicorn.server\n"
        "from worker.dashboards.connections import serve\n"
        "uvicorn.server.asyncio_run = lambda *_, **__: sys.exit('stopped')\n"
        "with socket.create_server(('127.0.0.1', 0)) as listener:\n"
        "    serve(None, listener, {})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "stopped\n")
