"""Only regular files of bounded size are opened, and nothing that lies in a folder can hold up its reader."""

import os
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.store.regular_files import NotRegular, open_regular, read_regular


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    path.with_name("elsewhere").write_text("secret")
    path.symlink_to(path.with_name("elsewhere"))


def loop(path: Path) -> None:
    path.symlink_to(path)


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


@pytest.mark.parametrize("make", [fifo, link, loop, bound_socket, Path.mkdir])
def test_what_is_not_a_regular_file_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    path = tmp_path / "metrics.json"
    make(path)
    began = time.monotonic()
    for read in (open_regular, read_regular):
        with pytest.raises(NotRegular) as caught:
            read(path, 1_000)
        assert caught.value.strerror == "Not a regular file"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty", "/dev/ptmx"])
def test_a_device_is_refused(device: str) -> None:
    try:
        read_regular(Path(device), 1_000)
    except OSError:  # a machine without that device, or without a terminal, says so in another way
        return
    pytest.fail("it was read")


def test_a_file_larger_than_the_bound_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    with path.open("wb") as file:
        file.truncate(2**41)
    began = time.monotonic()
    with pytest.raises(NotRegular) as caught:
        read_regular(path, 2**20)
    assert caught.value.strerror == "Larger than 1,048,576 bytes"
    assert time.monotonic() - began < 5


def test_a_file_of_exactly_the_bound_is_read(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    path.write_bytes(b"x" * 100)
    assert read_regular(path, 100) == b"x" * 100
    with pytest.raises(NotRegular):
        read_regular(path, 99)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"")
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as file:
            while not stop.is_set() and file.tell() < 2**26:
                file.write(bytes(2**16))

    grower = threading.Thread(target=grow)
    grower.start()
    try:
        for _ in range(1_000):
            try:
                assert len(read_regular(path, 2**20)) <= 2**20
            except NotRegular:
                break
        else:
            pytest.fail("the file never grew beyond the bound")
    finally:
        stop.set()
        grower.join()


def test_a_file_that_says_it_is_empty_is_bounded_all_the_same() -> None:
    path = Path("/proc/self/status")  # its size is 0, and it has a kilobyte
    with pytest.raises(NotRegular):
        read_regular(path, 10)


def test_a_link_is_followed_where_the_caller_says_so(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    link(path)
    assert read_regular(path, 100, follow=True) == b"secret"


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with pytest.raises(NotRegular):
            open_regular(path, 10)
        with pytest.raises(NotRegular):
            open_regular(Path("/proc/self"), 10, follow=True)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "job.json", 100)


def test_a_small_file_takes_little_memory_whatever_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    path.write_bytes(b"{}")
    tracemalloc.start()
    try:
        assert read_regular(path, 2**40) == b"{}"
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
