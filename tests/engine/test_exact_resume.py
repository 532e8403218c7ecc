"""A training job killed at any moment ends with the bits of an undisturbed one, and its timeline says why."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from jobs.client import Client
from jobs.settings import Settings
from jobs.store.job_folder import CHECKPOINT
from jobs.store.staging import STAGING
from tests.support.processes import Workers, ended, one_worker_in

pytestmark = pytest.mark.chaos
QUARTET = str(Path(sys.executable).with_name("quartet"))

DIES_WHILE_IT_WRITES = """
import os, pathlib, signal

replace, deaths, writes = pathlib.Path.replace, pathlib.Path({deaths!r}), {{}}

def replace_or_die(self, target):
    # From a job's second checkpoint on: all is in the temporary file, the name is still the old one's.
    if pathlib.Path(target).name == "checkpoint.npz":
        writes[target] = writes.get(target, 0) + 1
        left = int(deaths.read_text())
        if writes[target] >= 2 and left:
            deaths.write_text(str(left - 1))
            os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)

pathlib.Path.replace = replace_or_die
"""

TRAININGS = {
    "autoencoder": {"data": "digits", "epochs": 200},
    "textgen": {"data": "pydoc", "epochs": 2, "units": 64},
}


def same_bits(client: Client, mine: str, other: str) -> None:
    folders = [client.folder(job_id) for job_id in (mine, other)]
    one, two = (np.load(folder.path / CHECKPOINT) for folder in folders)
    assert one.files == two.files
    for name in set(one.files) - {"history"}:
        np.testing.assert_array_equal(one[name], two[name])
    rows = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in folder.history] for folder in folders
    ]
    assert rows[0] == rows[1] != []


@pytest.fixture(scope="module")
def workers(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """A worker that dies while it writes a checkpoint, as many times as its file `deaths` says."""
    folder = tmp_path_factory.mktemp("mortal")
    (folder / "deaths").write_text("0")
    (folder / "sitecustomize.py").write_text(DIES_WHILE_IT_WRITES.format(deaths=str(folder / "deaths")))
    # A checkpoint with every call: in the middle of an epoch, where an epoch is longer than a call.
    with one_worker_in(folder, redis_url, checkpoint_seconds=0.1) as found:
        yield found


@pytest.fixture(scope="module")
def settings(workers: Workers) -> Settings:
    return workers.settings


@pytest.mark.timeout(900)
@pytest.mark.parametrize("model", TRAININGS)
def test_killed_in_the_middle_of_writing_a_checkpoint_twice(
    client: Client, workers: Workers, model: str
) -> None:
    deaths = workers.folder / "deaths"
    control = client.submit(model, "train", **TRAININGS[model])
    assert ended(client, control.id, 300).attempt == 1, workers.logs()
    deaths.write_text("2")
    job = client.submit(model, "train", fresh=True, **TRAININGS[model])
    assert ended(client, job.id, 400).state == "succeeded", workers.logs()
    assert deaths.read_text() == "0"
    assert client.job(job.id).attempt == 3
    same_bits(client, job.id, control.id)
    assert not any((client.results.root / STAGING).iterdir())

    texts = [entry["text"] for entry in client.timeline(job.id)]
    step = ", step [0-9]+" if model == "textgen" else "(, step [0-9]+)?"
    why = "(its process was killed \\(SIGKILL\\)|no heartbeat for 4 s, so its lease expired)"
    expected = ["queued", "started on w1@.*", "running on the (GPU|CPU) .*"]
    for attempt in (2, 3):
        expected += [f"worker died in epoch [0-9]+: {why}", "queued again( behind 1 job)?"]
        expected += [f"attempt {attempt} started on w1@.*", f"resumed from epoch [0-9]+{step}"]
        expected += ["running on the (GPU|CPU) .*"]
    expected += ["published", "succeeded"]
    # The pool's new process may take longer to start than these tests let a message be on its way.
    found = [text for text in texts if text != "message lost; sent again"]
    assert len(found) == len(expected), " / ".join(found)
    for text, pattern in zip(found, expected, strict=True):
        assert re.fullmatch(pattern, text), (text, pattern)
    # A person reads the same, wherever they look.
    shown = subprocess.run(
        [QUARTET, "show", job.id],
        env=os.environ | client.settings.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    page = html.unescape((client.folder(job.id).path / "report.html").read_text())
    for text in texts:
        assert text in shown
        assert text in page
    in_ledger = [entry["text"] for entry in client.ledger.timeline(job.id)]
    assert in_ledger == texts == [event["text"] for event in client.folder(job.id).job["timeline"]]
