"""A model may refuse what its finished training job cannot do; whatever is wrong with that check refuses nothing."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs import wing_checks
from jobs.client import Client
from jobs.errors import InvalidJob
from tests.support.ended_jobs import end


def refuse(folder: Path, spec: Any) -> None:
    assert (folder / "job.json").is_file()
    raise InvalidJob("noise", expected="less than the model knows", given=f"{spec.parameters.noise:g}")


def lacking(*_: Any) -> None:
    raise ImportError("no numpy here")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (SimpleNamespace(), ""),
        (SimpleNamespace(check_source=lacking), ""),
        (SimpleNamespace(check_source=lambda _: None), "TypeError"),
        (SimpleNamespace(check_source=refuse), None),
    ],
)
def test_a_job_is_refused_by_its_models_check_alone(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    part: Any,
    said: str | None,
) -> None:
    training = client.submit("denoiser", "train", data="digits")
    end(client, training)
    monkeypatch.setattr(wing_checks, "import_part", lambda *_: part)
    if said is None:
        with pytest.raises(InvalidJob, match="noise: expected less than the model knows, got 0"):
            client.submit("denoiser", "evaluate", source=training)
        assert [job.id for job in client.jobs()] == [training.id]
        return
    with caplog.at_level(logging.WARNING):
        assert client.submit("denoiser", "evaluate", source=training).state == "queued"
    assert said in caplog.text
    assert bool(caplog.text) == bool(said)
