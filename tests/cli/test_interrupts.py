"""Ctrl-C: what it says of the job, and that it ends the program without a traceback from its first line on."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import click
import pytest

from jobs.cli import running
from jobs.client import Client
from jobs.errors import InvalidSetting
from tests.support.ended_jobs import claimed


def test_an_interrupt_while_the_program_is_loaded_ends_it_quietly() -> None:
    code = (
        "import sys\n"
        "from importlib.abc import MetaPathFinder\n"
        "class Interrupting(MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "from jobs.cli.launch import main\n"
        "assert 'click' not in sys.modules, 'what is loaded before is not guarded'\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "")


def test_who_stops_watching_reads_that_the_job_goes_on(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any) -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    job = client.submit("denoiser", "train", data="digits")
    monkeypatch.setattr(client, "watch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        running._watch(client, job.id, as_json=False)
    said = capsys.readouterr().err
    assert said == f"the job goes on; `quartet cancel {job.id}` stops it\n"
    assert client.job(job.id).state == "queued"


@pytest.mark.parametrize(
    ("action", "state", "said"),
    [
        ("train", "queued", "stopping; the job had not started\n"),
        ("train", "running", "stopping; the job keeps its checkpoint\n"),
        ("train", "cancelled", ""),
    ],
)
def test_who_interrupts_a_run_reads_what_becomes_of_the_job(
    client: Client, capsys: pytest.CaptureFixture[str], action: str, state: str, said: str
) -> None:
    job = client.submit("denoiser", action, data="digits")
    if state == "running":
        claimed(client, job)
    elif state == "cancelled":
        client.cancel(job.id)
    running._cancel(client, job.id)
    assert capsys.readouterr().err == said
    assert client.job(job.id).state == ("running" if state == "running" else "cancelled")


def test_who_interrupts_a_run_again_reads_how_to_go_on(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    job = client.submit("denoiser", "train", data="digits")
    claimed(client, job)

    def interrupted() -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running._run_to_its_end(client, job.id, interrupted)
    assert capsys.readouterr().err.splitlines() == [
        "stopping; the job keeps its checkpoint",
        f"{job.id} stays unfinished; `quartet up` and then `quartet rebuild` go on with it",
    ]


def test_an_unusable_state_folder_queues_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUARTET_RESULTS_DIR", str(tmp_path / "results"))
    monkeypatch.setenv("QUARTET_STATE_DIR", "/proc/quartet")
    assert isinstance(running.run_command, click.Command)
    with pytest.raises(InvalidSetting, match="QUARTET_STATE_DIR: expected a folder that can be made"):
        running.run_command.main(["autoencoder", "train", "--data", "digits"], standalone_mode=False)
    assert "queued" not in capsys.readouterr().err


def test_an_unusable_results_folder_queues_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("QUARTET_RESULTS_DIR", "/proc/quartet")
    monkeypatch.setenv("QUARTET_STATE_DIR", str(tmp_path))
    for command, arguments in (
        (running.run_command, ["autoencoder", "train", "--data", "digits"]),
        (running.up_command, []),
    ):
        assert isinstance(command, click.Command)
        with pytest.raises(Exception, match=r"QUARTET_RESULTS_DIR: expected a folder that can be made"):
            command.main(arguments, standalone_mode=False)
