"""What a job gives in a notebook, and what it says where it cannot."""

import copy
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jobs.client import Client
from jobs.errors import (
    DamagedFolder,
    InvalidJob,
    InvalidModel,
    JobConflict,
    JobFailed,
    MissingPart,
    NotEnded,
)
from jobs.job import Job, job_from_folder
from jobs.models import import_part
from jobs.notebook.pictures import MOST_FIGURE_BYTES, MOST_SHOWN, figures_in
from jobs.spec import JobSpec
from tests.notebook.conftest import png, publish
from tests.support.ended_jobs import end


def test_history_is_an_array_for_each_column(client: Client) -> None:
    history = publish(client).history
    assert list(history) == ["epoch", "loss", "validation_loss"]
    assert history["epoch"].dtype == np.int64
    assert history["validation_loss"].tolist() == [0.25, 0.125]
    assert history["epoch"][history["validation_loss"].argmin()] == 2


def test_a_job_that_trains_nothing_has_no_history(client: Client) -> None:
    job = publish(client)
    (job.folder.path / "history.csv").unlink()
    assert job.history == {}


def test_a_damaged_history_is_named(client: Client) -> None:
    job = publish(client)
    (job.folder.path / "history.csv").write_text("epoch,loss\n1,much\n")
    with pytest.raises(DamagedFolder, match=r"history\.csv"):
        _ = job.history


def test_without_numpy_a_person_is_told_to_install_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = publish(client)
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(MissingPart, match="numpy is not installed") as caught:
        _ = job.history
    assert caught.value.hint == "install it: `pip install numpy`"


def test_metrics_are_unrounded(client: Client) -> None:
    assert publish(client).metrics == {"validation_bce": 0.123456789, "images": 10}


def test_a_job_that_was_submitted_has_its_numbers_once_it_has_ended(client: Client) -> None:
    job = client.submit("denoiser", "train", data="digits")
    assert dict(job.metrics) == {}
    with pytest.raises(JobConflict, match="which is queued when it was looked at") as caught:
        _ = job.history
    assert caught.value.hint == "wait for it first: `job.wait()`"
    folder = end(client, job)
    (folder / "metrics.json").write_text('{"psnr_db": 9.0}')
    (folder / "history.csv").write_text("epoch,loss\n1,0.5\n")
    assert dict(job.metrics) == {"psnr_db": 9.0}
    assert job.history["loss"].tolist() == [0.5]
    assert job.wait().state == "succeeded"


def test_waiting_for_a_job_says_how_it_failed_or_that_it_goes_on(client: Client) -> None:
    job = client.submit("denoiser", "train", data="digits")
    with pytest.raises(NotEnded, match="it is queued"):
        job.wait(timeout=0)
    end(client, job, "failed")
    with pytest.raises(JobFailed, match=f"job {job.id} failed"):
        job.wait()


def test_every_job_of_a_client_can_be_waited_for(client: Client) -> None:
    job = publish(client)
    assert client.jobs()[0].wait() == job.wait() == client.wait(job)


def test_a_job_that_no_client_gave_is_not_waited_for(client: Client) -> None:
    with pytest.raises(JobConflict, match="one that a Client gave"):
        job_from_folder(publish(client).folder).wait()


def test_a_job_can_be_copied_and_sent_to_another_process(client: Client) -> None:
    job = publish(client)
    assert copy.deepcopy(job) == pickle.loads(pickle.dumps(job)) == job


def test_figures_are_found_by_name_and_number_and_are_shown(client: Client) -> None:
    figures = publish(client).figures
    assert [each.name for each in figures] == ["code", "loss"]
    assert figures["loss"].path == figures[1].path
    assert len(figures[:1]) == 1
    assert figures["loss"]._repr_png_() == png()
    assert figures._repr_html_().count('<img src="data:image/png;base64,') == 2
    with pytest.raises(KeyError, match="lost; there are code, loss"):
        _ = figures["lost"]


def test_many_and_odd_figures_are_named_and_not_shown(folder_of_figures: Path) -> None:
    for number in range(MOST_SHOWN + 2):
        (folder_of_figures / "figures" / f"{number:02}<b>.png").write_bytes(png())
    (folder_of_figures / "figures" / "00<b>.png").write_bytes(b"no picture")
    (folder_of_figures / "figures" / "01<b>.png").write_bytes(png() + bytes(MOST_FIGURE_BYTES))
    shown = figures_in(folder_of_figures)._repr_html_()
    assert shown.count("<img") == MOST_SHOWN - 2
    assert shown.count("is not shown") == 2
    assert "13&lt;b&gt;.png" in shown
    assert "<b>" not in shown


def test_a_job_without_figures_says_so(folder_of_figures: Path) -> None:
    assert figures_in(folder_of_figures)._repr_html_() == "no figures"
    (folder_of_figures / "figures").rmdir()
    assert repr(figures_in(folder_of_figures)) == "<Figures: none>"


def test_only_a_training_job_that_left_one_has_a_model(client: Client) -> None:
    with pytest.raises(JobConflict, match="expected a training job that left a model"):
        publish(client).load_model()


def with_model(client: Client, **changes: Any) -> Job:
    """A job that left something in place of a model."""
    spec = JobSpec.make("autoencoder", "train", data="digits").model_dump(mode="json", by_alias=True)
    job = publish(client, spec=spec | changes)
    (job.folder.path / "model.keras").write_text("no network")
    return job


def test_a_network_of_an_unknown_model_is_refused(client: Client) -> None:
    with pytest.raises(InvalidJob, match="model: expected one of autoencoder"):
        with_model(client, model="classifier").load_model()


def test_without_tensorflow_a_person_is_told_to_install_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingPart, match="tensorflow is not installed"):
        with_model(client).load_model()


@pytest.mark.parametrize("part", [SimpleNamespace(), None])
def test_a_wing_that_loads_no_network_is_named(
    client: Client, monkeypatch: pytest.MonkeyPatch, part: Any
) -> None:
    def find(model: str, name: str) -> Any:
        return part or import_part(model, f"{name}_that_is_not_there")

    monkeypatch.setattr("jobs.notebook.network.import_part", find)
    with pytest.raises(InvalidModel, match="saved_model"):
        with_model(client).load_model()
