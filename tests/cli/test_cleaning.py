"""`prune`, `archive` and `restore`, as a person types them; docs/cleaning-up.md is run as it stands there."""

import io
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from jobs.cli.cleaning import prune_command
from jobs.client import Client
from jobs.errors import InvalidInput, JobConflict
from tests.support.ended_jobs import end
from tests.support.readme import ROOT, blocks

Command = Callable[..., Result]


def test_the_documented_commands_do_what_they_say(
    client: Client, in_process: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "cleaning-up.md").read_text(encoding="utf-8")
    lines = [line for kind, block in blocks(text) if kind == "sh" for line in block.splitlines()]
    assert len(lines) >= 8
    kept, other = (client.submit("autoencoder", "train", data="digits", seed=seed) for seed in (1, 2))
    for job in (kept, other):
        end(client, job)
    monkeypatch.chdir(tmp_path)
    for line in lines:
        [program, *arguments] = shlex.split(line.replace("JOB", kept.id), comments=True)
        done = in_process(*arguments)
        assert program == "quartet"
        assert done.exit_code == 0, (line, done.exception)
    assert done.stdout.endswith("matches its manifest\n")
    assert {job.id for job in client.jobs()} == {kept.id, other.id}


def test_a_person_reads_what_goes_and_is_asked(
    client: Client, in_process: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job, tagged = (
        client.submit("autoencoder", "train", data="digits", name=name) for name in ("old", "kept")
    )
    for each in (job, tagged):
        end(client, each)
    client.tag(tagged, add=["paper"])
    size = sum(path.stat().st_size for path in (client.results.root / job.id).iterdir())
    asked = ("--older", "2099-01-01", "--keep-tagged")
    refused = in_process("prune", *asked).exception
    assert isinstance(refused, InvalidInput)
    assert (refused.field, refused.hint) == ("--yes", f"1 job would go, {size / 1000:.1f} kB")
    for wrong, field in (((*asked, "--keep-best", "0"), "keep_best"), (("--keep-tagged", "--yes"), "older")):
        refused = in_process("prune", *wrong).exception
        assert isinstance(refused, InvalidInput)
        assert refused.field == field
    told = json.loads(in_process("prune", *asked, "--dry-run", "--json").stdout)
    assert (told["bytes"], told["kept"], told["jobs"][0]["id"]) == (size, {"tagged": 1}, job.id)
    for answer in ("n", "y"):
        terminal = io.StringIO(f"{answer}\n")
        terminal.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr("sys.stdin", terminal)
        if answer == "n":
            with pytest.raises(click.Abort):
                prune_command.main(list(asked), standalone_mode=False)
            assert len(client.jobs()) == 2
        else:
            prune_command.main(list(asked), standalone_mode=False)
        table, _, ends = capsys.readouterr().out.partition("\n\n")
        assert [line.split() for line in table.splitlines()] == [
            ["JOB", "WHAT", "NAME", "STATE", "ENDED", "SIZE"],
            [job.id, "autoencoder", "train", "old", "succeeded", "2026-11-23", f"{size / 1000:.1f}", "kB"],
        ]
        asks = f"1 job goes, {size / 1000:.1f} kB\n1 job stays: 1 tagged\nDelete 1 job for good? [y/N] "
        done = "nothing was deleted" if answer == "n" else f"1 job deleted, {size / 1000:.1f} kB"
        assert ends == f"{asks}{done}\n"
    assert [each.id for each in client.jobs()] == [tagged.id]


def test_what_stays_after_all_is_named(
    client: Client, in_process: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = client.submit("autoencoder", "train", data="digits")
    end(client, job)
    rename = Path.rename

    def rename_and_submit(self: Path, target: Path) -> Path:
        if self.name == job.id:
            client.submit("autoencoder", "evaluate", source=job.id)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_and_submit)
    done = in_process("prune", "--older", "2099-01-01", "--yes")
    assert isinstance(done.exception, JobConflict)
    assert done.stdout.endswith("\n0 jobs deleted, 0 B\n")
    assert done.stderr.startswith(f"{job.id} stays: job: expected one that no unfinished job needs")
    assert client.folder(job).verify() == []


def test_a_job_that_is_named_twice_is_archived_once_and_each_is_told_as_it_comes_back(
    client: Client, in_process: Command, tmp_path: Path
) -> None:
    jobs = [client.submit("autoencoder", "train", data="digits", name=name) for name in ("one", "two")]
    for job in jobs:
        end(client, job)
    path = tmp_path / "a.tar.zst"
    assert in_process("archive", "one", jobs[0].id, str(path)).stderr.startswith("1 job, ")
    path.unlink()
    assert in_process("archive", "one", "two", str(path)).stderr.startswith("2 jobs, ")
    client.delete("one")
    (client.results.root / jobs[1].id / "job.json").write_text("another")
    done = in_process("restore", str(path))
    assert isinstance(done.exception, JobConflict)
    assert done.stdout == f"{jobs[0].id} restored\n"
