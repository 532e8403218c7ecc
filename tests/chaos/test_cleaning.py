"""A kill at any step of `prune`, `archive` and `restore` leaves jobs whole or gone, and the next command ends it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.settings import Settings
from tests.cli.program import environment
from tests.support.ended_jobs import end

ROOT = Path(__file__).parents[2]


@pytest.mark.chaos
@pytest.mark.parametrize(("what", "least"), [("pruned", 40), ("archived", 8), ("restored", 20)])
def test_a_kill_at_any_step_leaves_nothing_half_done(
    settings: Settings, tmp_path: Path, what: str, least: int
) -> None:
    killed_at_each_step(settings, tmp_path, what, least)


def killed_at_each_step(settings: Settings, folder: Path, what: str, least: int, every: int = 1) -> None:
    program = [sys.executable, "-m", "tests.chaos.killed_at_each_step", what, str(folder), str(every)]
    done = subprocess.run(
        program, env=environment(settings), cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) >= least


@pytest.mark.chaos
def test_an_object_store_is_cleaned_up_from_any_host(settings: Settings, s3: str, tmp_path: Path) -> None:
    one, two = (
        Client(settings.model_copy(update={"store": s3, "results_dir": tmp_path / name}))
        for name in ("one", "two")
    )
    model = one.submit("denoiser", "train", data="digits", tags=["paper"])
    end(one, model, checkpoint="a checkpoint")
    one.note(model, "a note")
    reader = one.submit("denoiser", "evaluate", source=model.id)
    end(one, reader)
    path = one.archive([model, reader], tmp_path / "both.tar.zst")
    time.sleep(1.1)  # a host asks what others did once a second
    planned = two.prune("2099-01-01", dry_run=True)
    [in_store] = two.results.bytes_of([model.id])
    assert [job.bytes for job in planned.jobs][1] == in_store > len("a checkpoint")
    assert two.prune("2099-01-01", keep_tagged=True).kept == {"tagged": 1}
    two.delete(model)
    assert two.results.bytes_of([model.id, reader.id]) == [0, 0]
    time.sleep(1.1)
    assert one.jobs() == []
    assert list(one.restore(path)) == [(model.id, True), (reader.id, True)]
    time.sleep(1.1)
    assert [job.id for job in two.jobs()] == [reader.id, model.id]
    assert (two.job(model).tags, two.job(model).note) == (("paper",), "a note")
    assert two.folder(model).verify() == []
    assert list(two.restore(path)) == [(model.id, False), (reader.id, False)]
    elsewhere = Client(settings)  # a folder of its own
    assert list(elsewhere.restore(path)) == [(model.id, True), (reader.id, True)]
    assert elsewhere.folder(model).verify() == []


@pytest.mark.chaos
def test_a_killed_prune_of_an_object_store_is_ended(settings: Settings, s3: str, tmp_path: Path) -> None:
    stored = settings.model_copy(update={"store": s3})
    killed_at_each_step(stored, tmp_path, "pruned", 60, every=9)
