"""A training job is read with the values that it ran with, also after its parameters have changed."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from jobs.errors import InvalidJob
from jobs.models import parameters_of
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.support.report_folders import JOB_ID, job_record, write_folder
from worker.context import JobContext
from worker.images.inference_inputs import load_inputs
from worker.images.job_data import record_data, trained_as

TRAIN = JobSpec.make("denoiser", "train", data="digits", parameters={"epochs": 3})


def trained(folder: Path, **changes: Any) -> JobSpec:
    """What an evaluation reads of a training job whose `job.json` has these changes."""
    record = job_record(TRAIN) | changes
    source = JobFolder(write_folder(folder, record))
    spec = JobSpec.make("denoiser", "evaluate", **{"from": JOB_ID})
    return trained_as(JobContext(spec, folder, read_settings(), {"from": source}))


def renamed(values: dict[str, Any], _: int) -> dict[str, Any]:
    """Of a version that calls `deviation` `noise`."""
    if "deviation" in values:
        values["noise"] = values.pop("deviation")
    return values


def test_a_training_of_the_first_edition_is_read_as_it_ran(tmp_path: Path) -> None:
    assert trained(tmp_path) == TRAIN


def test_a_training_from_before_a_rename_is_read_as_it_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = TRAIN.model_dump(mode="json", by_alias=True)
    spec["parameters"]["deviation"] = 0.75
    del spec["parameters"]["noise"]
    with pytest.raises(InvalidJob, match="parameter of denoiser train"):
        trained(tmp_path / "a", spec=spec)
    monkeypatch.setattr(parameters_of("denoiser", "train"), "migrated", renamed)
    for number, about in enumerate(({}, {"set": ["epochs"]}, {"set": ["epochs", "deviation"]})):
        ran = trained(tmp_path / str(number), spec={"schema": 2, **spec} if about else spec, **about)
        assert (ran.parameters.model_dump()["noise"], ran.parameters.model_dump()["epochs"]) == (0.75, 3)


def test_two_files_of_one_name_are_both_recorded(tmp_path: Path) -> None:
    context = JobContext(TRAIN, tmp_path, read_settings())
    for folder, value in (("one", 0), ("two", 255)):
        (tmp_path / folder).mkdir()
        Image.new("L", (28, 28), value).save(tmp_path / folder / "a.png")
        for _ in range(2):  # the same one again is no other
            record_data(context, load_inputs(str(tmp_path / folder / "a.png"), context.settings, None))
    one, two = context.data.values()
    assert (one["name"], two["name"]) == ("a.png", "a.png")
    assert list(context.data) == ["a.png", two["path"]]
    assert one["sha256"] != two["sha256"]
