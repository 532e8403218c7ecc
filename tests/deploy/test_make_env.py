"""`make env`, wherever the clone is and whatever goes wrong."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.rendering import ROOT


def make_env(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "env"],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / 'o\'brien "models" & $more'
    (folder / "results").mkdir(parents=True)
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_it_writes_the_same_once_in_a_folder_of_any_name(clone: Path) -> None:
    done = make_env(clone)
    assert done.returncode == 0, done.stderr
    names = (".env", "secrets/redis_password", "secrets/flower_password")
    written = [(clone / name).read_text() for name in names]
    assert re.search(r"^COMPOSE_PROJECT_NAME=quartet-[0-9a-f]{8}$", written[0], re.MULTILINE)
    assert all(re.fullmatch(r"[0-9a-f]{64}", password) for password in written[1:])
    assert ((clone / "secrets").stat().st_mode & 0o777, (clone / names[1]).stat().st_mode & 0o777) == (
        0o700,
        0o444,
    )
    assert make_env(clone).returncode == 0
    assert [(clone / name).read_text() for name in names] == written


def test_a_password_that_could_not_be_written_is_written_by_the_next_call(
    clone: Path, tmp_path: Path
) -> None:
    failing = tmp_path / "bin" / "tr"
    failing.parent.mkdir()
    failing.write_text("#!/bin/sh\nexit 1\n")
    failing.chmod(0o755)
    assert make_env(clone, PATH=f"{failing.parent}:{os.environ['PATH']}").returncode != 0
    assert make_env(clone).returncode == 0
    assert (clone / "secrets" / "redis_password").stat().st_size == 64
