"""A training job killed at any moment ends with the bits of an undisturbed one, and its timeline says why."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jobs.client import Client
from jobs.store.job_folder import CHECKPOINT
from jobs.store.staging import STAGING
from tests.support.processes import Workers, ended, progress_of, until

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


@pytest.mark.timeout(900)
@pytest.mark.parametrize("model", TRAININGS)
def test_killed_in_the_middle_of_writing_a_checkpoint_twice(
    client: Client, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    deaths = tmp_path / "deaths"
    deaths.write_text("0")
    (tmp_path / "dies").mkdir()
    (tmp_path / "dies" / "sitecustomize.py").write_text(DIES_WHILE_IT_WRITES.format(deaths=str(deaths)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "dies"))
    # A checkpoint with every call: in the middle of an epoch, where an epoch is longer than a call.
    workers.settings = client.settings.model_copy(update={"checkpoint_seconds": 0.1})
    workers.start()
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
        env=os.environ | client.settings.environment() | {"PYTHONPATH": ""},
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


def test_textgen_resumed_by_the_command_line_equals_one_trained_at_once(
    client: Client, workers: Workers
) -> None:
    workers.start()
    small = {"data": "pydoc", "units": 16, "batch_size": 256}
    three = client.submit("textgen", "train", epochs=3, **small)
    one = client.submit("textgen", "train", epochs=1, **small)
    ended(client, one.id, 120)
    environment = os.environ | client.settings.environment()
    resume = lambda *more: subprocess.run(  # noqa: E731
        [QUARTET, "resume", one.id, *more], env=environment, capture_output=True, text=True
    )
    refused = resume("--epochs", "1")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "epochs: expected an integer > 1, or +N for N more epochs, got 1" in refused.stderr
    more = resume("--epochs", "+2").stdout.strip()
    assert ended(client, more).state == "succeeded", workers.logs()
    assert "resumed from epoch 2" in [entry["text"] for entry in client.timeline(more)]
    same_bits(client, more, three.id)


def test_a_cancelled_textgen_leaves_a_marked_folder_and_is_resumed_to_the_same_bits(
    client: Client, workers: Workers
) -> None:
    workers.start()
    small = {"data": "pydoc", "units": 64}
    job = client.submit("textgen", "train", epochs=1_000, **small)
    until(lambda: progress_of(client, job.id).get("epoch", 0) >= 1, 90, "the second epoch")
    client.cancel(job.id)
    assert ended(client, job.id).state == "cancelled"
    folder = client.folder(job.id)
    assert folder.verify() == []
    assert (folder.job["state"], (folder.path / CHECKPOINT).is_file()) == ("cancelled", True)
    assert "cancelled" in (folder.path / "report.html").read_text()
    index = client.results.root / "index.html"  # written when all else is done
    until(lambda: index.exists() and "cancelled" in index.read_text(), 20, "the index")
    epochs = len(folder.history) + 1
    more = client.resume(job.id, epochs)
    control = client.submit("textgen", "train", epochs=epochs, fresh=True, **small)
    for each in (more, control):
        assert ended(client, each.id, 120).state == "succeeded", workers.logs()
    same_bits(client, more.id, control.id)
