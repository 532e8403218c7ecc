"""A file of jobs is read line by line; whatever is wrong in it is named with its line."""

import io
import os
import sys
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.errors import InvalidInput, InvalidJob
from jobs.specs.job_file import MOST_LINE_BYTES, read_job_file

A_JOB = "expected a job as a JSON object, on one line"
JOB = '{"model": "autoencoder", "action": "train", "data": "digits"}'


def written(folder: Path, text: str) -> Path:
    path = folder / "jobs.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_empty_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    found = list(read_job_file(written(tmp_path, f"\ufeff{JOB}\n\n  \n{JOB}")))
    assert [where for where, _ in found] == ["jobs.jsonl, line 1", "jobs.jsonl, line 4"]
    assert found[0][1]["model"] == "autoencoder"


def test_standard_input_is_read_for_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(JOB.encode())))
    assert [where for where, _ in read_job_file(Path("-"))] == ["standard input, line 1"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"jobs\.jsonl: expected a job on each line, got none"),
        (f"{JOB}\n[{JOB}]\n", rf"jobs\.jsonl, line 2: {A_JOB}, got a list"),
        ("3", rf"line 1: {A_JOB}, got 3"),
        (f"{JOB}\n{{'model': 1}}\n", rf"line 2: {A_JOB}, got a text that is not JSON from character 2 on"),
        ("[" * 5_000, rf"line 1: {A_JOB}, got (nested too deeply|a text that is not JSON)"),
        ('{"seed": 1e999}', rf"line 1: {A_JOB}, got a number out of range"),
        ('{"model": "autoencoder", "model": "denoiser"}', rf"line 1: {A_JOB}, got the key 'model' twice"),
        ("x" * (MOST_LINE_BYTES + 9), r"line 1: expected a job as JSON, got more than 128 kB"),
    ],
)
def test_what_is_no_job_is_named_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        list(read_job_file(written(tmp_path, text)))


def test_bytes_that_are_no_text_are_called_so(tmp_path: Path) -> None:
    (tmp_path / "jobs.jsonl").write_bytes(b"\x89PNG")
    with pytest.raises(InvalidInput, match=r"line 1: expected .*, got bytes that are not UTF-8"):
        list(read_job_file(tmp_path / "jobs.jsonl"))


def test_what_stands_in_the_wrong_place_is_told_the_right_one(client: Client) -> None:
    good = {"model": "autoencoder", "action": "train", "data": "digits"}
    for wrong, hint in [
        (good | {"epochs": 3}, 'parameters have an object of their own: {"parameters": {"epochs": …}}'),
        (good | {"parameters": {"seed": 3}}, "'seed' is a field of the job, beside its parameters"),
    ]:
        with pytest.raises(InvalidJob) as caught:
            client.submit_all([wrong])
        assert caught.value.hint == hint
    with pytest.raises(InvalidJob, match=r"job 1, job: expected an object .*, got 'model'"):
        client.submit_all(good)  # type: ignore[arg-type]


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, problem in (("pipe", "not a regular file"), ("", "regular file"), ("none", "no such file")):
        with pytest.raises(
            InvalidInput, match=f"file: expected a file with a job on each line, got .*{problem}"
        ):
            list(read_job_file(tmp_path / name))


def test_no_job_is_queued_if_one_is_wrong(client: Client) -> None:
    good = {"model": "autoencoder", "action": "train", "data": "digits"}
    for wrong, problem in [
        (good | {"parameters": {"epochs": 0}}, "job 2, epochs: expected an integer"),
        (good | {"parameters": 3}, "job 2, parameters: expected an object, got 3"),
        (good | {"epochs": 3}, "job 2, field of a job: expected one of .*, got 'epochs'"),
        ({"model": "autoencoder", "action": "evaluate", "from": "none"}, "job 2, from: expected a job's id"),
        ({"action": "train"}, "job 2, model: expected one of .*, got none"),
        (good | {"source": "x"}, "job 2, field of a job: expected one of .*, got 'source'"),
    ]:
        with pytest.raises(InvalidJob, match=problem):
            client.submit_all([good, wrong])
    assert client.jobs() == []
    queued = client.submit_all([good | {"seed": seed, "name": f"n{seed}"} for seed in range(3)])
    assert [job.name for job in client.jobs()] == ["n2", "n1", "n0"]
    assert [job.stored.seed for job in queued] == [0, 1, 2]


TRAIN = {"model": "autoencoder", "action": "train", "data": "digits"}


def test_a_job_may_use_one_before_it_by_its_name(client: Client) -> None:
    older = client.submit("autoencoder", "train", data="digits", name="older")
    evaluate = {"model": "autoencoder", "action": "evaluate", "data": "digits"}
    jobs = client.submit_all(
        [
            TRAIN | {"name": "mine", "seed": 1},
            evaluate | {"from": "mine"},
            evaluate | {"from": "older", "name": "mine"},
            {"model": "denoiser", "action": "train", "data": "digits", "name": "dn"},
            {"model": "denoiser", "action": "evaluate", "from": "dn", "parameters": {"baseline": "mine"}},
        ]
    )
    mine, first, second, denoiser, beside = jobs
    assert [job.id for job in client.jobs()] == [job.id for job in (*jobs[::-1], older)]
    assert [job.stored.source for job in (first, second, beside)] == [mine.id, older.id, denoiser.id]
    assert beside.stored.parameters["baseline"] == mine.id
    assert {job.state for job in (first, second, beside)} == {"waiting"}


@pytest.mark.parametrize(
    ("jobs", "problem"),
    [
        (
            [TRAIN | {"name": "x"}, TRAIN | {"name": "x"}],
            "job 3, from: expected an unambiguous reference, got 'x', the name of 2 jobs before it",
        ),
        (
            [{"model": "denoiser", "action": "train", "data": "digits", "name": "x"}],
            "job 2, from: expected an autoencoder train job, got 'x', the name of a denoiser train job before",
        ),
        ([], "job 1, from: expected a job's id"),
    ],
)
def test_a_name_that_means_no_job_before_queues_none(
    client: Client, jobs: list[dict[str, object]], problem: str
) -> None:
    evaluate = {"model": "autoencoder", "action": "evaluate", "from": "x"}
    with pytest.raises(InvalidJob, match=problem):
        client.submit_all([*jobs, evaluate, TRAIN | {"name": "x"}])
    assert client.jobs() == []
