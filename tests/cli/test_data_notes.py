"""How a person's own data is read is said when a job is submitted, and by `quartet show` once it has ended."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from jobs.client import Client
from jobs.ids import new_job_id
from jobs.spec import JobSpec
from tests.support.report_folders import job_record, write_folder

NOTE = "own.txt was read as Windows-1252, since it is not UTF-8."
SAID = f"note: {NOTE}\n"
Invoke = Callable[..., Result]


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "own.txt"
    lines = (f"“Schön”, sagte sie und trank ihren {number}. Café crème.\n" for number in range(40))
    path.write_bytes("".join(lines).encode("cp1252"))
    return str(path)


def test_submit_and_rerun_print_a_note_once_and_give_it_as_json(in_process: Invoke, own: str) -> None:
    done = in_process("submit", "textgen", "train", "--data", own)
    assert (done.stderr, len(done.stdout.split())) == (SAID, 1)
    again = in_process("submit", "textgen", "train", "--data", own, "--json")
    assert (again.stderr, json.loads(again.stdout)["notes"]) == (SAID, [NOTE])
    rerun = in_process("rerun", "latest", "--set", "units=7", "--json")
    assert (rerun.stderr, json.loads(rerun.stdout)["notes"]) == (SAID, [NOTE])
    assert in_process("submit", "textgen", "train").stderr == ""


def test_jobs_of_a_file_and_a_sweep_print_it_once(in_process: Invoke, own: str, tmp_path: Path) -> None:
    line = json.dumps({"model": "textgen", "action": "train", "data": own})
    (tmp_path / "jobs.jsonl").write_text(f"{line}\n{line}\n")
    done = in_process("submit", "--file", str(tmp_path / "jobs.jsonl"), "--json")
    assert (done.stderr, [job["notes"] for job in json.loads(done.stdout)]) == (SAID, [[NOTE], [NOTE]])
    swept = in_process("sweep", "textgen", "train", "--data", own, "--units", "8,9", "--dry-run")
    assert swept.stderr == SAID


def test_stored_data_is_noted_by_its_name(in_process: Invoke, own: str) -> None:
    assert in_process("data", "add", own, "--name", "cafe").exception is None
    done = in_process("submit", "textgen", "train", "--data", "cafe")
    assert done.stderr == SAID.replace("own.txt", "cafe")


def test_a_job_that_was_submitted_has_its_notes(client: Client, own: str) -> None:
    assert client.submit("textgen", "train", data=own).notes == (NOTE,)
    assert client.submit("textgen", "train").notes == ()
    assert [
        job.notes for job in client.submit_all([{"model": "textgen", "action": "train", "data": own}])
    ] == [(NOTE,)]


def test_show_has_the_notes_of_a_job_that_has_ended(in_process: Invoke, client: Client, own: str) -> None:
    spec = JobSpec.make("textgen", "train", data=own)
    record = job_record(spec, job_id=new_job_id(), continues=None, notes=[NOTE, "Two\x1b[2J\nlines."])
    write_folder(client.results.root, record, {})
    shown = in_process("show", record["id"]).stdout
    lines = [line.split(maxsplit=1)[1] for line in shown.splitlines() if line.startswith("noted ")]
    assert lines == [NOTE, "Two[U+001B][2J"]
    assert json.loads(in_process("show", record["id"], "--json").stdout)["notes"][0] == NOTE
