"""Folders that hold secrets: made private, closed to others, and refused when another user could be in them."""

import os
import socket as sockets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.errors import InvalidSetting
from jobs.local.private_folders import check_above, check_private_socket, make_private
from worker.engine.gpu.locks import hold_alone
from worker.engine.gpu.nvml import Card

OTHER_USER = 54321


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short path in the folder for temporary files, which other users reach."""
    with tempfile.TemporaryDirectory(prefix="quartet-") as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


@pytest.fixture
def as_another_user() -> Callable[[str], None]:
    """Runs a piece of Python as another user."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as another user")

    def run(code: str) -> None:
        # The interpreter is started as root: another user may not reach it.
        become = f"import os, socket; os.setgroups([]); os.setgid({OTHER_USER}); os.setuid({OTHER_USER})"
        subprocess.run([sys.executable, "-c", f"{become}; {code}"], check=True, cwd="/")

    return run


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def refusal(check: Callable[[Path], None], path: Path) -> InvalidSetting:
    with pytest.raises(InvalidSetting) as caught:
        check(path)
    assert caught.value.field == "QUARTET_STATE_DIR"
    assert caught.value.expected == "a folder of this user's that nobody else may enter"
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_a_new_folder_and_those_above_it_are_private_whatever_the_umask(place: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_private(place / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert [mode(place / path) for path in ("a", "a/b", "a/b/c")] == [0o700] * 3
    make_private(place / "a" / "b" / "c")


@pytest.mark.parametrize("found", [0o755, 0o750, 0o777, 0o775, 0o1777])
def test_a_folder_that_is_open_to_others_is_closed(place: Path, found: int) -> None:
    folder = place / "state"
    folder.mkdir()
    for name in ("redis.log", "up.lock", "worker-12.log", "server.json", "temp-rewriteaof-bg-7.aof"):
        (folder / name).touch()
    for name in ("appendonlydir", "workers", "gpu-locks"):
        (folder / name).mkdir()
    folder.chmod(found)
    make_private(folder)
    assert mode(folder) == 0o700


@pytest.mark.parametrize("name", ["thesis.tex", "redis.log.old", "worker-x.log", ".ssh"])
def test_one_that_holds_other_files_is_left_as_it_is_with_a_hint(place: Path, name: str) -> None:
    folder = place / "state"
    folder.mkdir(mode=0o755)
    (folder / name).touch()
    error = refusal(make_private, folder)
    assert error.given == f"{folder}, open to other users, with files that are not Quartet's"
    assert error.hint is not None
    assert f"`chmod 700 {folder}`" in error.hint
    assert mode(folder) == 0o755
    folder.chmod(0o700)
    make_private(folder)


def test_a_link_is_refused_by_the_server_and_the_client(place: Path) -> None:
    (place / "real").mkdir(mode=0o700)
    (place / "link").symlink_to(place / "real")
    for error in (
        refusal(make_private, place / "link"),
        refusal(check_private_socket, place / "link" / "redis.sock"),
    ):
        assert error.given == f"{place / 'link'}, a symbolic link"
        assert error.hint == f"name the folder itself: {place / 'real'}"


def test_a_link_that_was_planted_among_the_files_is_refused(place: Path) -> None:
    folder = place / "state"
    folder.mkdir()
    (folder / "redis.log").symlink_to("/etc/passwd")
    folder.chmod(0o777)
    refusal(make_private, folder)


def test_a_folder_that_everybody_may_replace_is_refused(place: Path) -> None:
    make_private(place / "state")
    place.chmod(0o777)
    for error in (
        refusal(check_above, place / "state"),
        refusal(check_private_socket, place / "state" / "redis.sock"),
    ):
        assert error.given == f"{place / 'state'}, in {place}, where every user may replace it"
    place.chmod(0o1777)
    check_above(place / "state")


@pytest.mark.parametrize("path", ["/proc/quartet/state", "/dev/null/state", "/dev/null", "/tmp/a\0b"])
def test_a_path_where_no_folder_can_be_is_refused(path: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        make_private(Path(path))
    assert str(caught.value).startswith("QUARTET_STATE_DIR: expected a folder ")


def test_a_folder_that_another_user_made_first_is_refused(
    place: Path, as_another_user: Callable[[str], None]
) -> None:
    folder = place / "state"
    as_another_user(f"os.mkdir({str(folder)!r}, 0o700)")
    for error in (refusal(make_private, folder), refusal(check_private_socket, folder / "redis.sock")):
        assert error.given == f"{folder}, which belongs to another user (id {OTHER_USER})"
    assert folder.stat().st_uid == OTHER_USER


def test_a_file_that_another_user_put_into_an_open_folder_is_refused(
    place: Path, as_another_user: Callable[[str], None]
) -> None:
    folder = place / "state"
    folder.mkdir()
    folder.chmod(0o777)
    as_another_user(f"os.mkdir({str(folder / 'appendonlydir')!r})")
    refusal(make_private, folder)


def test_a_socket_that_another_user_put_there_is_not_connected_to(
    place: Path, as_another_user: Callable[[str], None]
) -> None:
    folder = place / "state"
    folder.mkdir()
    folder.chmod(0o777)
    socket = folder / "redis.sock"
    as_another_user(f"socket.socket(socket.AF_UNIX).bind({str(socket)!r})")
    assert refusal(check_private_socket, socket).given == f"{folder}, a folder that others may write to"
    folder.chmod(0o700)
    error = refusal(check_private_socket, socket)
    assert error.given == f"{socket}, which belongs to another user (id {OTHER_USER})"


def test_our_own_socket_is_fine_and_so_is_a_missing_one(place: Path) -> None:
    check_private_socket(place / "none" / "redis.sock")
    make_private(place / "state")
    socket = place / "state" / "redis.sock"
    check_private_socket(socket)
    with sockets.socket(sockets.AF_UNIX) as server:
        server.bind(str(socket))
        check_private_socket(socket)
    # The folder of an older Quartet: others see the socket but cannot replace it.
    socket.parent.chmod(0o755)
    check_private_socket(socket)
    socket.unlink()
    socket.touch()
    assert refusal(check_private_socket, socket).given == f"{socket}, not a socket"


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022])
def test_a_worker_that_locks_a_gpu_first_does_not_open_the_state_folder(place: Path, umask: int) -> None:
    card = Card("0", "GPU-1", "GPU-1", "card", 0, 1, None, "580")
    before = os.umask(umask)
    try:
        hold = hold_alone([card], place / "state" / "gpu-locks", "w1")
    finally:
        os.umask(before)
    assert hold is not None
    os.close(hold.descriptors[0])
    check_private_socket(place / "state" / "redis.sock")
    make_private(place / "state")
    assert mode(place / "state") == 0o700
