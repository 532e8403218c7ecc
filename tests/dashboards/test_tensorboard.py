"""Training jobs in TensorBoard: as they run, as one curve however often they are resumed, and as a sweep's trials."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jobs.claim import Claim
from jobs.errors import StoreUnreachable
from jobs.ledger.job_record import Record
from jobs.ledger.sweep_record import SweepRecord, description
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.bucket_results import BucketResults
from jobs.store.job_folder import CHECKPOINT
from jobs.store.objects.elsewhere import Elsewhere
from jobs.store.results import Results
from jobs.store.saved_records import SavedRecord
from jobs.sweeps.entry import Entry
from jobs.sweeps.sweep_folder import write_sweep
from tests.support.processes import until
from tests.support.report_folders import JOB_ID, job_record
from tests.sweeps.stand_in_worker import sweep_of
from worker.dashboards import job_runs
from worker.dashboards.job_runs import JobRuns
from worker.training import checkpoint
from worker.training.checkpoint import Checkpoint
from worker.training.history_files import write_history
from worker.training.loss_points import LossPoint

STEPS = 10
OTHER_ID = JOB_ID.replace("k7qd", "zzzz")
TRIALS = [JOB_ID.replace("k7qd", f"aaa{letter}") for letter in "abc"]
RATES = (0.001, 0.01, 0.1)


def position(epochs: int, step: int = 0) -> Checkpoint:
    """Where a training run stands after so many epochs: always the same run."""
    history = [
        {"epoch": epoch, "loss": 1 / epoch, "validation_loss": 2 / epoch, "seconds": 1.5}
        for epoch in range(1, epochs + 1)
    ]
    points = [LossPoint(epoch, STEPS, STEPS, 1 / (epoch + 1), 0.0) for epoch in range(epochs)]
    points += [LossPoint(epochs, step, STEPS, 0.5, 0.0)] if step else []
    return Checkpoint(epochs, step, history, [np.zeros(3, np.float32)], loss_points=points)


def stage(results: Results, attempt: int, at: Checkpoint, job_id: str = JOB_ID, **record: Any) -> Claim:
    """An attempt that has got so far."""
    claim = Claim(job_id, attempt, f"{attempt:016x}")
    staging = results.stage(claim)
    about = job_record(
        JobSpec.make("autoencoder", "train", data="digits"), job_id=job_id, state="running", **record
    )
    (staging / "job.json").write_text(json.dumps(about))
    at.write(staging / CHECKPOINT)
    return claim


def publish(
    results: Results, claim: Claim, at: Checkpoint, state: str = "succeeded", **metrics: float
) -> None:
    staging = results.staging(claim)
    record = json.loads((staging / "job.json").read_text())
    (staging / "job.json").write_text(json.dumps({**record, "state": state}))
    (staging / "metrics.json").write_text(json.dumps(metrics))
    write_history(staging, at)
    results.publish(claim, 0o022)


def scalars(events: Path, tag: str = "loss", job_id: str = JOB_ID) -> list[tuple[int, float]]:
    """(step, value) of each point as TensorBoard reads them; their times never go back."""
    read = EventAccumulator(str(events / "autoencoder" / job_id))
    read.Reload()
    found = read.Scalars(tag)
    assert [event.wall_time for event in found] == sorted(event.wall_time for event in found)
    return [(event.step, round(event.value, 5)) for event in found]


def losses(epochs: int) -> list[tuple[int, float]]:
    return [(epoch, round(1 / epoch, 5)) for epoch in range(1, epochs + 1)]


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def test_a_running_training_grows_and_ends_as_the_same_run(results: Results, tmp_path: Path) -> None:
    events = tmp_path / "events"
    runs = JobRuns(results, events)
    runs.write_new()  # there is not even a results folder
    claim = stage(results, 1, position(0, step=3))
    runs.write_new()
    assert scalars(events, "loss within epochs") == [(3, 0.5)], "within the first epoch"
    position(2).write(results.staging(claim) / CHECKPOINT)
    runs.write_new()
    assert scalars(events) == losses(2)
    runs.write_new()
    assert scalars(events) == losses(2)
    publish(results, claim, position(5))
    runs.write_new()
    runs.write_new()
    assert scalars(events) == losses(5)
    assert scalars(events, "validation loss") == [(epoch, round(2 / epoch, 5)) for epoch in range(1, 6)]
    within = scalars(events, "loss within epochs")
    assert within == [(3, 0.5), *((STEPS * epoch, loss) for epoch, loss in losses(5))]
    assert [path.name for path in events.rglob("*") if path.is_dir()] == ["autoencoder", JOB_ID]
    assert len(list((events / "autoencoder" / JOB_ID).iterdir())) == 1


def test_after_a_resume_there_is_one_curve_without_a_step_twice(results: Results, tmp_path: Path) -> None:
    events = tmp_path / "events"
    runs = JobRuns(results, events)
    stage(results, 1, position(4, step=5))
    runs.write_new()
    # The next attempt resumes from an earlier checkpoint, the only one that a crash left.
    stage(results, 2, position(2))
    runs.write_new()
    assert scalars(events) == losses(4)
    claim = stage(results, 3, position(6))
    runs.write_new()
    assert scalars(events) == losses(6)
    publish(results, claim, position(6), state="failed")
    runs.write_new()
    assert scalars(events) == losses(6)


def test_a_damaged_or_hostile_folder_hides_no_other(results: Results, tmp_path: Path) -> None:
    events = tmp_path / "events"
    hostile = {"spec": {"model": "../../outside", "action": "train"}}
    record = job_record(JobSpec.make("autoencoder", "train", data="digits"), state="running") | hostile
    claim = stage(results, 1, position(1), OTHER_ID)
    (results.staging(claim) / "job.json").write_text(json.dumps(record))
    broken = stage(results, 1, position(1), TRIALS[0])
    (results.staging(broken) / CHECKPOINT).write_bytes(b"PK\x03\x04")
    stage(results, 1, position(1), TRIALS[1], sweep={"name": "s", "entry": {"point": 7}})
    stage(results, 1, position(1))
    JobRuns(results, events).write_new()
    assert [path.name for path in events.rglob("*") if path.is_dir()] == ["autoencoder", JOB_ID]


def runs_in(events: Path) -> list[str]:
    return sorted(path.name for path in events.glob("*/*"))


def test_a_deleted_job_goes_and_one_that_moves_at_the_moment_stays(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_runs, "MOVING_SECONDS", 0)
    events = tmp_path / "events"
    runs = JobRuns(results, events)
    publish(results, stage(results, 1, position(2)), position(2))
    running = results.staging(stage(results, 1, position(1), OTHER_ID))
    runs.write_new()
    assert runs_in(events) == sorted([JOB_ID, OTHER_ID])
    running.rename(tmp_path / "between two names")
    runs.write_new()
    (tmp_path / "between two names").rename(running)
    runs.write_new()
    runs.write_new()
    assert scalars(events, job_id=OTHER_ID) == losses(1)
    shutil.rmtree(results.root / JOB_ID)
    shutil.rmtree(running)
    runs.write_new()
    runs.write_new()
    assert runs_in(events) == []


def test_running_jobs_keep_no_file_and_no_thread(results: Results, tmp_path: Path) -> None:
    runs = JobRuns(results, tmp_path / "events")
    runs.write_new()
    open_before, threads = psutil.Process().num_fds(), threading.active_count()
    for job_id in TRIALS:
        stage(results, 1, position(1), job_id)
    runs.write_new()
    assert runs_in(tmp_path / "events") == TRIALS
    assert (psutil.Process().num_fds(), threading.active_count()) == (open_before, threads)


def test_a_run_that_cannot_be_written_hides_no_other_and_is_written_later(
    results: Results, tmp_path: Path
) -> None:
    events = tmp_path / "events"
    runs = JobRuns(results, events)
    claim = stage(results, 1, position(1))
    runs.write_new()
    [file] = (events / "autoencoder" / JOB_ID).iterdir()
    with file.open("ab") as part:
        part.write(b"what a full volume took")
    publish(results, claim, position(3))
    publish(results, stage(results, 1, position(1), OTHER_ID), position(2))
    assert OTHER_ID > JOB_ID, "it is looked at first"
    (events / "autoencoder" / OTHER_ID).write_text("in the way")
    with pytest.raises(FileExistsError):
        runs.write_new()
    assert scalars(events) == losses(3)
    (events / "autoencoder" / OTHER_ID).unlink()
    runs.write_new()
    assert scalars(events, job_id=OTHER_ID) == losses(2)


def test_links_among_the_staging_folders_are_neither_followed_nor_removed(
    results: Results, tmp_path: Path
) -> None:
    moved = results.staging(stage(results, 1, position(1), OTHER_ID))
    link = moved.rename(tmp_path / "elsewhere")
    moved.symlink_to(link)
    stage(results, 1, position(1))
    JobRuns(results, tmp_path / "events").write_new()
    assert runs_in(tmp_path / "events") == [JOB_ID]
    assert moved.is_symlink()


def test_a_history_too_large_for_memory_is_not_read(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "HISTORY_BYTES", 3 * 4 * 8)
    stage(results, 1, position(4), OTHER_ID)
    stage(results, 1, position(3))
    JobRuns(results, tmp_path / "events").write_new()
    assert runs_in(tmp_path / "events") == [JOB_ID]


class WithoutStore(Results):
    """A host whose object store does not answer."""

    def sync(self) -> None:
        raise StoreUnreachable("the store does not answer")


def test_while_the_object_store_is_away_what_this_host_has_is_shown(tmp_path: Path) -> None:
    results = WithoutStore(tmp_path / "results")
    stage(results, 1, position(1))
    publish(results, stage(results, 1, position(2), OTHER_ID), position(2))
    with pytest.raises(StoreUnreachable):
        JobRuns(results, tmp_path / "events").write_new()
    assert runs_in(tmp_path / "events") == sorted([JOB_ID, OTHER_ID])


@pytest.mark.chaos
def test_a_training_on_another_host_is_followed_through_the_object_store(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = (
        BucketResults(tmp_path / host, objects=Elsewhere(s3), address=s3) for host in ("there", "here")
    )
    record = Record(
        id=JOB_ID,
        stored=StoredSpec.from_json(StoredSpec.of(JobSpec.make("autoencoder", "train", data="digits")).to_json()),
        state="running", attempt=1, lost=0, submitted=1, started=2, finished=None, worker="w", process=1, token="",
        stop="", error=None, folder=None, headline=None, continues=None, retried=None, declined={}, sweep=None,
    )  # fmt: skip
    saved = there.root / ".accepted" / f"{JOB_ID}.json"
    saved.parent.mkdir(parents=True)
    saved.write_text(json.dumps(SavedRecord.of(record).__dict__))
    there.share(saved)
    claim = stage(there, 1, position(2))
    path = there.staging(claim) / CHECKPOINT
    events = tmp_path / "scratch" / "events"
    events.mkdir(parents=True)
    runs = JobRuns(here, events)
    for epochs, seconds in ((2, 30), (3, 0)):
        monkeypatch.setattr(job_runs, "DOWNLOAD_SECONDS", seconds)
        position(epochs).write(path)
        there.checkpoints.add(JOB_ID, (epochs, 0), path)
        runs.write_new()
        assert scalars(events) == losses(epochs)
    monkeypatch.setattr(job_runs, "DOWNLOAD_SECONDS", 30)
    there.checkpoints.add(JOB_ID, (4, 0), path)
    path.unlink()
    runs.write_new()
    assert scalars(events) == losses(3), "it was downloaded a moment ago"
    position(4).write(path)
    publish(there, claim, position(5))

    def ended() -> bool:
        runs.write_new()
        return scalars(events) == losses(5)

    until(ended, 30, "the end of the training in the other host's copy")


class Board:
    """TensorBoard as `quartet tensorboard` serves it, asked as its page asks it."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        target = f"{self.address}/data/{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(target, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def losses(self) -> list[tuple[int, float]]:
        run = f"autoencoder/{JOB_ID}"
        if run not in self.ask("runs"):
            return []
        points = self.ask("plugin/scalars/scalars", run=run, tag="loss")
        return [(step, round(value, 5)) for _, step, value in points]


@contextlib.contextmanager
def board(folder: Path) -> Iterator[Board]:
    """The command, in a folder with `results/`."""
    command = [sys.executable, "-c", "from jobs.cli.main import main; main()", "tensorboard", "--port", "0"]
    scratch = folder / "tmp"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        address = re.search(r"http://\S+:\d+", said)
        assert address, said
        yield Board(address[0])
    finally:
        process.terminate()
        said = process.communicate(timeout=30)[1]
    assert said.splitlines() == ["TensorBoard caught SIGTERM; exiting..."]
    assert list(scratch.glob("quartet-*")) == []


@pytest.mark.chaos
def test_tensorboard_shows_a_running_training_and_the_trials_of_a_sweep(
    results: Results, tmp_path: Path
) -> None:
    spec = sweep_of("rates")
    metric = spec.metric.name
    entries = [
        Entry(number, 0, None, job, {"learning_rate": rate}, 7)
        for number, (job, rate) in enumerate(zip(TRIALS, RATES, strict=True))
    ]
    write_sweep(
        results, SweepRecord("rates", description(spec), "running", 1, None, "", 1, 0, tuple(entries))
    )
    claims = [
        stage(results, 1, position(2), entry.job, sweep={"name": "rates", "entry": entry.as_dict()})
        for entry in entries
    ]
    publish(results, claims[0], position(2), **{metric: 0.25})
    publish(results, claims[1], position(1), state="failed")
    claim = stage(results, 1, position(1))
    with board(tmp_path) as shown:
        until(lambda: shown.losses() == losses(1), 40, "the running training")
        position(3).write(results.staging(claim) / CHECKPOINT)
        until(lambda: shown.losses() == losses(3), 40, "its next epochs")
        publish(results, claim, position(4))
        until(lambda: shown.losses() == losses(4), 40, "its end")
        assert sorted(shown.ask("runs")) == sorted(f"autoencoder/{job}" for job in (JOB_ID, *TRIALS))
        about = shown.ask("plugin/hparams/experiment", {"experimentName": ""})
        assert {each["name"] for each in about["hparamInfos"]} == {"sweep", "learning_rate", "seed"}
        tag = f"result/{metric.replace('_', ' ')}"
        assert tag in {each["name"]["tag"] for each in about["metricInfos"]}
        asked = {
            "experimentName": "",
            "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
            "colParams": [{"metric": each["name"]} for each in about["metricInfos"]],
            "startIndex": 0,
            "sliceSize": 100,
        }
        groups = {
            group["sessions"][0]["name"].rpartition("/")[2]: group
            for group in shown.ask("plugin/hparams/session_groups", asked)["sessionGroups"]
        }
    assert {job: group["hparams"]["learning_rate"] for job, group in groups.items()} == dict(
        zip(TRIALS, RATES, strict=True)
    )
    statuses = [groups[job]["sessions"][0]["status"] for job in TRIALS]
    assert statuses == ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_UNKNOWN"]
    values = {each["name"]["tag"]: each["value"] for each in groups[TRIALS[0]]["metricValues"]}
    assert values[tag] == 0.25
    assert tag not in {each["name"]["tag"] for each in groups[TRIALS[1]].get("metricValues", ())}


@pytest.mark.chaos
def test_stopped_while_it_looks_at_many_jobs_it_leaves_no_scratch(results: Results, tmp_path: Path) -> None:
    publish(results, stage(results, 1, position(2)), position(2))
    for number in range(999):
        shutil.copytree(results.root / JOB_ID, results.root / JOB_ID.replace("k7qd", f"m{number:03}"))
    with board(tmp_path):
        pass


@pytest.mark.parametrize("package", ["tensorboard", "a2wsgi"])
def test_without_a_package_it_is_refused_with_a_hint(package: str) -> None:
    code = f"import sys; sys.modules['{package}'] = None\nfrom jobs.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "tensorboard"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"quartet: TensorBoard's server needs the package {package}",
        "hint: pip install 'quartet[dashboards]'",
    ]
