"""A lock that is tried for a time, since its holder may be frozen."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.store.file_lock import try_lock

HOLD = """
import sys, time
from pathlib import Path
from jobs.store.file_lock import try_lock
with try_lock(Path(sys.argv[1]), 0) as held:
    print(held, flush=True)
    time.sleep(600)
"""


def test_a_frozen_holder_is_waited_for_no_longer_than_told_and_a_dead_one_not_at_all(tmp_path: Path) -> None:
    path, root = tmp_path / "lock", Path(__file__).parents[2]
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        holder.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        with try_lock(path, 0.3) as held:
            assert not held
        assert 0.3 <= time.monotonic() - began < 10
        holder.kill()
    with try_lock(path, 10) as held:
        assert held


def test_a_lock_is_free_after_its_block_though_a_forked_child_lives(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with try_lock(path, 0) as held:
        assert held
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        child.start()
    try:
        with try_lock(path, 0) as held:
            assert held
    finally:
        child.kill()
        child.join()


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lock"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
    with pytest.raises(OSError, match=r"."), try_lock(path, 1):
        pass
    assert not (tmp_path / "elsewhere").exists()
