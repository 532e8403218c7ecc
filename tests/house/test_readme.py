"""Every command in the README is run, in its order, as it stands there."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.settings import read_settings
from tests.support.processes import until
from tests.support.readme import README, blocks, commands

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "QUARTET_STATE_DIR": str(tmp_path / "state"),
        "QUARTET_DATA_DIR": str(tmp_path / "data"),
    }


def run(command: str, shell: dict[str, str]) -> str:
    done = subprocess.run(shlex.split(command), env=shell, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture
def up(shell: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """The `quartet up` of the README, in its own terminal."""
    [command] = re.findall(r"`(quartet up [^`]*)`", README)
    process = subprocess.Popen(shlex.split(command), env=shell, stdout=subprocess.DEVNULL)
    socket = read_settings(state_dir=tmp_path / "state").private_socket()
    until(socket.exists, 30, "the start of Redis")
    yield
    process.send_signal(signal.SIGINT)
    process.wait(60)


@pytest.mark.chaos
@pytest.mark.parametrize("first", ["quartet run autoencoder train", "quartet run sentiment train"])
def test_one_job_here_and_now(shell: dict[str, str], first: str) -> None:
    for command in commands(first):
        assert Path(run(command, shell).split()[-1]).is_file()


@pytest.mark.chaos
@pytest.mark.usefixtures("up")
def test_a_queue_and_python(shell: dict[str, str]) -> None:
    for command in commands("quartet show dn"):
        run(command, shell)
    [python] = [text for kind, text in blocks(README) if kind == "python"]
    assert float(run(shlex.join([sys.executable, "-c", python]), shell)) > 5


@pytest.mark.chaos
@pytest.mark.usefixtures("up")
def test_a_sweep_and_its_comparison(shell: dict[str, str]) -> None:
    Path("examples").symlink_to(ROOT / "examples")
    for command in commands("quartet sweeps watch rates"):
        run(command, shell)
    assert Path("compare.html").is_file()


def test_every_other_command_in_a_block_is_run_by_ci() -> None:
    [first, *_] = [text for kind, text in blocks(README) if kind == "sh"]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for line in first.splitlines():
        target = line.split()[1]
        assert re.search(rf"^make (-C \S+ )?{target}", script, re.MULTILINE), line


def test_what_the_readme_links_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def test_what_the_documents_link_to_is_there() -> None:
    for document in [*(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), (document.name, link)
