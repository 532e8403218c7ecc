"""The dashboards' commands, by the gallery's: loopback unless told otherwise, and errors in one sentence."""

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.dashboards.test_gallery import running


def gallery(*arguments: str) -> tuple[int, str]:
    """Exit code and first line of what it complained about."""
    done = subprocess.run(
        [sys.executable, "-m", "worker.dashboards.gallery", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("options", "address"), [((), "127.0.0.1"), (("--host", "localhost"), None), (("--host", "0.0.0.0"), "0.0.0.0")]
)  # fmt: skip
def test_it_listens_on_loopback_unless_told_otherwise(
    tmp_path: Path, options: tuple[str, ...], address: str | None
) -> None:
    (tmp_path / "results").mkdir()
    with running(tmp_path / "results", *options) as port:
        found = {
            at.laddr.ip for at in psutil.net_connections("tcp")
            if at.status == psutil.CONN_LISTEN and at.laddr.port == port
        }  # fmt: skip
    assert found == {address} if address else found <= {"127.0.0.1", "::1"}


@pytest.mark.chaos
def test_wrong_usage_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = str(tmp_path)
    file = tmp_path / "file"
    file.touch()
    missing = tmp_path / "missing"
    assert gallery() == (2, "gallery: folder: expected a value, got none")
    for given in (missing, file, tmp_path / ("a" * 300), Path("/proc/self/mem/x")):
        code, said = gallery(str(given))
        assert (code, said[:45]) == (2, "gallery: folder: expected the results folder,")
    for port in ("65536", "-1", "x", "1e3", "9" * 5000, "\u0661", ""):
        code, said = gallery(folder, f"--port={port}")
        assert (code, said[:51]) == (2, "gallery: port: expected an integer from 0 to 65535,")
    for host in ("nope.invalid", "203.0.113.9", "a" * 300, "..", "1.2.3.4.5"):
        code, said = gallery(folder, "--host", host)
        assert (code, said[:42]) == (2, "gallery: host: expected an address of this")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = (
            f"gallery: host: expected an address of this machine where port {port} is free, got '127.0.0.1'"
        )
        assert gallery(folder, "--port", str(port)) == (2, said)
    code, said = gallery(folder, "--hots", "127.0.0.1")
    assert (code, said[:27]) == (2, "gallery: option of gallery:")
