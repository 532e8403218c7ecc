"""Jobs that differ only in what their functions do not depend on share what was compiled for the first."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.settings import read_settings
from jobs.spec import JobSpec
from worker.context import JobContext
from worker.engine.wings import wing
from worker.training import compile_cache

SMALL: dict[str, Any] = {
    "autoencoder": {"data": "digits"},
    "denoiser": {"data": "digits"},
    "sentiment": {"data": "toy-reviews"},
    "textgen": {"data": "pydoc", "units": 8, "batch_size": 512},
}


@pytest.fixture
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from tensorflow.python.eager.polymorphic_function import polymorphic_function as tracing

    # TensorFlow counts tracings by a function's code, and so those of earlier tests in this process as well.
    monkeypatch.setattr(
        tracing, "_frequent_tracing_detector_manager", tracing._FrequentTracingDetectorManager()
    )
    compile_cache.forget()
    yield
    compile_cache.forget()


def trained(folder: Path, model: str, **parameters: Any) -> dict[str, float]:
    folder.mkdir()
    data = parameters.pop("data")
    spec = JobSpec.make(model, "train", data=data, parameters={"epochs": 1, **parameters})
    settings = read_settings()
    return dict(wing(model).action("train")(JobContext(spec=spec, folder=folder, settings=settings)))


@pytest.mark.parametrize(
    "model", ["autoencoder", *(pytest.param(name, marks=pytest.mark.quality) for name in list(SMALL)[1:])]
)
@pytest.mark.usefixtures("nothing_compiled")
def test_a_sweep_over_learning_rates_compiles_once_and_gives_what_each_job_alone_would(
    model: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rates = [1e-3, 2e-3, 3e-3]
    with caplog.at_level(logging.WARNING):
        found = [
            trained(tmp_path / str(index), model, learning_rate=rate, **SMALL[model])
            for index, rate in enumerate(rates)
        ]
    assert len(compile_cache._cache) == 1
    assert "retracing" not in caplog.text
    compile_cache.forget()
    alone = trained(tmp_path / "alone", model, learning_rate=rates[-1], **SMALL[model])
    timed = [name for name in alone if name.endswith("per_second")]
    assert {name: value for name, value in alone.items() if name not in timed} == {
        name: value for name, value in found[-1].items() if name not in timed
    }
