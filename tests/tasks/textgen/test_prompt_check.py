"""A prompt that a finished model cannot continue is refused before a job is queued."""

from pathlib import Path

import pytest

from jobs.client import Client
from jobs.errors import InvalidData, InvalidJob
from jobs.job import Job
from tests.support.ended_jobs import end
from worker.tasks.textgen.artifacts import VOCABULARY
from worker.tasks.textgen.vocabulary import Vocabulary


@pytest.fixture
def trained(client: Client) -> tuple[Job, Path]:
    """A finished training job, and its folder."""
    job = client.submit("textgen", "train", data="pydoc", name="writer")
    folder = end(client, job)
    Vocabulary("\n abcdeé").write(folder / VOCABULARY)
    return job, folder


def test_an_unknown_character_queues_nothing_unless_it_may_be_dropped(
    client: Client, trained: tuple[Job, Path]
) -> None:
    job, _ = trained
    with pytest.raises(InvalidJob) as caught:
        client.submit("textgen", "generate", source=job, prompt="日a本")
    error = caught.value
    assert (error.field, error.given) == ("prompt", "'日', '本'")
    assert error.hint == "`--on-unknown drop` drops the others"
    for more in ({}, {"on_unknown": "drop"}):
        with pytest.raises(InvalidJob, match="prompt: expected characters of the model's training text"):
            client.submit("textgen", "generate", source=job, prompt="日本", **more)
    assert [each.id for each in client.jobs()] == [job.id]
    for prompt, more in (("a bad\r\ncafe\u0301".replace("f", "d"), {}), ("日a", {"on_unknown": "drop"})):
        assert client.submit("textgen", "generate", source=job, prompt=prompt, **more).state == "queued"
    queued = client.submit("textgen", "generate", source="writer")
    with pytest.raises(InvalidJob, match="prompt: expected characters"):
        client.rerun(queued, prompt="xyz")


def test_a_job_that_would_fail_again_is_not_retried(client: Client) -> None:
    training = client.submit("textgen", "train", data="pydoc")
    job = client.submit("textgen", "generate", source=training, prompt="日本")
    Vocabulary("\n abcde").write(end(client, training) / VOCABULARY)
    end(client, job, "failed")
    with pytest.raises(InvalidJob, match="prompt: expected characters"):
        client.retry(job)
    [retried] = client.retry_failed()
    assert (retried.job, retried.earlier, str(retried.problem)[:7]) == (None, None, "prompt:")


def test_a_model_that_is_not_finished_is_not_asked(client: Client) -> None:
    waiting = client.submit("textgen", "train", data="pydoc")
    assert client.submit("textgen", "generate", source=waiting, prompt="日本").state == "waiting"


def test_a_model_without_a_vocabulary_is_refused(client: Client, trained: tuple[Job, Path]) -> None:
    job, folder = trained
    (folder / VOCABULARY).unlink()
    with pytest.raises(InvalidData, match=r"vocabulary\.json: expected a sorted list of characters"):
        client.submit("textgen", "generate", source=job)
