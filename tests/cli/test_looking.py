"""`quartet list` with its filters, `quartet show` with the data that a job reads, the settings at any width."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from jobs.cli import looking, tables
from jobs.cli.common import shown_folder
from jobs.cli.data_used import data_used
from jobs.client import Client
from jobs.errors import InvalidInput, MissingPart, RedisUnreachable
from jobs.ids import new_job_id
from jobs.job import Job
from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from jobs.store.history import History
from jobs.store.job_folder import JobFolder
from jobs.store.saved_records import save_records
from tests.support.report_folders import job_record, write_folder


@pytest.fixture
def listed(client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Calls `quartet list` in this process; gives its standard output and error."""
    for name, value in client.settings.environment().items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str) -> tuple[str, str]:
        looking.list_command.main([*arguments], standalone_mode=False)
        said = capsys.readouterr()
        return said.out, said.err

    return call


def published(client: Client, name: str, psnr: float, **changes: Any) -> str:
    spec = JobSpec.make("denoiser", "train", data="digits", name=name)
    record = job_record(spec, job_id=new_job_id(), **{"continues": None, **changes})
    metrics = {"metrics.json": json.dumps({"psnr_db": psnr})}
    History(client.results).add(JobFolder(write_folder(client.results.root, record, metrics)))
    return str(record["id"])


def test_a_list_has_reasons_progress_and_warnings(client: Client, listed: Any) -> None:
    best = {"label": "PSNR", "value": 9.1, "unit": "dB"}
    published(client, "doubtful", 9.1, headline=best, warnings=["no better than the mean image"])
    published(client, "broken", 1, state="failed", error="the loss of epoch 3 is nan")
    job = client.submit("denoiser", "train", data="digits", name="now")
    claim = client.ledger.claim(job.id, "w", 30, "00112233")
    assert claim is not None
    client.ledger.progress(claim, {"epoch": 0, "epochs": 5, "step": 3, "steps": 9, "loss": 0.25})
    out, said = listed()
    assert "! PSNR 9.1 dB (no better than the mean image)" in out
    assert "the loss of epoch 3 is nan" in out
    assert "epoch 1/5, step 3/9, loss 0.2500" in out
    assert said == "! marks doubtful numbers; `quartet show JOB` says why\n"
    running, broken, doubtful = json.loads(listed("--json")[0])
    assert (running["progress"]["loss"], broken["progress"]) == (0.25, None)
    assert (doubtful["warnings"], doubtful["metrics"]) == (
        ["no better than the mean image"],
        {"psnr_db": 9.1},
    )


def test_a_list_is_filtered_sorted_and_limited(client: Client, listed: Any) -> None:
    ids = [published(client, f"noise-{number}", psnr) for number, psnr in enumerate((3.0, 1.0, 2.0))]
    queued = client.submit("autoencoder", "train", data="digits").id

    def found(*arguments: str) -> list[str]:
        out, said = listed(*arguments)
        rows = [line.split()[0] for line in out.splitlines()[1:]]
        assert said == ("" if rows else "no job matches\n")
        return rows

    assert found() == [queued, *ids[::-1]]
    assert found("--model", "denoiser", "--action", "train", "--name", "noise-[12]") == [ids[2], ids[1]]
    assert found("--limit", "2") == [queued, ids[2]]
    assert found("--sort", "psnr_db") == [ids[0], ids[2], ids[1], queued]
    assert found("--sort", "psnr_db", "--limit", "1") == [ids[0]]
    assert found("--since", "1h", "--state", "queued") == [queued]
    assert found("--since", "2099-01-01") == []
    assert found("--all") == found()
    for arguments, field in {
        ("--limit", "0"): "limit",
        ("--limit", "many"): "limit",
        ("--limit", "3", "--all"): "limit",
        ("--sort", "psnr"): "sort",
        ("--since", "soon"): "since",
        ("--model", "denoisr"): "model",
    }.items():
        with pytest.raises(InvalidInput) as caught:
            listed(*arguments)
        assert caught.value.field == field


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("browser", [True, False])
def test_a_report_is_opened_where_there_is_a_browser(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], browser: bool
) -> None:
    job_id = published(client, "mine", 3.0)
    monkeypatch.setattr("webbrowser.open", lambda _: browser)
    refused = pytest.raises(MissingPart, match="no browser is installed here")
    with nullcontext() if browser else refused:
        looking.report_command.main([job_id, "--open"], standalone_mode=False)
    assert capsys.readouterr().out == f"{client.results.root / job_id / 'report.html'}\n"


@pytest.mark.usefixtures("listed")
def test_a_client_in_a_container_prints_paths_as_they_are_outside(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id = published(client, "mine", 3.0)
    monkeypatch.setenv("QUARTET_RESULTS_SHOWN_AS", "results")
    looking.report_command.main([job_id], standalone_mode=False)
    assert capsys.readouterr().out == f"results/{job_id}/report.html\n"
    elsewhere = client.results.root.parent / "copy"
    assert shown_folder(elsewhere, read_settings()) == elsewhere


def test_a_list_that_lacks_accepted_jobs_says_so(
    client: Client, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert listed() == (
        "JOB\tSTATE\tWHAT\tRESULT\tSUBMITTED\tNAME\n",
        f"there is no results folder {client.results.root} yet\n",
    )
    client.submit("denoiser", "train", data="digits", name="lost")
    save_records(client.ledger, client.results)
    assert "lost" in listed()[0]
    done = published(client, "done", 1)
    monkeypatch.delenv("QUARTET_REDIS_URL")
    with pytest.raises(RedisUnreachable, match="no Redis runs, so the list lacks 1 accepted job without a"):
        listed()
    out, said = listed("--state", "succeeded")
    assert (out.split("\n")[1][:24], said) == (done, "")


def test_a_list_without_its_redis_says_how_many_jobs_it_lacks(
    client: Client, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.submit("denoiser", "train", data="digits", name="lost")
    save_records(client.ledger, client.results)
    published(client, "done", 1)
    monkeypatch.setenv("QUARTET_REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(RedisUnreachable) as refused:
        listed()
    assert str(refused.value).endswith(
        "these are the jobs with a folder, and the list lacks 1 accepted job without a folder"
    )
    assert "`quartet rebuild` restores" in str(refused.value.hint)
    with pytest.raises(RedisUnreachable) as refused:
        listed("--state", "succeeded")
    assert str(refused.value).endswith("; these are the jobs with a folder")


def test_a_job_says_which_data_it_reads(client: Client, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("To be, or not to be. " * 200)

    def used(job: Job) -> str | None:
        return data_used(client, job)

    training = client.submit("denoiser", "train")
    assert used(training) == "mnist, the default"
    evaluation = client.submit("denoiser", "evaluate", source=training.id)
    assert used(evaluation) == f"mnist, the default, as its training job {training.id}"
    assert used(client.submit("denoiser", "evaluate", source=training.id, data="digits")) == "digits"
    assert used(client.submit("textgen", "train", data=str(own))) == str(own)
    assert used(client.submit("denoiser", "generate", source=training.id)) is None
    record = {"own.txt": {"name": "own.txt", "path": str(own), "sha256": "0" * 64}}
    finished = client.job(published(client, "done", 1, data=record))
    assert used(finished) == str(own), "the path has its name in it already"
    record = {"digits": {"name": "digits", "path": str(own), "sha256": "0" * 64}}
    assert used(client.job(published(client, "named", 1, data=record))) == f"digits ({own})"
    assert used(client.job(published(client, "none", 1, data={}))) == "digits"
    client.ledger.redis.hset(
        f"quartet:job:{training.id}", "spec", '{"schema": 2, "model": "vae", "action": "train"}'
    )
    assert used(client.job(training.id)) is None


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_settings_and_datasets_fit_the_terminal(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    monkeypatch.setattr(tables, "line_width", lambda: width)
    tables.show_settings(settings)
    lines = capsys.readouterr().out.splitlines()
    names = [line.partition("=")[0] for line in lines if line.startswith("QUARTET_")]
    assert names == [f"QUARTET_{name.upper()}" for name in Settings.model_fields]
    about = [line for line in lines if not line.startswith("QUARTET_")]
    assert max(map(cell_len, about)) <= width
    said = " ".join(" ".join(lines).split())
    assert "without a heartbeat keeps its job, in seconds [default 30.0]" in said, "that of a test is shorter"
    path = Path("/home/somebody/data/aclImdb.tar.gz")
    about = {"name": "imdb", "kind": "reviews", "path": path, "origin": "Maas et al. " * 9}
    problem = f"{path.name} has only 11,350,867 of the 84,125,825 bytes of the published file"
    rows = [about | {"here": "yes", "problem": None}, about | {"here": "differs", "problem": problem}]
    tables.show_datasets(rows, path.parent)
    *table, empty, folder, differing = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, table)) <= width, "what is wrong widens no column"
    assert (empty, folder) == ("", f"in {path.parent}")
    assert differing == f"imdb differs: {path}, {problem}"
