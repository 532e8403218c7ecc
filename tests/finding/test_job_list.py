"""Lists: the ledger and the folders together, without the models' code, and at a cost that history does not raise."""

import json
import os
import re
import secrets
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.client import Client
from jobs.errors import DamagedFolder, InvalidInput, UnknownJob
from jobs.finding.job_list import MOST_ASKED
from jobs.ids import new_job_id
from jobs.job import Job
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.history import History
from jobs.store.job_folder import JobFolder
from tests.cli.program import QUARTET, environment, quartet, quartet_here
from tests.support.report_folders import job_record, write_folder

SPEC = JobSpec.make("autoencoder", "train", data="digits", parameters={"epochs": 3})


def ended_in_redis(client: Client, job: Job, state: Any = "succeeded") -> None:
    claim = client.ledger.claim(job.id, "w", 30, secrets.token_hex(8))
    assert claim is not None
    client.ledger.finish(claim, state, finished=round(time.time() * 1000), folder=job.id)


def folder_of(client: Client, job_id: str, spec: Any = SPEC, **changes: Any) -> JobFolder:
    """A folder as a worker leaves it, in the index as well."""
    write_folder(client.results.root, job_record(spec, job_id=job_id, **{"continues": None, **changes}))
    folder = JobFolder(client.results.root / job_id)
    History(client.results).add(folder)
    return folder


def ids(jobs: list[Job]) -> list[str]:
    return [job.id for job in jobs]


def test_jobs_that_have_left_redis_are_listed_from_the_index(client: Client) -> None:
    old = new_job_id()
    folder_of(client, old)
    queued = client.submit("autoencoder", "train", data="digits")
    assert ids(client.jobs()) == [queued.id, old]
    assert ids(client.jobs("succeeded")) == [old]
    assert ids(client.jobs("queued")) == [queued.id]
    [listed] = client.jobs("succeeded")
    assert (listed.kind, listed.state, listed.attempt) == ("autoencoder train", "succeeded", 1)
    assert listed.spec == SPEC, "its folder is read when it is asked for"
    assert listed.as_dict() | {"continues": None} == client.job(old).as_dict()
    (client.results.root / old / "job.json").write_text("{")
    [listed] = client.jobs("succeeded")
    assert listed.as_dict()["spec"]["model"] == "autoencoder"


def test_the_newest_are_listed_and_all_that_have_not_ended(client: Client) -> None:
    waiting = [client.submit("autoencoder", "train", data="digits") for _ in range(3)]
    for _ in range(5):
        folder_of(client, new_job_id())
    ended = [client.submit("autoencoder", "train", data="digits") for _ in range(2)]
    for job in ended:
        ended_in_redis(client, job)
    every = client.jobs()
    assert len(every) == 10
    assert ids(client.jobs(newest=4)) == ids(every)[:4] + ids(waiting)[::-1]
    assert ids(client.jobs("succeeded", newest=4)) == ids(every)[:4]
    assert ids(client.jobs(newest=0)) == ids(waiting)[::-1]
    for wrong in (-1, 1.5, "x", True):
        with pytest.raises(InvalidInput, match="newest: expected an integer ≥ 0, or None, got"):
            client.jobs(newest=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=r"state: expected one of waiting, .*, got 'done'"):
        client.jobs("done")  # type: ignore[arg-type]


def test_the_folder_is_right_where_redis_still_says_that_a_job_runs(client: Client) -> None:
    old = client.submit("autoencoder", "train", data="digits", name="n")
    assert client.ledger.claim(old.id, "w", 30, secrets.token_hex(8)) is not None
    assert client.job(old.id).state == "running"
    folder_of(client, old.id, state="cancelled")
    new = client.retry(old.id)
    assert [(job.id, job.state) for job in client.jobs()] == [(new.id, "queued"), (old.id, "cancelled")]
    assert client.jobs("running") == []
    assert client.job("n").state == "cancelled"
    assert quartet_here(client.settings, "list", "--state", "running", "--json").stdout.strip() == "[]"


ODD: dict[str, dict[str, Any]] = {
    "a model that is not installed": {"model": "vae", "action": "train", "parameters": {"beta": 2}},
    "a parameter that was renamed": {"model": "autoencoder", "action": "train", "parameters": {"rate": 1}},
    "an action of a later version": {"model": "autoencoder", "action": "distil"},
    "a later schema": {"schema": 99, "model": "autoencoder", "action": "train", "tenant": "x"},
}


def test_jobs_that_this_version_does_not_understand_are_shown_by_every_command(client: Client) -> None:
    kinds, queued, folders = {}, [], []
    for spec in ODD.values():
        job, old = client.submit("autoencoder", "train", data="digits"), new_job_id()
        client.ledger.redis.hset(f"quartet:job:{job.id}", "spec", json.dumps(spec))
        complete = StoredSpec.read(spec).complete() | {"schema": spec.get("schema", 2)}
        folder = folder_of(client, old, complete, set=["beta"])
        (folder.path / "report.html").write_text("a page")
        kinds |= dict.fromkeys((job.id, old), f"{spec['model']} {spec['action']}")
        queued.append(job.id)
        folders.append(folder)
    assert {job.id: job.kind for job in client.jobs()} == kinds
    listed = quartet_here(client.settings, "list")
    rows = [line.split() for line in listed.stdout.splitlines()[1:]]
    assert {row[0]: " ".join(row[2:4]) for row in rows} == kinds
    assert listed.stderr == ""
    specs = {
        row["id"]: row["spec"] for row in json.loads(quartet_here(client.settings, "list", "--json").stdout)
    }
    assert [specs[job_id]["parameters"] for job_id in queued] == [
        spec.get("parameters", {}) for spec in ODD.values()
    ]
    for folder, job_id in zip(folders, queued, strict=True):
        assert client.job(folder.id).as_dict()["spec"]["model"] == client.job(job_id).model
        assert client.timeline(folder.id)
        assert client.folder(folder.id).verify() == ["MANIFEST.sha256 is missing"]
        with pytest.raises(InvalidInput):
            client.job(job_id).spec.model_dump()
    shown = quartet_here(client.settings, "show", queued[0])
    assert "quartet submit vae train --beta 2" in shown.stdout
    assert "for a worker; none is running" in shown.stdout
    assert shown.stderr == quartet_here(client.settings, "show", folders[0].id).stderr == ""
    assert str(folders[0].path) in quartet_here(client.settings, "report", folders[0].id).stdout
    quartet_here(client.settings, "rebuild")
    for job_id in queued:
        assert client.cancel(job_id).state == "cancelled"
    quartet_here(client.settings, "watch", queued[0], code=1)


@pytest.mark.chaos
def test_a_record_that_is_damaged_altogether_is_one_warning_and_hides_no_other(client: Client) -> None:
    jobs = [client.submit("autoencoder", "train", data="digits") for _ in range(6)]
    for job, values in zip(
        jobs,
        ({"spec": "{"}, {"spec": "[]"}, {"state": "owned"}, {"attempt": "many"}, {"submitted": str(10**30)}),
        strict=False,
    ):
        client.ledger.redis.hset(f"quartet:job:{job.id}", mapping=values)
    listing = client.listing()
    assert (ids(listing.jobs), listing.unreadable) == ([jobs[5].id], ids(jobs[:5])[::-1])
    said = quartet_here(client.settings, "list")
    assert len(said.stdout.splitlines()) == 2
    assert said.stderr.splitlines() == [
        f"5 jobs cannot be read ({jobs[4].id}, {jobs[3].id}, {jobs[2].id}, …); `quartet show JOB` says why"
    ]
    for job in jobs[:5]:
        refused = quartet_here(client.settings, "show", job.id, code=2).stderr
        assert refused.startswith(
            f"quartet: job {job.id}: expected a record in Redis that this version can read"
        )


def test_a_folder_that_is_damaged_is_one_warning_and_hides_no_other(client: Client) -> None:
    good, bad = new_job_id(), new_job_id()
    folder_of(client, good)
    folder = folder_of(client, bad)
    (folder.path / "job.json").write_text("{")
    History(client.results).add(folder)
    said = quartet_here(client.settings, "list")
    assert [line.split()[0] for line in said.stdout.splitlines()] == ["JOB", good]
    assert said.stderr == f"1 job cannot be read ({bad}); `quartet show JOB` says why\n"


def test_an_enormous_text_makes_no_enormous_table(client: Client) -> None:
    jobs = [client.submit("autoencoder", "train", data="digits") for _ in range(20)]
    spec = {"schema": 2, "model": "m" * 100_000, "action": "train", "name": "\x1b[2J" + "n" * 1_000_000}
    client.ledger.redis.hset(f"quartet:job:{jobs[0].id}", "spec", json.dumps(spec))
    said = quartet_here(client.settings, "list").stdout
    assert len(said) < 20_000
    assert "\x1b" not in said


def test_a_shorter_list_says_that_there_are_more(client: Client) -> None:
    fill(client, 1_000)
    unfinished = client.submit("autoencoder", "train", data="digits")
    for number in range(3):
        folder_of(client, f"20200101-00000{number}-000-aaaa")
    said = quartet_here(client.settings, "list")
    assert len(said.stdout.splitlines()) == 1_001
    assert unfinished.id in said.stdout
    assert said.stderr == "these are the newest 1,000; `quartet list --all` lists all\n"
    said = quartet_here(client.settings, "list", "--all")
    assert (len(said.stdout.splitlines()), said.stderr) == (1_005, "")


def fill(client: Client, count: int) -> list[str]:
    """Finished jobs in Redis, written without the ledger, as they would be too slow."""
    made = [
        f"20260101-{n // 3600 % 24:02d}{n // 60 % 60:02d}{n % 60:02d}-{n // 86_400:03d}-aaaa"
        for n in range(count)
    ]
    record = {
        "spec": StoredSpec.of(SPEC).to_json(), "state": "succeeded", "attempt": 1, "lost": 0, "stop": "", "error": "",
        "submitted": 1_767_225_600_000, "started": 1_767_225_600_000, "finished": 1_767_225_600_000, "folder": "x",
        "name": "", "list": "quartet.training\x06\x163", "task": "autoencoder.train", "continues": "",
    }  # fmt: skip
    pipeline = client.ledger.redis.pipeline(transaction=False)
    for job_id in made:
        pipeline.hset(f"quartet:job:{job_id}", mapping=record)
    for key in ("jobs", "state:succeeded"):
        pipeline.zadd(f"quartet:{key}", dict.fromkeys(made, 0))
    pipeline.execute()
    return made


@pytest.fixture(params=[1_000, 10_000])
def large(request: pytest.FixtureRequest, client: Client) -> tuple[Client, list[str]]:
    """A client with so many finished jobs in Redis."""
    return client, fill(client, request.param)


def commands(client: Client, call: Callable[[], Any]) -> dict[str, int]:
    """How often Redis did each command while `call` ran; a script counts with what it calls.

    All that read a part of a sorted set count as `zrange`.
    """
    client.ledger.redis.config_resetstat()
    call()
    found = client.ledger.redis.info("commandstats")
    counts: Counter[str] = Counter()
    for key, about in found.items():
        name = key.removeprefix("cmdstat_")
        counts["zrange" if re.match("zr(ev)?range", name) else name] += about["calls"]
    del counts["config|resetstat"]
    return dict(counts)


def test_looking_costs_no_more_with_more_history(large: tuple[Client, list[str]]) -> None:
    client, made = large
    client.submit("autoencoder", "train", data="digits", name="mine")
    newest = client.resolve("latest")
    assert commands(client, lambda: client.resolve(newest)) == {}
    assert commands(client, lambda: client.resolve("latest")) == {"zrange": 1}
    named = commands(client, lambda: client.resolve("mine"))
    assert named["hget"] <= MOST_ASKED + 2, "its namesakes are looked for among the newest"
    assert named | {"hget": 0} == {"hget": 0, "zrange": 4, "hmget": 1}
    assert commands(client, lambda: client.resolve(newest[:-1])) == {"hget": 1, "zrange": 1}
    assert commands(client, lambda: client.job(newest)) == {"hmget": 1}
    plain = commands(client, lambda: client.submit("autoencoder", "train", data="digits"))
    assert sum(plain.values()) < 60
    latest = commands(client, lambda: client.submit("autoencoder", "evaluate", source="latest"))
    assert sum(latest.values()) < 150
    with pytest.raises(UnknownJob):
        client.resolve("nobody")
    with pytest.raises(UnknownJob, match=r"'2026', a part of several jobs: .*, …"):
        client.resolve("2026")
    spent = commands(client, lambda: client.jobs(newest=1_000))
    assert spent["hmget"] <= 1_001
    assert set(spent) <= {"hmget", "zrange"}
    assert spent["zrange"] == 4
    assert made


def test_showing_and_listing_by_the_program_ask_redis_little(large: tuple[Client, list[str]]) -> None:
    client, made = large
    for arguments, most in (
        (("show", made[-1]), 12),
        (("list",), 1_020),
        (("list", "--state", "failed"), 10),
    ):
        spent = commands(client, lambda arguments=arguments: quartet(client.settings, *arguments))
        assert sum(spent.values()) <= most, (arguments, spent)
        assert not {"keys", "scan", "info"} & set(spent)


def test_the_latest_training_job_is_found_where_it_is(client: Client) -> None:
    old = new_job_id()
    folder_of(client, old, JobSpec.make("denoiser", "train", data="digits"))
    for _ in range(70):
        client.submit("autoencoder", "train", data="digits")
    evaluation = client.submit("denoiser", "evaluate", source="latest")
    assert evaluation.stored.source == old
    new = client.submit("denoiser", "train", data="digits")
    assert client.submit("denoiser", "evaluate", source="latest").stored.source == new.id
    client.cancel(new.id)
    assert client.submit("denoiser", "evaluate", source="latest").stored.source == old


@pytest.mark.skipif(os.geteuid() != 0, reason="only root turns into another user")
def test_a_results_folder_that_cannot_be_read_is_one_sentence(client: Client) -> None:
    folder_of(client, new_job_id())
    assert len(client.jobs()) == 1
    client.results.root.chmod(0o700)
    sentence = f"the results folder {client.results.root} cannot be read (permission denied)"
    for call in (
        client.jobs,
        lambda: client.job("latest"),
        lambda: client.folder("x"),
        lambda: client.job(new_job_id()),
    ):
        os.seteuid(65534)
        try:
            with pytest.raises(DamagedFolder) as caught:
                call()
        finally:
            os.seteuid(0)
        assert str(caught.value) == sentence


def test_a_full_volume_behind_the_output_is_one_sentence(client: Client) -> None:
    client.submit("autoencoder", "train", data="digits")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [QUARTET, "list"],
            env=environment(client.settings),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "no space left on device" in done.stderr.lower()
