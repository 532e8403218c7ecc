"""A rolling upgrade under load: workers of two versions, and jobs that only one of them understands."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.job import Job
from tests.containers.fleet import running, shell, submit, workers
from tests.support.compose_project import Project
from tests.support.processes import ended, until
from tests.support.readme import script

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

EACH = 2
"""Jobs of each kind."""

RENAMED = """
    @property
    def noise(self) -> float:
        return self.noise_level

    @classmethod
    def migrated(cls, values, schema):
        return {"noise_level" if name == "noise" else name: value for name, value in values.items()}
"""


def publish_new_version(checkout: Path) -> None:
    """As if its author had renamed the denoiser's `noise` and removed the character model's `window`."""

    def edit(path: str, old: str, new: str) -> None:
        file = checkout / "worker" / "tasks" / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    edit("denoiser/spec.py", "    noise: float =", "    noise_level: float =")
    edit("denoiser/spec.py", "\n\nclass Evaluate", f"{RENAMED}\n\nclass Evaluate")
    edit("denoiser/report.py", '["noise"]', '["noise_level"]')
    window = next(
        line
        for line in (checkout / "worker/tasks/textgen/spec.py").read_text().splitlines()
        if line.startswith("    window: int =")
    )
    edit("textgen/spec.py", window, "    window: ClassVar[int] = 25")


def of_the_old_version(outside: Client) -> dict[str, list[Job]]:
    """Jobs of a client that nobody has upgraded: those that both versions understand, and two other kinds."""
    small = {"data": "pydoc", "units": 16, "batch_size": 256, "epochs": 1, "fresh": True}
    found: dict[str, list[Job]] = {"both": [], "renamed": [], "removed": []}
    for seed in range(EACH):
        both = outside.submit("autoencoder", "train", data="digits", epochs=40, seed=seed, fresh=True)
        renamed = outside.submit(
            "denoiser", "train", data="digits", epochs=40, noise=0.4, seed=seed, fresh=True
        )
        found["both"].append(both)
        found["renamed"].append(renamed)
        found["removed"].append(outside.submit("textgen", "train", window=20, seed=seed, **small))
    return found


def submitted_by_the_new_version(quartet: Project, outside: Client, noise: str) -> Job:
    """A job that the old version does not understand."""
    train = ("denoiser", "train", "--data", "digits", "--epochs", "40", "--noise-level", noise)
    return outside.job(quartet.client("submit", *train))


def test_each_job_runs_on_a_worker_that_understands_it_while_all_are_replaced(
    quartet: Project, outside: Client
) -> None:
    old = {quartet.node(name) for name in workers(quartet)}
    before = set(outside.results.ids())
    pull, *look = script("operating.md", "git pull").splitlines()
    assert pull == "git pull"
    publish_new_version(quartet.folder)
    busy = submit(outside, 3, 100_000)
    running(outside, 3)
    jobs = of_the_old_version(outside)
    began = time.monotonic()
    said = shell(quartet, "\n".join(look))
    built = time.monotonic() - began
    assert f"this version does not understand {EACH} of {3 * EACH}: " in said
    assert "parameter of textgen train: expected one of" in said
    assert "noise" not in said

    with ThreadPoolExecutor(1) as pool:
        upgrading = pool.submit(shell, quartet, script("operating.md", "for worker in $old"))
        [new] = until(lambda: {each.name for each in outside.workers()} - old, 120, "a new worker")
        jobs["new"] = [
            submitted_by_the_new_version(quartet, outside, f"0.{number + 1}") for number in range(EACH)
        ]
        for kind in ("both", "renamed", "new"):
            assert {ended(outside, job.id, 120).worker for job in jobs[kind]} == {new}
        waits = " ".join(
            quartet.compose("run", "--rm", "-T", "client", "show", jobs["removed"][0].id).split()
        )
        assert "those that were asked do not understand it (parameter of textgen train" in waits
        for job in busy:
            outside.cancel(job.id)
        upgrading.result()
    now = {quartet.node(name) for name in workers(quartet)}
    assert (len(now), now & old) == (len(old), set())
    until(lambda: {worker.name for worker in outside.workers()} == now, 60, "the start of the last ones")
    assert {ended(outside, job.id).worker for job in jobs["removed"]} <= old
    done = [outside.job(job.id) for some in jobs.values() for job in some]
    assert {job.state for job in done} == {"succeeded"}, quartet.logs()
    assert [outside.folder(job.id).verify() for job in done] == [[]] * len(done)
    assert {outside.folder(job.id).job["lost_workers"] for job in done} == {0}
    assert set(outside.results.ids()) - before == {job.id for job in (*done, *busy)}
    sys.stdout.write(
        f"\nnew version built and asked in {built:.0f} s; {len(old)} workers replaced while {len(done)} jobs of "
        f"4 kinds ran, in {time.monotonic() - began:.0f} s\n"
    )


def test_a_job_that_only_the_old_version_understands_says_so_once_that_is_gone(
    quartet: Project, outside: Client
) -> None:
    job = outside.submit("textgen", "train", data="pydoc", window=20, name="old")
    until(lambda: outside.ledger.declined() == [job.id], 60, "the refusal")
    shown = " ".join(quartet.compose("run", "--rm", "-T", "client", "show", "old").split())
    assert "waits for a worker that understands it; those that were asked do not understand it (par" in shown
    assert job.id in quartet.compose("run", "--rm", "-T", "client", "list", "--state", "queued")
    other = outside.submit("denoiser", "train", data="digits", epochs=1, noise=0.4, fresh=True)
    assert ended(outside, other.id, 60).state == "succeeded", "neither held up, nor unknown by its old name"
    assert outside.job(job.id).state == "queued"
    quartet.client("cancel", "old")
    assert ended(outside, job.id, 30).state == "cancelled"
