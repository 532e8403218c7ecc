"""What MLflow is told of a job, without MLflow: nothing rounded, and nothing that a stranger's folder may do."""

import json
from pathlib import Path

import pytest

from jobs.errors import DamagedFolder
from jobs.job import job_from_folder
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results
from jobs.tracking.tracked_job import tracked_job
from jobs.tracking.tracked_run import TrackedRun, named, params_of, tags_of
from tests.support.report_folders import HOSTILE, JOB_ID, hostile_record
from tests.tracking.folders import ENDED, EXACT, HISTORY, ended_job


def run_of(folder: Path, with_model: bool = False) -> TrackedRun:
    found = JobFolder(folder)
    return tracked_job(job_from_folder(found), found, sweep=None, entry=None, with_model=with_model)


def test_numbers_are_not_rounded_and_epochs_have_their_moments(results: Results) -> None:
    run = run_of(ended_job(results))
    [number] = run.metrics
    assert (number.name, number.value, number.moment) == ("validation_bce", EXACT, ENDED)
    told = {(each.name, each.step): (each.value, each.moment) for each in run.history}
    assert told[("epochs/validation_bce", 2)] == (0.1234567890123456, ENDED)
    assert told[("epochs/loss", 1)] == (0.3, ENDED - 1250)
    assert len(told) == 6
    assert (run.experiment, run.name, run.status) == ("autoencoder", "first", "FINISHED")
    assert (run.started, run.ended) == (1795472131000, ENDED)
    assert run.params["learning_rate"] == "0.003"
    assert (run.params["data"], run.params["epochs"], run.params["seed"]) == ("digits", "2", "0")
    assert run.tags["quartet.data.digits"] == "0f" * 32
    assert (run.tags["quartet.code"], run.tags["quartet.library.tensorflow"]) == ("abcd", "2.21.0")
    assert run.files == ("figures/loss.png", "history.csv", "job.json", "metrics.json", "report.html")
    assert run.model is None
    assert run_of(results.root / JOB_ID, with_model=True).model == "model.keras"


def test_a_strangers_texts_become_names_that_stay_in_their_folder(results: Results) -> None:
    folder = results.root / JOB_ID
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps(hostile_record(metrics=None)))
    (folder / "figures").mkdir()
    (folder / "figures" / "passwords.png").symlink_to("/etc/passwd")
    run = run_of(folder)
    assert run.files == ("job.json",)
    texts = [*run.params.values(), *run.tags.values(), run.name]
    assert all(text.encode("utf-8") and len(text) <= 8_000 for text in texts)
    for name in (
        *run.params,
        *run.tags,
        *map(named, (*HOSTILE, "", "..", "/etc/passwd", "a/../../b", "x" * 900)),
    ):
        assert 0 < len(name) <= 250
        assert "/" not in name
        assert not name.startswith(".")
    assert params_of({"units": [1, 2], "on": True, "text": "y" * 7_000}) == {
        "units": "[1, 2]",
        "on": "true",
        "text": "y" * 5_999 + "…",
    }
    assert all("\0" not in text for text in texts)
    assert tags_of({"a": None, "b": "", "c": 0}) == {"c": "0"}


@pytest.mark.parametrize("epoch", ["-1", "inf", "nan", "1e300", "one"])
def test_a_history_without_epochs_is_damaged(results: Results, epoch: str) -> None:
    folder = ended_job(results, history=HISTORY.replace("\n2,", f"\n{epoch},"))
    with pytest.raises(DamagedFolder):
        run_of(folder)
