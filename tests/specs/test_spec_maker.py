"""From Python a job takes what the command line takes, and says what was meant."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.client import Client
from jobs.errors import InvalidData, InvalidJob
from jobs.job import Job


def test_a_path_and_a_time_are_taken_as_they_are(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("To be, or not to be. " * 100)
    spec = client.make_spec(
        "textgen", "train", source=None, parameters={}, data=path, time_limit=timedelta(hours=2)
    )
    assert (spec.data, spec.time_limit) == (str(path), 7200)
    with pytest.raises(InvalidData, match="which does not exist"):
        client.submit("textgen", "train", data=tmp_path / "none.txt")
    with pytest.raises(InvalidJob, match="time_limit: expected an integer, in seconds"):
        client.submit("textgen", "train", time_limit=timedelta(seconds=1.5))
    with pytest.raises(InvalidJob, match="name: expected text"):
        client.submit("textgen", "train", name=path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("action", "given", "hint"),
    [
        ("train", {"noise": 0.5}, "`denoiser train` has 'noise'"),
        ("evaluate", {"prompt": "x", "source": "none"}, "`textgen generate` has 'prompt'"),
        ("train", {"from_": "x"}, "from Python, `source=` names the training job whose model is used"),
        ("train", {"time_limits": 3}, "did you mean 'time_limit'?"),
        ("train", {"epoch": 3}, "did you mean 'epochs'?"),
        ("train", {"lr": 3}, "did you mean 'learning_rate'?"),
        ("train", {"n_epochs": 3}, "did you mean 'epochs'?"),
        ("train", {"random_state": 3}, "did you mean 'seed'?"),
        (
            "train",
            {"parameters": {"epochs": 3}},
            "from Python, each parameter is an argument of its own: `epochs=5`",
        ),
        ("train", {"zzz": 3}, None),
    ],
)
def test_an_unknown_parameter_gets_a_hint_by_its_meaning(
    action: str, given: dict[str, Any], hint: str | None
) -> None:
    from jobs.spec import JobSpec

    given.pop("source", None)
    source = {"from": "20261127-032926-917-kxe6"} if action == "evaluate" else {}
    with pytest.raises(InvalidJob) as caught:
        JobSpec.make("autoencoder", action, parameters=given, **source)
    assert caught.value.hint == hint


@pytest.fixture
def trained(client: Client) -> Job:
    return client.submit(
        "autoencoder", "train", data="digits", seed=3, priority="low", name="first", time_limit=50, epochs=2
    )


def test_a_rerun_keeps_its_model_and_a_training_job_starts_from_none(client: Client, trained: Job) -> None:
    with pytest.raises(InvalidJob, match="model: expected nothing, since a rerun stays an autoencoder train"):
        client.rerun("first", model="denoiser")
    for source in ("first", trained):
        with pytest.raises(InvalidJob, match="from: expected nothing, since autoencoder train starts from"):
            client.rerun("first", source=source)


def test_a_wrong_tag_is_named_alone(client: Client) -> None:
    with pytest.raises(InvalidJob, match=r"tags: expected 1 to 40 .*, got 'a b'$"):
        client.submit("autoencoder", "train", data="digits", tags=("good", "a b"))
    with pytest.raises(InvalidJob, match=r"tags: expected text, got 5$"):
        client.submit("autoencoder", "train", data="digits", tags=5)  # type: ignore[arg-type]


def test_a_rerun_is_the_same_job_without_its_name(client: Client, trained: Job) -> None:
    again = client.rerun("first")
    assert again.stored.fields == {k: v for k, v in trained.stored.fields.items() if k != "name"}
    assert (again.continues, again.name) == (None, None)


def test_a_rerun_changes_what_it_is_told_to(client: Client, trained: Job) -> None:
    again = client.rerun(
        trained.id, learning_rate="2e-3", seed="4", epochs=None, time_limit=None, name="second"
    )
    assert again.spec.parameters.model_dump()["learning_rate"] == 2e-3
    assert again.stored.parameters == {"learning_rate": 2e-3}
    assert (again.stored.seed, again.stored.time_limit, again.name) == (4, None, "second")
    evaluation = client.submit("autoencoder", "evaluate", source=trained.id)
    assert client.rerun(evaluation.id, source="second").stored.source == again.id
    assert client.rerun(evaluation.id, **{"from": "second"}).stored.source == again.id
    with pytest.raises(InvalidJob, match="got 'noise'"):
        client.rerun(trained.id, noise=1)
