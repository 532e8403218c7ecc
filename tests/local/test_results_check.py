"""A results folder is tried before a job is queued, as a worker would use it; nothing is left of that."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import InvalidSetting
from jobs.local import results_check
from jobs.local.results_check import check_results_folder, check_results_rights
from jobs.store.staging import STAGING


@pytest.mark.parametrize("before", ["nothing", "a results folder", "a folder for staging"])
def test_a_folder_that_takes_jobs_is_left_as_it_was(tmp_path: Path, before: str) -> None:
    root = tmp_path / "results"
    if before != "nothing":
        (root / STAGING if before == "a folder for staging" else root).mkdir(parents=True)
    left = sorted(root.rglob("*"))
    check_results_folder(root)
    assert root.is_dir()
    assert sorted(root.rglob("*")) == left


def unwritable(folder: Path) -> Path:
    """Root may write to any folder, except to those of the kernel."""
    if os.geteuid() == 0:
        return Path("/proc/self")
    folder.mkdir(mode=0o500)
    return folder


@pytest.mark.parametrize("what", ["file", "below a file", "unwritable", "in no place", "staging", "link"])
def test_a_folder_that_takes_no_job_is_one_sentence(tmp_path: Path, what: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "results").mkdir()
    if what == "staging":
        (tmp_path / "results" / STAGING).touch()
    elif what == "link":
        (tmp_path / "results" / STAGING).symlink_to(tmp_path)
    places = {
        "file": tmp_path / "file",
        "below a file": tmp_path / "file" / "results",
        "unwritable": unwritable(tmp_path / "unwritable"),
        "in no place": Path("/proc/quartet/results"),
    }
    root = places.get(what, tmp_path / "results")
    with pytest.raises(InvalidSetting) as caught:
        check_results_folder(root)
    error = caught.value
    assert (error.field, error.expected) == (
        "QUARTET_RESULTS_DIR",
        "a folder that can be made and written to",
    )
    assert error.given.startswith(f"{root} (")


def test_a_worker_is_refused_for_a_right_that_it_lacks_and_not_for_a_full_or_broken_volume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int) -> Callable[[Path], None]:
        def publish(_root: Path) -> None:
            raise OSError(number, os.strerror(number))

        return publish

    for number in (errno.ENOSPC, errno.EROFS, errno.EIO, errno.ESTALE):
        monkeypatch.setattr(results_check, "publish_nothing", fail(number))
        check_results_rights(tmp_path)
    monkeypatch.setattr(results_check, "publish_nothing", fail(errno.EACCES))
    with pytest.raises(
        InvalidSetting, match=r"a folder that can be made and written to, got .*denied"
    ) as caught:
        check_results_rights(tmp_path)
    assert f"user {os.geteuid()}, group {os.getegid()}" in str(caught.value.hint)
