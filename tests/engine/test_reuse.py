"""A job that equals one which succeeded is not run again; whatever may change its result has it run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jobs.client import Client
from jobs.errors import RedisUnreachable
from jobs.job import Job
from jobs.reuse import EqualJobs
from jobs.settings import Settings
from jobs.specs import spec_maker
from jobs.store import fingerprints
from jobs.sweeps.advance import Advancer
from tests.engine.test_attempt import StubWing, stub  # noqa: F401 - a fixture
from worker.context import JobContext
from worker.engine import attempt, background, fingerprinting
from worker.engine.attempt import execute

WORKER = "w1@here"


class Code:
    """The checksum of the code, of the client and of the worker."""

    here: str | None = "aaaa0000"
    worker: str = "aaaa0000"


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> Code:
    found = Code()
    monkeypatch.setattr(spec_maker, "code_version", lambda _: found.here and {"checksum": found.here})
    monkeypatch.setattr(fingerprinting, "loaded_checksum", lambda _: found.worker)
    return found


@pytest.fixture
def world(client: Client, settings: Settings, stub: StubWing, code: Code) -> "World":  # noqa: F811
    return World(client, settings, stub, code)


class World:
    """A client, and a worker in this process."""

    def __init__(self, client: Client, settings: Settings, wing: StubWing, code: Code) -> None:
        self.client, self.settings, self.wing, self.code = client, settings, wing, code
        wing.action = lambda name: wing.task  # type: ignore[method-assign]  # noqa: ARG005

    def work(self, job: Job) -> Job:
        execute(job.id, self.settings, WORKER)
        background.wait()
        return self.client.job(job.id)

    def train(self, **fields: Any) -> Job:
        """Submit a training job, and run it unless an equal one is there."""
        fields = {"model": "autoencoder", "action": "train", "data": "digits"} | fields
        job = self.client.submit(**fields)
        return job if job.reused else self.work(job)


def test_an_equal_job_is_returned_and_says_so(world: World) -> None:
    first = world.train()
    assert (first.state, first.reused) == ("succeeded", False)
    same = world.train(epochs=20, priority="high", time_limit=50)  # 20 is the default
    assert (same.id, same.reused) == (first.id, True)
    assert world.client.ledger.ids() == [first.id]
    assert world.train(fresh=True).id != first.id


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"epochs": 3}, {"learning_rate": 1e-3}, {"model": "denoiser"}, {"name": "mine"}],
)
def test_another_job_is_run(world: World, changes: dict[str, Any]) -> None:
    first = world.train()
    assert world.train(**changes).id != first.id


def test_a_job_with_a_name_is_found_by_it_afterwards(world: World) -> None:
    named = world.train(name="mine")
    assert world.train().id == world.train(name="mine").id == named.id
    other = world.train(name="other")
    assert world.client.resolve("other") == other.id != named.id
    assert world.client.resolve("mine") == named.id


def test_other_code_runs_it_again(world: World) -> None:
    first = world.train()
    world.code.here = world.code.worker = "bbbb0000"
    second = world.train()
    assert second.id != first.id
    assert world.train().id == second.id
    world.code.here = "aaaa0000"
    assert world.train().id == first.id


def test_a_client_without_tensorflow_believes_workers_that_agree(world: World) -> None:
    first = world.train()
    world.code.here = None
    ledger = world.client.ledger
    assert world.client.find_equal(first.spec) is None

    def announce(name: str, **about: Any) -> str | None:
        ledger.announce_worker(name, {"quartet": "1", **about}, 60)
        found = world.client.find_equal(first.spec)
        return None if found is None else found.id

    mine = json.dumps({"autoencoder": "aaaa0000"})
    assert announce("w1", kind="a", code=mine) == first.id
    assert announce("w2", waiting="for a GPU") == first.id
    assert announce("w3", kind="a") is None
    for other in ("no JSON", "[]", '{"autoencoder": 3}', json.dumps({"autoencoder": "bbbb0000"}), "[" * 99):
        assert announce("w3", kind="a", code=other) is None
    assert announce("w3", kind="a", code=mine) == first.id


def test_without_redis_a_client_without_tensorflow_reuses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.train()
    world.code.here = None

    def away() -> dict[str, dict[str, str]]:
        raise RedisUnreachable("gone")

    monkeypatch.setattr(world.client.ledger, "workers", away)
    assert world.client.find_equal(first.spec) is None


def test_a_persons_own_data_counts_by_its_content(world: World, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("some text, " * 2_000)
    fields = {"model": "textgen", "data": str(text)}
    first = world.train(**fields)
    text.write_text("some text, " * 2_000)
    assert world.train(**fields).id == first.id
    text.write_text("other text," * 2_000)
    second = world.train(**fields)
    assert second.id != first.id
    assert world.train(**fields).id == second.id


def test_data_that_changed_while_the_job_ran_is_not_what_it_read(world: World, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("some text, " * 2_000)

    def task(_: JobContext) -> Mapping[str, float]:
        text.write_text("other text," * 2_000)
        return {"loss": 0.5}

    world.wing.task = task
    first = world.train(model="textgen", data=str(text))
    assert (first.state, world.client.folder(first.id).job["fingerprint"]) == ("succeeded", None)
    assert world.train(model="textgen", data=str(text)).id != first.id


def test_a_job_that_reads_others_equals_one_that_reads_the_same(world: World) -> None:
    trained, other = world.train(), world.train(fresh=True)
    first = world.train(action="evaluate", data=None, source=trained.id)
    assert first.state == "succeeded"
    assert world.train(action="evaluate", data=None, source=trained.id).id == first.id
    assert world.train(action="evaluate", data="digits", source=trained.id).id == first.id
    assert world.train(action="evaluate", data=None, source=other.id).id != first.id


def test_jobs_of_a_file_use_the_equal_ones_before_them(world: World) -> None:
    jobs = [
        {"model": "autoencoder", "action": "train", "data": "digits", "name": "mine"},
        {"model": "autoencoder", "action": "evaluate", "from": "mine", "tags": ["new"]},
    ]
    first = [world.work(job) for job in world.client.submit_all(jobs)]
    again = world.client.submit_all(jobs)
    assert [(job.id, job.reused) for job in again] == [(job.id, True) for job in first]
    third = world.client.submit_all([jobs[0], {**jobs[1], "seed": 3}])
    assert [job.reused for job in third] == [True, False]
    assert third[1].spec.source == first[0].id
    assert not any(job.reused for job in world.client.submit_all(jobs, fresh=True))


def test_the_tags_of_a_job_that_is_not_run_go_to_the_one_in_its_place(world: World) -> None:
    first = world.train(tags=["one"])
    again = world.train(tags=["one", "two"])
    assert (again.id, again.reused, again.tags) == (first.id, True, ("one", "two"))
    assert [job.id for job in world.client.jobs(tags=["two"])] == [first.id]


def test_a_sweep_uses_equal_jobs_whatever_their_names_unless_it_is_fresh(world: World) -> None:
    first = world.train(seed=0, epochs=2, name="by hand")
    equal = EqualJobs(world.client.results, world.settings.data_dir, lambda _: world.code.worker)
    advancer = Advancer(world.client.ledger, world.client.results, equal.find_and_tag)
    common: dict[str, Any] = {"data": "digits", "parameters": {"epochs": [2, 3]}, "parallel": 4}
    world.client.sweep("autoencoder", name="used", tags=["swept"], **common)
    world.client.sweep("autoencoder", name="anew", fresh=True, **common)
    advancer.advance_all()
    used, anew = (world.client.find_sweep(name).entries for name in ("used", "anew"))
    assert [entry.reused for entry in used] == [True, False]
    assert [entry.reused for entry in anew] == [False, False]
    assert used[0].job == first.id
    assert world.client.job(used[1].job).tags == world.client.job(first.id).tags == ("swept",)


def test_rerun_runs_a_job_as_it_is_and_looks_for_what_is_changed(world: World) -> None:
    first = world.train()
    assert world.work(world.client.rerun(first.id)).id != first.id
    changed = world.work(world.client.rerun(first.id, seed=5))
    assert world.client.rerun(first.id, seed=5).id == changed.id
    assert world.client.rerun(first.id, seed=5, fresh=True).id != changed.id


@pytest.mark.parametrize("damage", ["deleted", "damaged", "failed", "another", "not JSON"])
def test_a_folder_that_is_not_that_of_an_equal_success_is_passed_over(world: World, damage: str) -> None:
    first = world.train()
    folder = world.client.results.root / first.id
    record = json.loads((folder / "job.json").read_bytes())
    if damage == "deleted":
        world.client.delete(first.id)
    elif damage == "damaged":
        (folder / "metrics.json").write_text('{"loss": 0.1}')
    else:
        changes: dict[str, Any] = {"failed": {"state": "failed"}, "another": {"fingerprint": {"key": 3}}}
        text = json.dumps(record | changes.get(damage, {}))
        (folder / "job.json").write_text("[" * 5_000 if damage == "not JSON" else text)
    assert world.train().id != first.id


def test_whatever_is_in_the_index_of_fingerprints_is_harmless(world: World) -> None:
    first = world.train()
    key = world.client.folder(first.id).job["fingerprint"]["key"]
    path = world.client.results.root / fingerprints.FOLDER / f"{key[:2]}.jsonl"
    line = path.read_bytes()
    others = ["../../etc", "20991123-221530-042-k7qd", "", "x" * 99]
    hostile = b"".join(line.replace(first.id.encode(), other.encode()) for other in others)
    path.write_bytes(b"\xff\x00\n" + hostile + line[:40] + b"\n" + line + b'{"key":' + line[:20])
    assert world.train().id == first.id
    path.unlink()
    path.symlink_to("/etc/passwd")
    second = world.train()  # and its line replaces the link
    assert second.id != first.id
    assert world.train().id == second.id
    path.unlink()
    path.mkdir()
    assert world.train().id not in (first.id, second.id)


def test_old_folders_are_not_reused(world: World) -> None:
    first = world.train()
    path = world.client.results.root / first.id / "job.json"
    record = json.loads(path.read_bytes())
    del record["fingerprint"]
    path.write_text(json.dumps(record))
    assert world.train().id != first.id


def test_a_job_whose_attempts_ran_other_code_is_the_result_of_neither(world: World) -> None:
    job = world.client.submit("autoencoder", "train", data="digits")
    claim = world.client.ledger.claim(job.id, WORKER, 30, "0" * 16)
    assert claim is not None
    world.client.ledger.log_event(claim, "running on the CPU, code bbbb0000")
    world.client.ledger.hand_back(claim, "w1@here is shutting down")
    assert world.work(job).state == "succeeded"
    assert world.client.folder(job.id).job["fingerprint"] is None


def test_a_job_that_resumes_an_equal_one_is_as_if_it_ran_in_one_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "take_checkpoint", lambda *_: None)
    first = world.train(epochs=2)
    longer = first.spec.model_copy(
        update={"parameters": first.spec.parameters.model_copy(update={"epochs": 4})}
    )
    resumed = world.work(world.client.submit_spec(longer, continues=first.id))
    assert world.train(epochs=4).id == resumed.id
    other = longer.model_copy(
        update={"parameters": longer.parameters.model_copy(update={"learning_rate": 1e-5})}
    )
    mixed = world.work(world.client.submit_spec(other, continues=first.id))
    assert world.client.folder(mixed.id).job["fingerprint"] is None
