"""Jobs that fail, are cancelled, retried and resumed, and sweeps, on one worker that lives through all of it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jobs.client import Client
from jobs.errors import InvalidJob
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.job_folder import CHECKPOINT
from tests.cli.program import QUARTET
from tests.engine.test_exact_resume import same_bits
from tests.engine.test_sweeps_with_workers import DIGITS, RATES, check_points
from tests.engine.test_workers import EPOCHS, LONG, losses, running, weights
from tests.support.processes import Workers, ended, progress_of, until

pytestmark = pytest.mark.chaos


@pytest.fixture
def workers(one_worker: Workers) -> Workers:
    """The one that all of them share."""
    return one_worker


@pytest.fixture
def settings(one_worker: Workers) -> Settings:
    return one_worker.settings


def test_a_cancelled_training_keeps_its_checkpoint_and_a_retry_resumes_from_it(
    client: Client, workers: Workers
) -> None:
    job = client.submit("denoiser", "train", data="digits", epochs=EPOCHS)
    running(client, job.id)
    began = time.monotonic()
    client.cancel(job.id)
    assert ended(client, job.id, 20).state == "cancelled"
    assert time.monotonic() - began < 8
    folder = client.folder(job.id)
    assert folder.verify() == []
    done = len(folder.history)
    assert done >= 3
    assert (folder.path / "report.html").exists()
    again = client.retry(job.id)
    assert ended(client, again.id).state == "succeeded", workers.logs()
    assert losses(client, again.id)[:done] == losses(client, job.id)
    assert client.folder(again.id).job["continues"] == job.id
    control = client.submit("denoiser", "train", data="digits", epochs=EPOCHS, fresh=True)
    ended(client, control.id)
    for mine, other in zip(weights(client, again.id), weights(client, control.id), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_training_five_epochs_and_resuming_for_five_equals_training_ten(
    client: Client, workers: Workers
) -> None:
    ten = client.submit("denoiser", "train", data="digits", epochs=10)
    five = client.submit("denoiser", "train", data="digits", epochs=5)
    ended(client, five.id)
    with pytest.raises(InvalidJob, match=r"epochs: expected an integer > 5, or \+N for N more epochs, got 5"):
        client.resume(five.id, 5)
    more = client.resume(five.id, "+5")
    assert ended(client, more.id).state == "succeeded", workers.logs()
    for mine, other in zip(weights(client, more.id), weights(client, ten.id), strict=True):
        np.testing.assert_array_equal(mine, other)
    assert losses(client, more.id) == losses(client, ten.id)


def test_a_failed_job_leaves_a_folder_with_its_reason(client: Client, tmp_path: Path) -> None:
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and nothing more")
    training = client.submit_spec(JobSpec.make("autoencoder", "train", data=str(tmp_path / "broken.npz")))
    evaluation = client.submit("autoencoder", "evaluate", source=training.id)
    failed = ended(client, training.id)
    assert failed.state == "failed"
    assert "broken.npz" in (failed.error or "")
    folder = client.folder(training.id)
    assert folder.verify() == []
    assert folder.job["error"] == failed.error
    assert (failed.error or "") in folder.job["log_end"]
    assert ended(client, evaluation.id).error == f"job {training.id}, which it depends on, failed"
    until(lambda: client.results.find(evaluation.id), 20, "the folder of the job that needed it")


def test_celerys_own_tools_work_during_a_training(client: Client) -> None:
    job = client.submit("denoiser", "train", **LONG)
    running(client, job.id)
    celery = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "worker.engine.app",
        "inspect",
        "--json",
        "--timeout",
        "5",
    ]
    environment = os.environ | {"QUARTET_REDIS_URL": client.settings.redis_address()}
    ask = lambda what: json.loads(  # noqa: E731
        subprocess.run([*celery, what], env=environment, capture_output=True, text=True, check=True).stdout
    )
    assert [list(answer.values()) for answer in ask("ping").values()] == [["pong"]]
    [[active]] = ask("active").values()
    assert (active["name"], active["id"]) == ("denoiser.train", job.id)
    client.cancel(job.id)
    assert ended(client, job.id).state == "cancelled"


def test_textgen_resumed_by_the_command_line_equals_one_trained_at_once(
    client: Client, workers: Workers
) -> None:
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
    rows = lambda: index.read_text().split("<li>") if index.exists() else []  # noqa: E731
    until(lambda: any(job.id in row and "cancelled" in row for row in rows()), 20, "the index")
    epochs = len(folder.history) + 1
    more = client.resume(job.id, epochs)
    control = client.submit("textgen", "train", epochs=epochs, fresh=True, **small)
    for each in (more, control):
        assert ended(client, each.id, 120).state == "succeeded", workers.logs()
    same_bits(client, more.id, control.id)


def test_a_job_over_its_time_limit_fails_with_that_sentence_and_can_be_resumed(
    client: Client, workers: Workers
) -> None:
    # One that needs no time to load TensorFlow.
    ended(client, client.submit("autoencoder", "train", data="digits", epochs=1, fresh=True).id)
    spec = JobSpec.make("autoencoder", "train", data="digits", time_limit=5, parameters={"epochs": 1_000_000})
    failed = ended(client, client.submit_spec(spec).id)
    assert failed.error == "exceeded its time limit of 5 seconds"
    done = len(client.folder(failed.id).history)
    resumed = client.resume(failed.id, "+1")
    assert ended(client, resumed.id).state == "succeeded", workers.logs()
    assert len(client.folder(resumed.id).history) == done + 1


@pytest.mark.timeout(900)
def test_a_sweep_by_each_method_runs_to_its_end(client: Client, workers: Workers) -> None:
    rates = {"learning_rate": [1e-4, 1e-3, 1e-2]}
    grid = client.sweep(
        **DIGITS, parameters={"epochs": 2, **rates}, seeds=[0, 1], name="grid", then=["evaluate"]
    )
    shared = {**DIGITS, "parameters": {"epochs": 2, **RATES}, "run_cap": 4}
    drawn = [client.sweep(**shared, method=each, name=each) for each in ("random", "sobol")]
    search = client.sweep(**{**shared, "run_cap": 13}, method="tpe", name="tpe")
    halving = client.sweep(
        **DIGITS,
        parameters={"epochs": 9, **RATES},
        method="random",
        run_cap=9,
        early_terminate={"type": "halving", "eta": 3, "min_iter": 1},
        name="halving",
    )
    for sweep in (grid, *drawn, search, halving):
        sweep.wait(600)
        assert set(sweep.counts) == {"succeeded"}, (sweep, workers.logs())
        assert sweep.best is not None
    assert [len(sweep.trials) for sweep in (grid, *drawn, search, halving)] == [6, 4, 4, 13, 9]
    assert [each.state for each in grid.following] == ["succeeded"]
    assert [score.n for score in grid.scores] == [2, 2, 2]
    assert any("@0" in entry.seen for entry in search.entries)
    check_points(search)
    assert max(each.epochs or 0 for each in halving.jobs) == 9
    assert halving.best.epochs == 9


@pytest.mark.timeout(900)
def test_a_trial_that_is_worse_than_the_median_is_stopped_and_says_why(client: Client) -> None:
    rates = [3e-3, 4e-3, 5e-3, 1e-6]
    sweep = client.sweep(
        **DIGITS,
        parameters={"epochs": 400, "learning_rate": rates},
        parallel=1,
        early_terminate={"type": "median", "min_iter": 5},
        name="median",
    )
    sweep.wait(600)
    assert sweep.counts == {"succeeded": 3, "cancelled": 1}, sweep.trials
    last = sweep.trials[3]
    assert last.error is not None
    assert last.error.startswith("stopped: ")
    folder = client.folder(last.job)
    assert (folder.path / "checkpoint.npz").is_file()
    assert len(folder.history) < 400
    assert any(last.error in each["text"] for each in client.timeline(last.job))
    assert sweep.outcomes[last.job].stopped
