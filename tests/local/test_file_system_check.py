"""The promises of a file system are tried for real; what is not kept is named with what it costs and a fix."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.local import file_system_check
from jobs.local.file_system_check import broken_promises, clock_skew
from jobs.local.mounts import Mount

LOCAL = Mount("ext4", frozenset({"rw", "relatime"}))


@pytest.fixture(autouse=True)
def a_local_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the tests' own folder is mounted with."""
    monkeypatch.setattr(file_system_check, "mount_of", lambda _: LOCAL)


def test_a_local_disk_keeps_every_promise_and_nothing_is_left_of_the_trial(tmp_path: Path) -> None:
    (tmp_path / "a job").mkdir()
    assert list(broken_promises(tmp_path)) == []
    assert clock_skew(tmp_path) == 0.0
    assert [path.name for path in tmp_path.iterdir()] == ["a job"]


def replaces(self: Path, target: Path) -> Path:
    """As `mv -T --force` would, which nothing in the kernel does."""
    shutil.rmtree(target, ignore_errors=True)
    os.rename(self, target)  # noqa: PTH104 - Path.rename is this function here
    return target


def refuses(number: int) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize(
    ("place", "behaviour", "promise", "said"),
    [
        (
            "pathlib.Path.rename",
            replaces,
            "rename refused",
            "a folder replaces one that has files; this is what",
        ),
        (
            "pathlib.Path.rename",
            refuses(errno.EACCES),
            "rename folder",
            "renaming a folder in which a file is open fails (permission denied); a job is published that way",
        ),
        (
            "pathlib.Path.replace",
            shutil.copy,
            "rename file",
            "a file renamed over another does not take its place",
        ),
        (
            "jobs.local.file_system_check.fsync_folder",
            refuses(errno.EINVAL),
            "fsync",
            "syncing a file and its folder to disk fails (invalid argument)",
        ),
        ("fcntl.flock", refuses(errno.ENOLCK), "locks", "a second process gets a lock that is held"),
    ],
)
def test_a_promise_that_is_not_kept_is_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, behaviour: Any, promise: str, said: str
) -> None:
    monkeypatch.setattr(place, behaviour)
    trial = broken_promises(tmp_path)
    broken = next(trial)  # the first; what comes after it is tried in the other tests
    trial.close()
    assert broken.promise == promise
    assert broken.finding.startswith(said)
    assert broken.fix
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_what_a_closed_file_holds_and_another_process_does_not_see_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Path.write_text
    monkeypatch.setattr(
        Path, "write_text", lambda path, text: written(path, "old" if path.name == "content" else text)
    )
    [broken] = broken_promises(tmp_path)
    assert broken.promise == "close to open"


def test_mount_options_that_only_a_second_host_would_notice_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = Mount("nfs", frozenset({"rw", "vers=3", "nolock", "local_lock=all"}))
    monkeypatch.setattr(file_system_check, "mount_of", lambda _: mount)
    broken = next(broken_promises(tmp_path))
    assert broken.finding.startswith("local_lock=all keeps locks on this host")
    assert broken.fix == "mount it without nolock and local_lock"


@pytest.mark.parametrize("ahead", [60.0, -60.0])
def test_the_clock_of_a_file_server_is_compared_with_this_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    now = file_system_check.time.time
    monkeypatch.setattr(file_system_check.time, "time", lambda: now() - ahead)
    assert clock_skew(tmp_path) == pytest.approx(ahead, abs=2)
