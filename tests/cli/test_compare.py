"""`quartet compare`: what it shows at any width, what it prints for other programs, what it refuses."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from jobs.cli.main import quartet as group
from jobs.client import Client
from jobs.errors import InvalidInput, QuartetError, RedisUnreachable
from jobs.settings import Settings
from tests.cli.program import environment
from tests.comparison.published import evaluated, publish, trained
from tests.support.report_folders import HOSTILE

NAME = "=cmd|' /C calc'!A0"


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command in this process, which is quicker than one of its own; it may refuse."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)

    def invoke(*arguments: str) -> Result:
        done = CliRunner().invoke(group, ["compare", *arguments], standalone_mode=False)
        assert done.exception is None or isinstance(done.exception, QuartetError), done.exception
        return done

    return invoke


@pytest.fixture
def six(client: Client) -> Client:
    """Two learning rates with two seeds each, one that failed and one that waits."""
    for rate, bce in ((0.001, 0.2), (0.002, 0.1)):
        for seed in (0, 1):
            trained(client, bce + seed / 100, learning_rate=rate, seed=seed, name="a name" if seed else NAME)
    trained(client, None, learning_rate=0.01, state="failed", error="the loss is nan\nat step 40", done=1)
    client.submit("autoencoder", "train", data="digits", learning_rate=0.02, epochs=2)
    return client


def at_width(monkeypatch: pytest.MonkeyPatch, width: int | None) -> None:
    monkeypatch.setattr("jobs.cli.compare_table.line_width", lambda: width)


def table_of(done: Result) -> list[str]:
    return done.stdout.partition("\n\n")[2].splitlines()


@pytest.mark.usefixtures("six")
def test_the_table_has_what_differs_beside_the_numbers_the_best_marked(run: Callable[..., Result]) -> None:
    done = run("--last", "6")
    assert done.stdout.startswith(
        "6 jobs (4 succeeded, 1 queued, 1 failed); those that differ by their seed alone share a line: mean ± "
        "standard deviation (seeds); by validation_bce, lower is better; * marks the best.\n"
    )
    header, *lines = table_of(done)
    assert header.split() == [
        "validation_bce",
        "learning_rate",
        "SEED",
        "DONE",
        "NAME",
        "STATE",
        "JOB",
    ]
    assert lines[0].startswith("* 0.105 ± 0.0071 (2) 0.002         0 1  2    ")
    assert lines[1].startswith("  0.205 ± 0.0071 (2) 0.001         0 1  2    ")
    assert " queued " in lines[2]
    assert "failed: the loss is nan at step 40" in lines[3]
    assert len(lines) == 4


@pytest.mark.parametrize("width", [30, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_what_is_left_out_is_said(
    six: Client, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    at_width(monkeypatch, width)
    done = run("--last", "6", "--all-metrics")
    lines = done.stdout.splitlines()
    assert max(map(cell_len, lines)) <= max(width, 40)  # the goal and the job stay
    said = re.search("left out for the width: (.*); --csv", done.stderr)
    left_out = said[1].split(", ") if said else []
    header = table_of(done)[0].split()
    assert header[0] == "validation_bce"
    order = ["baseline_validation_bce", "NAME", "DONE", "SEED", "learning_rate", "STATE", "JOB"]
    assert set(left_out) == set(order[: len(left_out)])
    assert {*header, *left_out} == {"validation_bce", *order}
    assert set(header).isdisjoint(left_out)
    if "JOB" in left_out:
        return
    ids = {job.id for job in six.jobs()}
    assert all(any(job_id.endswith(line.split()[-1]) for job_id in ids) for line in table_of(done)[1:])


def test_a_narrow_table_shows_the_end_of_a_path_and_a_state_without_half_a_reason(
    client: Client, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_width(monkeypatch, 60)
    for name in ("first", "second"):
        path = f"/data/of/somebody/with/long/names/{name}.npz"
        trained(client, 0.2, read={"own": {"name": name, "path": path, "sha256": name}})
    waiting = client.submit("autoencoder", "train", data="digits", epochs=3)
    client.cancel(waiting.id)
    lines = table_of(run("--last", "3"))[1:]
    assert [line.split()[1] for line in lines[:2]] == ["…ames/second.npz", "…names/first.npz"]
    assert " cancelled " in lines[2]


@pytest.mark.usefixtures("six")
def test_numbers_are_chosen_by_name(run: Callable[..., Result]) -> None:
    assert "baseline_validation_bce" not in table_of(run("--last", "6"))[0]  # the same in all jobs
    chosen = run("--last", "6", "--metric", "baseline_validation_bce")
    assert table_of(chosen)[0].split()[0] == "validation_bce"
    assert "baseline_validation_bce" in table_of(chosen)[0]
    by_other = table_of(run("--last", "6", "--sort", "baseline_validation_bce"))
    assert by_other[0].split()[0] == "baseline_validation_bce"


def test_one_job_is_shown_and_a_doubtful_one_is_marked(client: Client, run: Callable[..., Result]) -> None:
    job_id = trained(client, 0.25, warnings=["no better than the mean image"])
    done = run(job_id[-8:])
    assert done.stdout.startswith("There is one job alone, so nothing differs.\n")
    assert table_of(done)[1].split() == ["!", "0.25", "0.4", job_id]
    assert "! marks doubtful numbers" in done.stderr


def test_jobs_of_several_kinds_and_data_are_said_above_the_table(
    client: Client, run: Callable[..., Result]
) -> None:
    evaluated(client, trained(client, 0.25), 20.0)
    lines = run("--last", "2").stdout.splitlines()
    assert lines[0].startswith(
        "These are jobs of several kinds, compared by the numbers that all kinds have: "
    )
    assert "no number is common to them" in lines[1]


def test_what_a_stranger_wrote_controls_no_terminal(
    client: Client, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in HOSTILE]
    for number, text in enumerate(texts):
        about = {"learning_rate": 1e-3 * (1 + number)}
        job = client.submit("autoencoder", "train", **about)
        spec = {
            "model": text,
            "action": text,
            "name": text,
            "data": text,
            "parameters": {text: text, "x": number},
        }
        record = {
            "id": job.id,
            "state": "succeeded",
            "spec": spec,
            "seed": text,
            "data": {text: {"name": text}},
        }
        record |= {"warnings": [text], "error": text, "versions": {"keras": text}, "code": {"checksum": text}}
        publish(client, job, {text: number / 7}, files={"job.json": json.dumps(record)})
    for width, form in ((80, "--all-metrics"), (None, "--all-metrics"), (None, "--csv"), (None, "--json")):
        at_width(monkeypatch, width)
        done = run("--last", "99", form)
        assert done.exception is None
        assert width is None or max(map(cell_len, done.stdout.splitlines())) <= width
        for text in (done.stdout, done.stderr):
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert len(list(csv.reader(io.StringIO(run("--last", "99", "--csv").stdout)))) == 1 + len(texts)


def test_rows_are_printed_for_other_programs(six: Client, run: Callable[..., Result]) -> None:
    rows = json.loads(run("--last", "6", "--json").stdout)
    assert rows == six.table(last=6)
    printed = list(csv.DictReader(io.StringIO(run("--last", "6", "--csv").stdout)))
    assert [row["id"] for row in printed] == [row["id"] for row in rows]
    assert {row["name"] for row in printed} == {"", "a name", f"'{NAME}"}
    pytest.importorskip("pyarrow")
    assert run("--last", "6", "--parquet", "jobs.parquet").stdout == "jobs.parquet\n"
    assert Path("jobs.parquet").stat().st_size > 1_000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "jobs: expected jobs, or --sweep, --tag or --last, got none"),
        (["nobody"], "job: expected a job's id"),
        (["--last", "0"], "last: expected an integer ≥ 1, got 0"),
        (["--last", "many"], "last: expected an integer ≥ 1, got 'many'"),
        (["--last", "3", "--sort", "psnr"], "sort: expected one of validation_bce"),
        (["--last", "3", "--metric", "psnr"], "metric: expected one of validation_bce"),
        (["--tag", "none"], "jobs: expected jobs tagged none, got none"),
        (["--sweep", "none"], "sweep: expected the name of a sweep, got 'none'"),
        (["--last", "3", "--model", "nobody"], "model: expected one of autoencoder"),
        (["--last", "3", "--csv", "--json"], "output: expected one of --csv, --json, --parquet, --page"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(
    client: Client, run: Callable[..., Result], arguments: list[str], sentence: str
) -> None:
    trained(client)
    error = run(*arguments).exception
    assert isinstance(error, InvalidInput)
    assert sentence in str(error)


def test_without_redis_what_has_a_folder_is_shown_and_the_rest_is_said_to_be_missing(
    client: Client, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(client, 0.25)
    monkeypatch.setenv("QUARTET_REDIS_URL", "redis://127.0.0.1:1/0")
    done = run("--last", "3")
    assert "0.25" in table_of(done)[1]
    assert isinstance(done.exception, RedisUnreachable)
    assert "these are the jobs with a folder" in str(done.exception)


@pytest.mark.quality
@pytest.mark.usefixtures("six")
def test_a_page_is_written_into_the_working_folder(run: Callable[..., Result]) -> None:
    done = run("--last", "6", "--page")
    assert done.stdout == f"{Path.cwd() / 'compare.html'}\n"
    assert "validation_bce" in Path("compare.html").read_text()
