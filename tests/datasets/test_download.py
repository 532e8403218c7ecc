"""Downloads: what arrives is complete and checked, or nothing does and an error says why."""

import errno
import hashlib
import multiprocessing
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.datasets import Dataset, Original
from jobs.errors import InvalidData
from jobs.models import datasets
from jobs.settings import read_settings
from jobs.store.atomic_files import sha256_of
from worker.datasets import download as module
from worker.datasets.download import PARTIAL, download, obtain


def original_of(url: str, content: bytes) -> Original:
    return Original("a.txt", url, len(content), hashlib.sha256(content).hexdigest())


def refused(original: Original, data_dir: Path) -> InvalidData:
    """The error of a download that must fail, and leave nothing."""
    with pytest.raises(InvalidData) as raised:
        download(original, data_dir)
    assert not [path for path in data_dir.rglob("*") if path.is_file()]
    assert raised.value.field == original.url
    assert raised.value.hint == f"check the network, or put a.txt into {data_dir} yourself"
    return raised.value


@contextmanager
def answering(*answers: bytes, then: Callable[[socket.socket], None] = lambda _: None) -> Iterator[str]:
    """A server on a bare socket that sends each of its connections these bytes, and then does something."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65_536)
                        for answer in answers:
                            connection.sendall(answer)
                        then(connection)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def test_a_download_arrives_complete_and_checked(
    tmp_path: Path, server: str, capfd: pytest.CaptureFixture[str]
) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "web/a.txt").write_bytes(content)
    received: list[int] = []
    path = download(original_of(f"{server}/a.txt", content), tmp_path / "data", received.append)
    assert path == tmp_path / "data/a.txt"
    assert path.read_bytes() == content
    assert sum(received) == len(content)
    assert len(received) > 2
    assert not (tmp_path / "data" / PARTIAL / "a.txt").exists()
    assert capfd.readouterr() == ("", "")


def test_a_redirect_is_followed(tmp_path: Path, server: str) -> None:
    (tmp_path / "web/a.txt").write_text("hello")
    original = original_of(f"{server}/moved?to={server}/a.txt", b"hello")
    assert download(original, tmp_path / "data").read_text() == "hello"


@pytest.mark.parametrize("scheme", ["file", "ftp", "data"])
def test_only_http_and_https_are_used(tmp_path: Path, server: str, scheme: str) -> None:
    (tmp_path / "a.txt").write_text("hello")
    target = {"file": (tmp_path / "a.txt").as_uri(), "ftp": "ftp://127.0.0.1/a.txt", "data": "data:,hello"}[
        scheme
    ]
    assert str(refused(original_of(target, b"hello"), tmp_path / "data")) == (
        f"{target}: expected a file to download, got an error (unknown url type: {scheme})"
    )
    refused(original_of(f"{server}/moved?to={target}", b"hello"), tmp_path / "data")


def test_a_file_with_another_checksum_is_not_kept(tmp_path: Path, server: str) -> None:
    (tmp_path / "web/a.txt").write_text("hullo")
    error = refused(Original("a.txt", f"{server}/a.txt", 5, "0" * 64), tmp_path / "data")
    assert str(error) == (
        f"{server}/a.txt: expected 5 bytes with SHA-256 {'0' * 64}, "
        f"got SHA-256 {sha256_of(tmp_path / 'web/a.txt')}"
    )
    assert error.expected == f"5 bytes with SHA-256 {'0' * 64}"


def test_a_file_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    def send_on(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"x" * 65_536)

    with answering(b"HTTP/1.1 200 OK\r\n\r\n", then=send_on) as url:
        error = refused(original_of(f"{url}/a.txt", b"x" * 100_000), tmp_path / "data")
    assert error.given == "a larger file"


def test_a_connection_that_breaks_off_says_how_much_arrived(tmp_path: Path) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"h") as url:
        assert refused(original_of(f"{url}/a.txt", b"hello"), tmp_path / "data").given == "only 1 byte"
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"he") as url:
        assert refused(original_of(f"{url}/a.txt", b"hello"), tmp_path / "data").given == "only 2 bytes"


@pytest.mark.parametrize(
    "beginning", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"], ids=["at once", "in the middle"]
)
def test_a_server_that_falls_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.3)
    done = threading.Event()

    def wait(_: socket.socket) -> None:
        done.wait(20)

    with answering(beginning, then=wait) as url:
        error = refused(original_of(f"{url}/a.txt", b"hello"), tmp_path / "data")
        done.set()
    assert str(error) == f"{url}/a.txt: expected a file to download, got nothing for 0.3 s"
    assert socket.getdefaulttimeout() is None


def test_a_slow_server_that_keeps_sending_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.6)

    def trickle(connection: socket.socket) -> None:
        for letter in b"hello":
            connection.sendall(bytes([letter]))
            threading.Event().wait(0.2)

    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", then=trickle) as url:
        assert download(original_of(f"{url}/a.txt", b"hello"), tmp_path).read_text() == "hello"


def test_a_file_that_the_server_lacks_is_named_with_the_status(tmp_path: Path, server: str) -> None:
    error = refused(original_of(f"{server}/a.txt", b"hello"), tmp_path / "data")
    assert str(error) == f"{server}/a.txt: expected a file to download, got HTTP status 404"


def test_what_is_no_http_is_refused(tmp_path: Path) -> None:
    with answering(b"SSH-2.0-OpenSSH\r\n") as url:
        error = refused(original_of(f"{url}/a.txt", b"hello"), tmp_path / "data")
    assert error.given == "an error (BadStatusLine)"


def test_an_interrupted_download_leaves_nothing(tmp_path: Path, server: str) -> None:
    (tmp_path / "web/a.txt").write_text("hello")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(original_of(f"{server}/a.txt", b"hello"), tmp_path / "data", interrupt)
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]


def test_what_a_killed_download_left_is_replaced_and_never_written_through(
    tmp_path: Path, server: str
) -> None:
    (tmp_path / "web/a.txt").write_text("hello")
    (tmp_path / "data" / PARTIAL).mkdir(parents=True)
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "data" / PARTIAL / "a.txt").symlink_to(tmp_path / "precious")
    assert download(original_of(f"{server}/a.txt", b"hello"), tmp_path / "data").read_text() == "hello"
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (tmp_path / "data/a.txt").is_symlink()


def _obtain(url: str, data_dir: Path, started: "multiprocessing.synchronize.Event") -> None:
    started.wait(20)
    dataset = Dataset("a", "text", "", "", "", (("a.txt",),), (original_of(url, b"hello"),))
    obtain(dataset, read_settings(data_dir=data_dir))


def test_processes_that_need_the_same_dataset_download_it_once(tmp_path: Path) -> None:
    requests: list[None] = []

    def note(_: socket.socket) -> None:
        requests.append(None)
        threading.Event().wait(0.5)

    spawn = multiprocessing.get_context("spawn")
    started = spawn.Event()
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", then=note) as url:
        processes = [
            spawn.Process(target=_obtain, args=(f"{url}/a.txt", tmp_path / "data", started)) for _ in range(3)
        ]
        for process in processes:
            process.start()
        started.set()
        for process in processes:
            process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(requests) == 1
    assert (tmp_path / "data/a.txt").read_text() == "hello"


@pytest.mark.parametrize("written", ["~/data", "data"])
def test_the_data_folder_may_be_written_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mnist.npz").touch()
    settings = read_settings(data_dir=Path(written))
    assert obtain(datasets()["mnist"], settings) == tmp_path / "data/mnist.npz"


def test_a_data_folder_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidData) as raised:
        obtain(datasets()["mnist"], read_settings().model_copy(update={"data_dir": tmp_path / "file/data"}))
    assert str(raised.value) == (
        f"{tmp_path}/file/data: expected a writable data folder, got an error (not a directory)"
    )
    assert raised.value.hint == (
        "set QUARTET_DATA_DIR to a folder that is writable, or that already holds mnist.npz"
    )


def test_a_disk_that_is_full_is_not_blamed_on_the_network(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web/a.txt").write_text("hello")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    dataset = Dataset("a", "text", "", "", "", (("a.txt",),), (original_of(f"{server}/a.txt", b"hello"),))
    with pytest.raises(InvalidData) as raised:
        obtain(dataset, read_settings(data_dir=tmp_path / "data"))
    assert raised.value.given == "an error (no space left on device)"
    assert raised.value.field == str(tmp_path / "data")
    assert not (tmp_path / "data/a.txt").exists()


def test_a_dataset_that_nobody_offers_must_be_put_there(tmp_path: Path) -> None:
    dataset = Dataset("mine", "text", "", "", "", (("a.txt",), ("b.txt", "c.txt")))
    with pytest.raises(InvalidData) as raised:
        obtain(dataset, read_settings(data_dir=tmp_path))
    assert str(raised.value) == f"mine: expected a.txt or b.txt and c.txt in {tmp_path}, got none"
    assert raised.value.hint == "it is not offered for download, so put it there yourself"
