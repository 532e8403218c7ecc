"""Jobs in a real MLflow: in a folder, on a server, from a bucket, and after a kill."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from jobs.client import Client
from jobs.errors import DamagedFolder, InvalidInput, NotExported
from jobs.settings import Settings
from jobs.tracking.exporting import Exported, Exporter
from jobs.tracking.mlflow_runs import WHOLE, MlflowRuns
from jobs.tracking.tracking_address import TrackingAddress, read_tracking_address
from tests.cli.program import QUARTET, environment, quartet
from tests.support.ended_jobs import publish
from tests.support.processes import missing, until
from tests.support.report_folders import JOB_ID
from tests.sweeps.stand_in_worker import StandIn, bowl, sweep_of
from tests.tracking.folders import ENDED, EXACT, ended_job

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.filterwarnings("ignore"),  # of MLflow and what is below it
]


@pytest.fixture(scope="module", autouse=True)
def mlflow_is_installed() -> None:
    if find_spec("mlflow") is None:
        missing("mlflow-skinny is not installed")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, which takes MLflow seconds to make."""
    folder = tmp_path_factory.mktemp("mlflow")
    MlflowRuns(read_tracking_address(str(folder)))
    return folder / "mlflow.db"


@pytest.fixture
def address(database: Path, tmp_path: Path) -> TrackingAddress:
    """An empty folder of runs."""
    folder = tmp_path / "runs"
    folder.mkdir()
    shutil.copy(database, folder)
    return read_tracking_address(str(folder))


@pytest.fixture
def runs(address: TrackingAddress) -> MlflowRuns:
    return MlflowRuns(address)


def stored(address: TrackingAddress, experiment: str = "autoencoder") -> list[Any]:
    """All runs of an experiment that were not deleted."""
    mlflow = client_of(address)
    found = mlflow.get_experiment_by_name(experiment)
    return [] if found is None else list(mlflow.search_runs([found.experiment_id], max_results=1_000))


def client_of(address: TrackingAddress) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=address.uri)


def export(client: Client, runs: MlflowRuns, *jobs: str, with_model: bool = False) -> list[Exported]:
    return list(Exporter(client, runs, with_model).jobs(jobs))


def test_a_job_is_there_with_all_its_numbers_once(
    client: Client, address: TrackingAddress, runs: MlflowRuns
) -> None:
    ended_job(client.results)
    client.tag(JOB_ID, add=["paper", "old"])
    client.note(JOB_ID, "the <b>first</b>")
    [new, again] = [*export(client, runs, JOB_ID, "first"), *export(client, runs, "latest")]
    assert (new.new, again.new, new.run) == (True, False, again.run)
    [run] = stored(address)
    mlflow = client_of(address)
    assert run.data.metrics["validation_bce"] == EXACT
    steps = mlflow.get_metric_history(run.info.run_id, "epochs/validation_bce")
    assert [(each.step, each.value) for each in steps] == [(1, 0.25), (2, 0.1234567890123456)]
    assert (run.info.run_name, run.info.status, run.info.end_time) == ("first", "FINISHED", ENDED)
    assert run.data.params["learning_rate"] == "0.003"
    assert run.data.tags["quartet.tags"] == "paper, old"
    assert run.data.tags["mlflow.note.content"] == "the <b>first</b>"
    files = {each.path for each in mlflow.list_artifacts(run.info.run_id)}
    assert files == {"figures", "history.csv", "job.json", "metrics.json", "report.html"}
    client.tag(JOB_ID, remove=["old"])
    client.note(JOB_ID, "")
    for _ in range(2):
        export(client, runs, JOB_ID, with_model=True)
    [run] = stored(address)
    assert run.data.tags["quartet.tags"] == "paper"
    assert "mlflow.note.content" not in run.data.tags
    assert len(mlflow.get_metric_history(run.info.run_id, "validation_bce")) == 1
    assert "model.keras" in {each.path for each in mlflow.list_artifacts(run.info.run_id)}


def test_what_was_written_in_part_or_twice_is_replaced(
    client: Client, address: TrackingAddress, runs: MlflowRuns
) -> None:
    ended_job(client.results)
    mlflow = client_of(address)
    experiment = mlflow.create_experiment("autoencoder")
    for value in (1.0, 2.0):
        part = mlflow.create_run(experiment, tags={"quartet.job": JOB_ID})
        mlflow.log_metric(part.info.run_id, "epochs/loss", value, step=7)
    other = mlflow.create_run(experiment)
    [exported] = export(client, runs, JOB_ID)
    assert {run.info.run_id for run in stored(address)} == {exported.run, other.info.run_id}
    assert [each.step for each in mlflow.get_metric_history(exported.run, "epochs/loss")] == [1, 2]
    twin = mlflow.create_run(experiment, tags={"quartet.job": JOB_ID, WHOLE: "without model"})
    export(client, runs, JOB_ID)
    left = [run.info.run_id for run in stored(address) if run.info.run_id != other.info.run_id]
    assert len(left) == 1
    assert left[0] in (exported.run, twin.info.run_id)
    mlflow.delete_experiment(experiment)
    with pytest.raises(NotExported, match="was deleted in MLflow"):
        export(client, MlflowRuns(address), JOB_ID)


def test_a_sweep_is_a_run_with_its_jobs_as_children(
    client: Client, address: TrackingAddress, runs: MlflowRuns
) -> None:
    client.create_sweep(sweep_of())
    worker = StandIn(client, lambda point: None if point["learning_rate"] == 0.1 else bowl(point))
    worker.advance()
    first = min(client.ledger.ids("queued"))
    worker.end(first)
    told = list(Exporter(client, runs).sweep("bowl"))
    assert [each.run is None for each in told] == [False, False, True, True]
    assert {run.info.status for run in stored(address, "bowl")} == {"RUNNING", "FINISHED"}
    alone = export(client, runs, first)
    assert (alone[0].experiment, alone[0].run) == ("bowl", told[1].run)
    worker.run()
    again = list(Exporter(client, runs).sweep("bowl"))
    assert [each.new for each in again] == [False, False, True, True]
    parent, *children = (client_of(address).get_run(each.run) for each in again)
    assert (parent.info.status, parent.data.tags["quartet.sweep.best"]) == ("FINISHED", again[2].what)
    assert parent.data.tags["quartet.sweep.trials"] == "2 succeeded, 1 failed"
    assert parent.data.metrics == {"validation_bce": 0}
    assert [child.data.tags["mlflow.parentRunId"] for child in children] == [again[0].run] * 3
    assert [child.data.params["learning_rate"] for child in children] == ["0.001", "0.01", "0.1"]
    assert [child.info.status for child in children] == ["FINISHED", "FINISHED", "FAILED"]
    assert len(stored(address, "bowl")) == 4


def test_a_job_of_another_host_is_exported_from_the_bucket(
    settings: Settings, s3: str, address: TrackingAddress, runs: MlflowRuns, tmp_path: Path
) -> None:
    worker, laptop = (
        Client(settings.model_copy(update={"store": s3, "results_dir": tmp_path / name}))
        for name in ("worker", "laptop")
    )
    job = worker.submit("autoencoder", "train", data="digits", epochs=1)
    publish(worker, job, "succeeded", metrics='{"validation_bce": 0.5}')
    assert export(laptop, runs, job.id)[0].new
    [run] = stored(address)
    assert run.data.metrics == {"validation_bce": 0.5}


def test_a_changed_folder_and_what_keeps_no_runs_are_refused(
    client: Client, address: TrackingAddress, runs: MlflowRuns, tmp_path: Path
) -> None:
    folder = ended_job(client.results)
    (folder / "metrics.json").write_text('{"validation_bce": 0.0}')
    with pytest.raises(DamagedFolder, match=r"metrics\.json"):
        export(client, runs, JOB_ID)
    assert stored(address) == []
    (tmp_path / "old" / "0").mkdir(parents=True)
    (tmp_path / "old" / "0" / "meta.yaml").write_text("artifact_location: mlruns/0\n")
    with pytest.raises(InvalidInput, match="kept runs as files") as old:
        read_tracking_address(str(tmp_path / "old"))
    assert old.value.hint == "`mlflow migrate-filestore` makes a database of it"
    (tmp_path / "file").touch()
    for wrong in (
        "gopher://x",
        "postgresql://u:geheim@h/x",
        "http://[",
        "sqlite:////no/such/x.db",
        "file",
        "a?b",
    ):
        with pytest.raises(InvalidInput) as refused:
            read_tracking_address(wrong)
        assert "geheim" not in str(refused.value)


def test_a_killed_export_is_made_whole_by_the_next(
    client: Client, address: TrackingAddress, runs: MlflowRuns, tmp_path: Path
) -> None:
    epochs = 10_000
    lines = ["epoch,loss,seconds", *(f"{epoch},{1 / epoch},0.1" for epoch in range(1, epochs + 1))]
    ended_job(client.results, history="\n".join(lines) + "\n")
    command = [QUARTET, "export", "mlflow", JOB_ID, "--to", str(tmp_path / "runs")]
    with subprocess.Popen(command, env=environment(client.settings)) as process:
        with closing(sqlite3.connect(tmp_path / "runs" / "mlflow.db")) as database:
            until(lambda: _rows(database) > 1_000, seconds=120)
        os.kill(process.pid, signal.SIGKILL)
    [part] = stored(address)
    assert WHOLE not in part.data.tags
    [exported] = export(client, runs, JOB_ID)
    [run] = stored(address)
    assert (run.info.run_id, run.info.status) == (exported.run, "FINISHED")
    assert run.data.metrics["epochs/loss"] == 1 / epochs
    with closing(sqlite3.connect(tmp_path / "runs" / "mlflow.db")) as database:
        [[count]] = database.execute("SELECT COUNT(*) FROM metrics WHERE run_uuid = ?", [exported.run])
    assert count == 2 * epochs + 1


def test_an_export_killed_while_it_makes_the_database_leaves_none_that_others_fail_with(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "new"
    code = (
        "import sys; from tests.tracking.test_mlflow import *; MlflowRuns(read_tracking_address(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command) as killed, subprocess.Popen(command) as other:
        until(lambda: any(file.stat().st_size > 100_000 for file in folder.glob("mlflow.db*")), seconds=120)
        assert not (folder / "mlflow.db").exists()
        killed.kill()
        assert other.wait(120) == 0
    assert [path.name for path in folder.iterdir()] == ["mlflow.db"]
    part = folder / "mlflow.db.part"
    (folder / "mlflow.db").rename(part)  # as a killed one leaves it
    (folder / "mlflow.db.part-journal").write_bytes(b"of another database")
    MlflowRuns(read_tracking_address(str(folder)))
    assert [path.name for path in folder.iterdir()] == ["mlflow.db"]


def _rows(database: sqlite3.Connection) -> int:
    [[count]] = database.execute("SELECT COUNT(*) FROM metrics")
    return int(count)


SERVER = """
import os, sys
folder, port = sys.argv[1:]
os.environ["_MLFLOW_SERVER_FILE_STORE"] = f"sqlite:///{folder}/mlflow.db"
os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = "mlflow-artifacts:/"
os.environ["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] = f"{folder}/files"
os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true"
from mlflow.server import app
from werkzeug.serving import make_server
make_server("127.0.0.1", int(port), app, threaded=True).serve_forever()
"""
"""MLflow's own REST server, without the pages for browsers, which need twenty packages more."""


@pytest.fixture
def server(address: TrackingAddress, tmp_path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """A server's address, and what stops it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert address.artifacts is not None
    command = [sys.executable, "-c", SERVER, str(address.artifacts.parent), str(port)]
    with (tmp_path / "server.log").open("w") as log, subprocess.Popen(command, stderr=log) as process:

        def stop() -> None:
            process.kill()
            process.wait()

        try:
            until(lambda: _listens(port), seconds=120)
            yield f"http://someone:geheim@127.0.0.1:{port}", stop
        finally:
            stop()


def _listens(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_takes_jobs_and_when_it_is_away_a_sentence_says_so(
    client: Client, address: TrackingAddress, server: tuple[str, Callable[[], None]], tmp_path: Path
) -> None:
    ended_job(client.results)
    uri, stop = server
    arguments = ("export", "mlflow", JOB_ID, "--to", uri)
    for words in ("exported: experiment autoencoder", "was there: experiment autoencoder"):
        done = quartet(client.settings, *arguments)
        assert words in done.stdout
        assert len(done.stdout.splitlines()) == 1
        assert "geheim" not in done.stdout + done.stderr
    [run] = stored(address)
    assert run.data.metrics["validation_bce"] == EXACT
    pages = list((tmp_path / "runs" / "files").glob(f"*/{run.info.run_id}/artifacts/report.html"))
    assert [page.read_text() for page in pages] == ["<p>a page"]
    stop()
    begun = time.monotonic()
    said = quartet(client.settings, *arguments, code=1, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0").stderr
    assert said.startswith("quartet: MLflow at http://someone:***@127.0.0.1:")
    assert said.endswith(" does not answer\n")
    assert time.monotonic() - begun < 60
