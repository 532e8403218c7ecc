"""The page of a job without results: its error, its parameters, its data, and what it does not load."""

import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from jobs.models import all_parameters
from jobs.parameters import Parameters
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.report.pages import page_of
from tests.support.report_folders import JOB_ID, SHORT_TRAINING, hostile_record, job_record, write_folder
from worker.report.job_page import render
from worker.report.parameter_table import shown_parameters


def test_a_failed_job_shows_its_error_and_the_end_of_its_log(tmp_path: Path) -> None:
    error = "/data/mine.npz: expected an array `x_train`, got `x_test`"
    record = job_record(SHORT_TRAINING, state="failed", error=error, log_end="first line\nlast line")
    page = page_of(write_folder(tmp_path, record))
    assert "/data/mine.npz: expected an array x_train, got x_test" in page.text
    assert "first line\nlast line" in page.text
    assert "img" not in page.elements


def test_failed_jobs_and_the_index_need_neither_tensorflow_nor_matplotlib(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, hostile_record())
    code = (
        "import sys; from pathlib import Path; from jobs.store.results import Results\n"
        "from worker.engine.wings import wing; from worker.report import index_page, job_page\n"
        f"job_page.render(Path({str(folder)!r}), wing('textgen'))\n"
        f"index_page.write_index(Results(Path({str(tmp_path)!r})))\n"
        "print([name for name in ('tensorflow', 'keras', 'matplotlib', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", list(all_parameters()), ids=lambda kind: f"{kind.model} {kind.action}")
def test_every_parameter_is_shown_with_its_help_and_its_default_marked(
    kind: type[Parameters], tmp_path: Path
) -> None:
    source = {"from": JOB_ID} if kind.source == "needed" else {}
    given = {"text": ["good"]} if "text" in kind.model_fields else {}
    spec = JobSpec.make(kind.model, kind.action, parameters=given, **source)
    page = page_of(write_folder(tmp_path, job_record(spec, state="failed", error="none")))
    for name, field in kind.model_fields.items():
        assert name in page.text
        assert field.description.replace("`", "") in page.text
        if field.json_schema_extra and "unit" in field.json_schema_extra and field.default is not None:
            assert field.json_schema_extra["unit"] in page.text
    assert page.text.count("default") >= len(kind.model_fields) - len(given)
    assert (f"../{JOB_ID}/report.html" in page.values("href")) == bool(source)


@pytest.mark.parametrize(("model", "action"), [("not-installed", "train"), ("textgen", "improve")])
def test_a_job_whose_model_is_not_installed_shows_the_names_and_values_of_its_parameters(
    tmp_path: Path, model: str, action: str
) -> None:
    spec = JobSpec.make("textgen", "train").model_dump(mode="json", by_alias=True)
    spec |= {"model": model, "action": action, "parameters": {"depth": 3, "widths": [10, 2_000]}}
    page = page_of(write_folder(tmp_path, job_record(spec, state="failed", error="none")))
    lines = " ".join(page.text.split())
    assert f"{model} {action}" in lines
    assert "depth 3 widths 10, 2,000" in lines
    assert "random seed 0 default" in lines


class Untouchable:
    """A model that may not be looked at."""

    @property
    def metrics(self) -> NoReturn:
        raise AssertionError("METRICS were loaded")

    def present(self, folder: JobFolder) -> NoReturn:
        raise AssertionError(f"{folder} was presented")


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_the_page_of_a_job_without_results_does_not_load_its_model(tmp_path: Path, state: str) -> None:
    folder = write_folder(tmp_path, job_record(SHORT_TRAINING, state=state, error="none"))
    render(folder, Untouchable())
    assert state in (folder / "report.html").read_text()


def test_files_are_counted_in_words(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, job_record(SHORT_TRAINING, state="failed", error="none"))
    for name, count in (("one", 1), ("many", 1_200)):
        (folder / name).mkdir()
        for index in range(count):
            (folder / name / str(index)).touch()
    lines = " ".join(page_of(folder).text.split())
    assert "one/ 1 file " in lines
    assert "many/ 1,200 files " in lines


def test_whatever_a_task_recorded_of_its_data_is_shown(tmp_path: Path) -> None:
    recorded = {
        "name": "mine",
        "path": "/data/mine.npz",
        "sha256": "ab" * 32,
        "examples": {"train": 60_000, "test": 10_000},
        "shape": [28, 28],
        "class_names": None,
        "resized": True,
        "labels": {"pos": [1, "positive"]},
    }
    record = job_record(SHORT_TRAINING, state="failed", error="none", data={"mine": recorded})
    lines = " ".join(page_of(write_folder(tmp_path, record)).text.split())
    assert "Data: mine path /data/mine.npz SHA-256 abab" in lines
    assert "examples train 60,000, test 10,000 shape 28, 28 resized yes" in lines
    assert 'labels {"pos": [1, "positive"]}' in lines


def test_a_changed_parameter_is_not_called_a_default(tmp_path: Path) -> None:
    spec = JobSpec.make("textgen", "generate", parameters={"temperature": [0.7]}, **{"from": JOB_ID})
    page = page_of(write_folder(tmp_path, job_record(spec, state="failed", error="none")))
    lines = " ".join(page.text.split())
    assert "may be given several times 0.7 top_k" in lines
    assert "0 for all 0 default" in lines


def test_a_thousand_long_reviews_do_not_make_a_large_page(tmp_path: Path) -> None:
    spec = JobSpec.make(
        "sentiment", "generate", parameters={"text": ["very good " * 6] * 900}, **{"from": JOB_ID}
    )
    page = page_of(write_folder(tmp_path, job_record(spec, state="failed", error="none")))
    assert len(page.source) < 100_000
    assert "… and 888 more" in page.text


@pytest.mark.parametrize(
    ("action", "read", "line"),
    [
        ("train", ["mnist"], "mnist default"),
        ("train", [], "mnist default"),
        ("evaluate", ["digits"], "digits as in training"),
        ("evaluate", [], "that of the training job default"),
    ],
)
def test_the_dataset_is_named_where_none_was_set(
    tmp_path: Path, action: str, read: list[str], line: str
) -> None:
    source = {} if action == "train" else {"from": JOB_ID}
    spec = JobSpec.make("autoencoder", action, **source)
    record = job_record(spec, state="failed", error="none", data={name: {"name": name} for name in read})
    page = page_of(write_folder(tmp_path, record))
    assert f"or a path to your own data {line}" in " ".join(page.text.split())
    assert JobFolder(tmp_path / JOB_ID).job["spec"]["data"] is None


def test_a_job_that_read_no_data_names_none() -> None:
    spec = JobSpec.make("sentiment", "generate", parameters={"text": ["good"]}, **{"from": JOB_ID})
    shown = [parameter.name for parameter in shown_parameters(job_record(spec, data={}))]
    assert "from" in shown
    assert "data" not in shown
