"""`quartet data` stores a person's own data, and lists it beside the datasets."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from jobs.cli import running, storing
from jobs.client import Client
from jobs.errors import InvalidData, InvalidInput, QuartetError
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.objects.elsewhere import Elsewhere
from tests.cli.program import quartet_here
from tests.support.own_texts import NOVEL

Quartet = Callable[..., Result]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "novel.txt"
    path.write_text(NOVEL)
    return path


def error(result: Result) -> QuartetError:
    assert isinstance(result.exception, QuartetError)
    return result.exception


def test_data_is_added_listed_shown_and_removed(in_process: Quartet, file: Path) -> None:
    added = in_process("data", "add", str(file), "--name", "novel").stdout
    assert added.startswith("novel: 1 file, 15.1 kB, for sentiment (")
    row = json.loads(in_process("data", "show", "novel", "--json").stdout)
    assert (row["kind"], row["here"], row["files"]) == ("own data", "stored", 1)
    assert "textgen train" in row["models"]
    assert f"sha256 {row['sha256']}" in added.splitlines()
    rows = json.loads(in_process("data", "list", "--json").stdout)
    assert [each for each in rows if each["name"] == "novel"] == [row]
    assert {frozenset(each) for each in rows} == {frozenset(row)}, "every row has the same keys"
    (line,) = (line for line in in_process("data").stdout.splitlines() if line.startswith("novel "))
    assert f"own data stored added {row['added'][:10]}, sha256 {row['sha256'][:12]}…, 1 file" in line
    shown = in_process("data", "show", "novel").stdout
    assert row["path"] in shown
    assert row["sha256"] in shown
    content = Path(row["path"])
    content.rename(content.with_name("lost"))
    assert f"novel no: {content.parent}, which is not there" in in_process("data", "list").stdout
    content.with_name("lost").rename(content)
    refused = error(in_process("data", "remove", "novel"))
    assert isinstance(refused, InvalidInput)
    assert refused.expected == "--yes, since no terminal can be asked"
    assert in_process("data", "remove", "novel", "--yes").stdout == "novel removed\n"
    assert isinstance(error(in_process("data", "show", "novel")), InvalidData)


def test_a_name_that_cannot_be_read_is_listed_with_where_it_is(
    in_process: Quartet, settings: Settings
) -> None:
    names = settings.results_dir / ".data" / "names"
    names.mkdir(parents=True)
    (names / "broken.json").write_text("{")
    said = in_process("data", "list").stdout
    assert f"broken damaged: {names / 'broken.json'}, which cannot be read" in said
    assert len({frozenset(each) for each in json.loads(in_process("data", "list", "--json").stdout)}) == 1


def test_data_in_a_bucket_is_listed_without_being_fetched(
    settings: Settings, s3: str, tmp_path: Path, file: Path
) -> None:
    one, two = (
        settings.model_copy(update={"store": s3, "results_dir": tmp_path / name}) for name in ("one", "two")
    )
    entry = Client(one).add_data(file, name="novel")
    rows = json.loads(quartet_here(two, "data", "list", "--json").stdout)
    (row,) = (row for row in rows if row["name"] == "novel")
    assert (row["here"], row["path"], row["problem"], row["sha256"]) == ("stored", None, None, entry.sha256)
    assert json.loads(quartet_here(two, "data", "show", "novel", "--json").stdout) == row
    assert not (tmp_path / "two" / ".data" / entry.sha256).exists()
    content = f".data/content/{entry.pin.form}.json"
    Elsewhere(s3).write(content, b"{")
    assert "novel damaged: " in quartet_here(two, "data", "list").stdout
    Elsewhere(s3).remove([content])
    assert "which is not there" in quartet_here(two, "data", "list").stdout


def test_a_dataset_is_shown_as_well(in_process: Quartet) -> None:
    assert "always" in in_process("data", "show", "digits").stdout


def test_a_job_that_reads_stored_data_names_it_with_its_checksum(
    in_process: Quartet, settings: Settings, file: Path
) -> None:
    in_process("data", "add", str(file), "--name", "novel")
    (pin,) = (entry.pin for entry in Client(settings).stored_data())
    job_id = in_process("submit", "textgen", "train", "--data", "novel").stdout.strip()
    shown = in_process("show", job_id).stdout
    assert f"data     novel, sha256 {pin.sha256}" in shown
    assert f"--data {pin}" in shown, "the command gives the same job, whatever becomes of the name"
    planned = in_process("sweep", "textgen", "train", "--data", "novel,pydoc", "--dry-run").stdout
    assert pin.shown in planned
    assert pin.sha256 not in planned


def test_much_data_is_asked_about_once_a_person_can_answer(
    client: Client, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    storing.decide_on_storing(client, in_place=False, yes=True)
    client.job_data.allow_large(file, 2 * 10**9)
    storing.decide_on_storing(client, in_place=False, yes=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    with pytest.raises(InvalidData, match=r"2\.0 GB") as refused:
        client.job_data.allow_large(file, 2 * 10**9)
    assert str(refused.value.hint).startswith("--yes stores it; --in-place leaves it")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    with pytest.raises(click.Abort):
        client.job_data.allow_large(file, 2 * 10**9)
    assert "2.0 GB, for workers on other machines? [y/N]" in capsys.readouterr().out


def test_data_that_workers_have_is_left_in_place(client: Client) -> None:
    storing.decide_on_storing(client, in_place=True, yes=False)
    assert not client.job_data.sends


def test_run_leaves_a_path_a_path_wherever_other_workers_are(
    in_process: Quartet, settings: Settings, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs: list[JobSpec] = []

    def stop(_: Client, spec: JobSpec) -> None:
        specs.append(spec)
        raise click.Abort

    monkeypatch.setenv("QUARTET_REDIS_URL", "redis://queue.example:6379/0")
    monkeypatch.setattr(running, "_check_needed_jobs", stop)
    assert isinstance(in_process("run", "textgen", "train", "--data", str(file)).exception, click.Abort)
    assert [spec.data for spec in specs] == [str(file)]
    assert Client(settings).stored_data() == []
