"""What a client refuses, and how: each wrong reference or state is one sentence, and nothing is queued."""

import json
import re
import secrets
import time
from pathlib import Path
from typing import Any

import pytest

from jobs.claim import Claim
from jobs.client import Client
from jobs.errors import (
    InvalidData,
    InvalidInput,
    InvalidJob,
    InvalidModel,
    InvalidSetting,
    JobConflict,
    JobFailed,
    UnknownJob,
)
from jobs.ids import REFERENCE
from jobs.job import Job
from jobs.ledger.job_record import state_phrase
from jobs.settings import Settings
from jobs.store.job_folder import CHECKPOINT
from tests.support.report_folders import job_record


@pytest.fixture
def trained(client: Client) -> Job:
    return client.submit("denoiser", "train", data="digits", name="mine")


def end(client: Client, job: Job, state: Any, **about: Any) -> None:
    claim = client.ledger.claim(job.id, "w", 30, secrets.token_hex(8))
    assert claim is not None
    client.ledger.finish(claim, state, finished=round(time.time() * 1000), **about)


def publish(client: Client, job: Job, epochs: int, checkpoint: bool, state: str = "succeeded") -> Path:
    """A folder as a worker leaves it, without the model."""
    claim = Claim(job.id, 1, secrets.token_hex(8))
    folder = client.results.stage(claim)
    record = job_record(job.stored.complete(), job_id=job.id, state=state, continues=job.continues)
    (folder / "job.json").write_text(json.dumps(record))
    (folder / "history.csv").write_text("epoch,loss\n" + "".join(f"{n},1\n" for n in range(epochs)))
    if checkpoint:
        (folder / CHECKPOINT).write_bytes(b"x")
    return client.results.publish(claim, 0o022).path


def refused(kind: type[InvalidInput], call: Any, *arguments: Any, **named: Any) -> InvalidInput:
    """The error of a call, which has the form of all errors about input."""
    with pytest.raises(kind) as caught:
        call(*arguments, **named)
    error = caught.value
    assert type(error) is kind
    assert str(error) == f"{error.field}: expected {error.expected}, got {error.given}"
    return error


def test_a_reference_that_names_no_job_gets_a_hint(client: Client) -> None:
    for reference in ("other", "", "20261123-221530-042-k7qd"):
        error = refused(UnknownJob, client.job, reference)
        assert (error.field, error.expected, error.given) == ("job", REFERENCE, repr(reference))
        assert error.hint == "`quartet list` shows all jobs"
    error = refused(UnknownJob, client.job, "latest")
    assert error.given == "`latest`, but there is no job yet"
    assert error.hint == "`quartet submit` or `quartet run` makes one"


def test_a_beginning_that_several_ids_have_is_ambiguous(client: Client, trained: Job) -> None:
    other = client.submit("denoiser", "train", data="digits")
    error = refused(UnknownJob, client.resolve, trained.id[:4])
    assert error.expected == "an unambiguous reference"
    assert re.sub(r"\d+ s ago", "0 s ago", error.given) == (
        f"{trained.id[:4]!r}, a part of 2 jobs: {other.id} (denoiser train, 0 s ago), "
        f"{trained.id} (denoiser train, 0 s ago)"
    )
    assert client.resolve(trained.id) == client.resolve("mine") == trained.id
    assert client.resolve("latest") == other.id


def test_a_job_that_needs_a_training_job_refuses_any_other_job(client: Client, trained: Job) -> None:
    wanted = "an autoencoder train job"
    error = refused(InvalidJob, client.submit, "autoencoder", "evaluate", source=trained.id)
    assert (error.field, error.expected) == ("from", wanted)
    assert error.given == f"job {trained.id}, a denoiser train job"
    error = refused(UnknownJob, client.submit, "autoencoder", "evaluate", source="latest")
    assert error.expected == f"{wanted} (its id, its name or `latest`)"
    assert (error.given, error.hint) == (
        "`latest`, but there is none yet",
        "`quartet submit autoencoder train` makes one",
    )
    error = refused(InvalidJob, client.submit, "denoiser", "evaluate", source="mine", baseline="mine")
    assert (error.field, error.expected) == ("baseline", wanted)
    assert len(client.jobs()) == 1


@pytest.mark.parametrize(("state", "word"), [("failed", "failed"), ("cancelled", "was cancelled")])
def test_a_training_job_that_ended_without_success_is_refused_as_a_source(
    client: Client, trained: Job, state: str, word: str
) -> None:
    end(client, trained, state, error="no luck", folder=trained.id)
    error = refused(InvalidJob, client.submit, "denoiser", "evaluate", source="mine")
    assert error.expected == "a denoiser train job that succeeded or will run"
    assert error.given == f"job {trained.id}, which {word}"
    assert error.hint == f"`quartet retry {trained.id}` queues it again"


def test_wrong_data_or_a_wrong_parameter_queues_nothing(client: Client) -> None:
    assert (
        refused(InvalidData, client.submit, "denoiser", "train", data="digit").hint
        == "did you mean 'digits'?"
    )
    assert refused(InvalidJob, client.submit, "denoiser", "train", epochs=0).field == "epochs"
    assert client.jobs() == []


def test_a_job_that_has_ended_cannot_be_cancelled(client: Client, trained: Job) -> None:
    end(client, trained, "succeeded", folder=trained.id)
    error = refused(JobConflict, client.cancel, "mine")
    assert (error.field, error.expected) == ("job", "one that has not ended")
    assert error.given == f"{trained.id}, which succeeded"


def test_only_a_job_without_success_is_retried(client: Client, trained: Job) -> None:
    error = refused(JobConflict, client.retry, "mine")
    assert error.expected == "one that failed or was cancelled"
    assert error.given == f"{trained.id}, which is queued"
    client.cancel("mine")
    again = client.retry("mine")
    record = client.ledger.record(again.id)
    assert record is not None
    assert (record.continues, again.spec) == (trained.id, trained.spec)


def test_only_a_training_job_with_a_checkpoint_is_resumed(client: Client, trained: Job) -> None:
    error = refused(JobConflict, client.resume, "mine")
    assert error.expected == f"one with a folder in {client.results.root}"
    assert error.given == f"{trained.id}, which is queued"
    evaluation = client.submit("denoiser", "evaluate", source="mine")
    error = refused(JobConflict, client.resume, evaluation.id)
    assert (error.expected, error.given) == ("a training job", f"{evaluation.id}, a denoiser evaluate job")
    publish(client, trained, 0, checkpoint=False)
    error = refused(JobConflict, client.resume, "mine")
    assert (error.expected, error.given) == ("one that left a checkpoint", f"{trained.id}, which left none")
    assert error.hint == f"`quartet retry {trained.id}` starts it from scratch"


def test_a_training_job_is_resumed_for_more_epochs_than_it_has_done(client: Client, trained: Job) -> None:
    publish(client, trained, 20, checkpoint=True)
    assert refused(InvalidJob, client.resume, "mine").hint == "the job has done 20 epochs"
    resumed = client.resume(trained.id, "+5")
    assert resumed.spec.parameters.model_dump()["epochs"] == 25


def test_a_job_without_a_folder_says_its_state_and_its_reason(client: Client, trained: Job) -> None:
    end(client, trained, "failed", error="no luck")
    error = refused(JobConflict, client.folder, "mine")
    assert error.given == f"{trained.id}, which failed: no luck"


def test_waiting_for_a_job_that_fails_raises_its_reason(client: Client, trained: Job) -> None:
    end(client, trained, "failed", error="no luck")
    with pytest.raises(JobFailed) as caught:
        client.wait("mine")
    assert str(caught.value) == f"job {trained.id} failed: no luck"


def test_every_state_can_be_read_after_which() -> None:
    found = {state: state_phrase(state) for state in ("waiting", "queued", "running")}
    assert found == {"waiting": "is waiting", "queued": "is queued", "running": "is running"}
    assert [state_phrase(state) for state in ("succeeded", "failed")] == ["succeeded", "failed"]
    assert state_phrase("cancelled") == "was cancelled"


def test_a_model_that_breaks_its_contract_queues_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise InvalidModel("model x, spec.py", expected="a class Train", given="none")

    monkeypatch.setattr("jobs.specs.spec_maker.parameters_of", broken)
    assert refused(InvalidModel, client.submit, "x", "train").expected == "a class Train"
    assert client.jobs() == []


def test_settings_are_given_by_name_or_whole(settings: Settings, tmp_path: Path) -> None:
    client = Client(redis_url="redis://127.0.0.1:1/0", results_dir=tmp_path)
    assert (client.results.root, client.settings.redis_address()) == (tmp_path, "redis://127.0.0.1:1/0")
    with pytest.raises(InvalidSetting, match=r"setting: expected one of .*, got 'redis'"):
        Client(redis="redis://127.0.0.1:1/0")
    with pytest.raises(InvalidSetting, match=r"settings: expected .*, got both settings and results_dir"):
        Client(settings, results_dir=tmp_path)


def test_a_job_is_a_reference_wherever_one_is_taken(client: Client) -> None:
    training = client.submit("autoencoder", "train", data="digits")
    denoiser = client.submit("denoiser", "train", data="digits")
    evaluation = client.submit("denoiser", "evaluate", source=denoiser, baseline=training)
    assert evaluation.stored.source == denoiser.id
    assert evaluation.stored.parameters["baseline"] == training.id
    assert (
        client.submit_all([{"model": "autoencoder", "action": "evaluate", "from": training}])[0].stored.source
        == training.id
    )
    assert client.job(training) == training
    assert client.resolve(training) == training.id
    assert client.rerun(training).stored.seed == 0
    assert client.cancel(denoiser).state == "cancelled"
    assert client.retry(denoiser).continues == denoiser.id
    with pytest.raises(InvalidJob, match=r"from: expected an autoencoder train job, got job .*, a denoiser"):
        client.submit("autoencoder", "evaluate", source=evaluation)
