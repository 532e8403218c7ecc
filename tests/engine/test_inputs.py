"""What a job takes over from others is checked first: training jobs that succeeded, folders that are whole."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.claim import Claim
from jobs.client import Client
from jobs.errors import DamagedFolder, InvalidJob
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import CHECKPOINT
from jobs.store.results import Results
from worker.context import JobContext
from worker.engine.held_job import HeldJob
from worker.engine.inputs import resumed_from, source_folders, take_checkpoint
from worker.training.checkpoint import Checkpoint

ID = "20261123-221530-042-k7qd"
EVALUATE = JobSpec.make("autoencoder", "evaluate", **{"from": ID})


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def publish(results: Results, **job: Any) -> None:
    values = {"model": "autoencoder", "action": "train", "state": "succeeded"} | job
    claim = Claim(ID, 1, "aa")
    staging = results.stage(claim)
    spec = {"model": values["model"], "action": values["action"]}
    (staging / "job.json").write_text(json.dumps({"spec": spec, "state": values["state"]}))
    (staging / CHECKPOINT).write_bytes(b"weights")
    results.publish(claim, 0o022)


def context(folder: Path, spec: JobSpec = EVALUATE) -> JobContext:
    return JobContext(spec=spec, folder=folder, settings=read_settings())


def test_the_folder_of_the_training_job_is_found_by_its_parameter(results: Results) -> None:
    publish(results)
    assert {name: folder.id for name, folder in source_folders(EVALUATE, results).items()} == {"from": ID}


@pytest.mark.parametrize(
    ("job", "given"),
    [
        ({"model": "denoiser"}, "a denoiser train job, which succeeded"),
        ({"action": "generate"}, "an autoencoder generate job, which succeeded"),
        ({"state": "failed"}, "an autoencoder train job, which failed"),
        ({"state": "cancelled"}, "an autoencoder train job, which was cancelled"),
    ],
)
def test_any_other_job_is_refused(results: Results, job: dict[str, str], given: str) -> None:
    publish(results, **job)
    with pytest.raises(InvalidJob) as refused:
        source_folders(EVALUATE, results)
    assert (
        str(refused.value) == f"from: expected an autoencoder train job that succeeded, got job {ID}, {given}"
    )


def test_a_training_job_without_a_folder_is_refused(results: Results) -> None:
    with pytest.raises(InvalidJob, match=f"got job {ID}, which has no folder in {results.root}"):
        source_folders(EVALUATE, results)


@pytest.mark.parametrize("take", [source_folders, take_checkpoint])
def test_a_folder_that_was_changed_is_refused(client: Client, tmp_path: Path, take: Any) -> None:
    results = client.results
    publish(results)
    (results.root / ID / CHECKPOINT).write_bytes(b"other weights")
    with pytest.raises(DamagedFolder, match="was changed after it was published"):
        source_folders(EVALUATE, results) if take is source_folders else take_checkpoint(
            context(tmp_path), holding(client, ID)
        )


def holding(client: Client, continues: str | None) -> HeldJob:
    """A job that continues another one, held by this process."""
    job = client.submit_spec(JobSpec.make("autoencoder", "train"), continues)
    claim = client.ledger.claim(job.id, "w", 1, job.id)
    assert claim is not None
    return HeldJob(client.settings, client.ledger, claim, claim.record(), client.results)


def test_a_checkpoint_is_taken_over_once(client: Client, tmp_path: Path) -> None:
    publish(client.results)
    mine = context(tmp_path)
    take_checkpoint(mine, holding(client, None))
    assert not mine.checkpoint.exists()
    take_checkpoint(mine, holding(client, ID))
    assert mine.checkpoint.read_bytes() == b"weights"
    mine.checkpoint.write_bytes(b"later weights")
    take_checkpoint(mine, holding(client, ID))
    assert mine.checkpoint.read_bytes() == b"later weights"


@pytest.mark.parametrize(
    ("epoch", "step", "text"),
    [
        (0, 0, "resumed from epoch 1"),
        (2, 0, "resumed from epoch 3"),
        (2, 199, "resumed from epoch 3, step 200"),
        (5, 0, "resumed from the end of epoch 5"),
    ],
)
def test_the_timeline_says_where_a_job_was_resumed(tmp_path: Path, epoch: int, step: int, text: str) -> None:
    mine = context(tmp_path, JobSpec.make("autoencoder", "train", parameters={"epochs": 5}))
    Checkpoint(epoch=epoch, step=step, variables=[np.zeros(2, np.float32)]).write(mine.checkpoint)
    assert resumed_from(mine) == text
