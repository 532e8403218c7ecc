"""Hosts with disks of their own, one Redis and one S3 server: nothing is lost or doubled, whatever dies."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from jobs.client import Client
from jobs.job import Job
from jobs.local.supervisor import LocalWorker, end_workers
from jobs.settings import Settings
from jobs.store.job_folder import MANIFEST
from jobs.store.objects.fetching import published
from tests.support.object_stores import FaultyWay
from tests.support.processes import ended, progress_of, until
from tests.support.same_bits import check_same_bits

pytestmark = pytest.mark.chaos


@dataclass
class Host:
    """A machine: a disk, and workers that lose it when the machine is lost."""

    name: str
    settings: Settings
    folder: Path
    workers: list[LocalWorker] = field(default_factory=list)

    def start(self, count: int = 1) -> None:
        for _ in range(count):
            name = f"{self.name}{len(self.workers) + 1}"
            log = self.folder / f"{name}.log"
            self.workers.append(LocalWorker(self.settings, self.settings.redis_address(), name, log))

    def lose(self) -> None:
        """Kill all that runs there, and take the disk."""
        for worker in self.workers:
            if worker.process.poll() is None:
                process = psutil.Process(worker.process.pid)
                for each in [process, *process.children(recursive=True)]:
                    each.kill()
                worker.process.wait()
        shutil.rmtree(self.settings.results_dir, ignore_errors=True)

    def kill_job(self) -> None:
        """Kill the process that does the job of one of its workers."""
        for child in psutil.Process(self.workers[-1].process.pid).children(recursive=True):
            if child.memory_info().rss > 200e6:
                child.kill()

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-6000:] for path in self.folder.glob("*.log"))

    def end(self) -> None:
        end_workers([worker.process for worker in self.workers], 5)


@pytest.fixture
def way(s3: str, s3_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWay]:  # noqa: ARG001
    """What workers and clients have between them and the store."""
    found = FaultyWay(s3_port)
    with found.open() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        yield found


@pytest.fixture
def hosts(way: FaultyWay, settings: Settings, s3: str, tmp_path: Path) -> Iterator[dict[str, Host]]:  # noqa: ARG001
    """Two machines."""
    found = {}
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        changes = {"results_dir": folder / "results", "state_dir": folder / "state", "store": s3}
        found[name] = Host(name, settings.model_copy(update=changes), folder)
    yield found
    for host in found.values():
        host.end()


@pytest.fixture
def elsewhere(way: FaultyWay, settings: Settings, s3: str, tmp_path: Path) -> Client:  # noqa: ARG001
    """A client on a third machine."""
    return Client(settings.model_copy(update={"results_dir": tmp_path / "laptop" / "results", "store": s3}))


def logs(hosts: dict[str, Host]) -> str:
    return "\n".join(host.logs() for host in hosts.values())


def test_another_host_goes_on_with_the_job_of_a_host_that_is_gone_for_good(
    hosts: dict[str, Host], elsewhere: Client
) -> None:
    hosts["one"].start()
    job = elsewhere.submit("autoencoder", "train", data="digits", epochs=800)
    shared = elsewhere.results.checkpoints
    assert shared is not None
    until(lambda: job.id in shared.positions(), 90, "its first checkpoint in the store")
    hosts["one"].lose()
    hosts["two"].start()
    done = ended(elsewhere, job.id)
    assert done.state == "succeeded", logs(hosts)
    assert elsewhere.folder(job.id).verify() == []
    texts = [entry["text"] for entry in elsewhere.timeline(job.id)]
    assert [text for text in texts if text.startswith("resumed from epoch ")], texts
    again = elsewhere.submit("autoencoder", "train", data="digits", epochs=800, fresh=True)
    assert ended(elsewhere, again.id).state == "succeeded", logs(hosts)
    check_same_bits(elsewhere.folder(again), elsewhere.folder(job))
    assert {each.id for each in elsewhere.jobs()} == {job.id, again.id}
    # The first host comes back with an empty disk: it evaluates a model that it has never seen.
    hosts["two"].end()
    hosts["one"].start()
    evaluation = elsewhere.submit("autoencoder", "evaluate", source=job.id)
    assert ended(elsewhere, evaluation.id).state == "succeeded", logs(hosts)
    # It reads data that the client had, and no longer has.
    text = hosts["one"].folder / "mine.txt"
    text.write_text("To be, or not to be, that is the question. " * 500)
    elsewhere.add_data(text, name="mine")
    text.unlink()
    reading = elsewhere.submit("textgen", "train", data="mine", epochs=1, units=16)
    assert ended(elsewhere, reading.id).state == "succeeded", logs(hosts)


OPEN, EPOCHS, SECONDS = 4, 600, 45.0


def submitted(client: Client, number: int) -> Job:
    """The storm's job of this number."""
    model = ("autoencoder", "denoiser")[number % 2]
    return client.submit(model, "train", data="digits", epochs=EPOCHS, seed=number // 2, fresh=True)


def far_enough(client: Client) -> bool:
    """Whether all jobs that run have done some epochs."""
    running = client.jobs("running")
    epochs = [progress.get("epoch", 0) for progress in client.progress(running).values()]
    return len(epochs) > 0 and min(epochs) >= 20


@pytest.mark.timeout(900)
def test_a_storm_over_two_hosts_and_their_store_loses_and_doubles_nothing(
    hosts: dict[str, Host], elsewhere: Client, way: FaultyWay
) -> None:
    jobs = [submitted(elsewhere, number) for number in range(OPEN)]
    for host in hosts.values():
        host.start()
    until(lambda: any(progress_of(elsewhere, job.id) for job in jobs), 90, "the first job")
    chance, ends = random.Random(1), time.monotonic() + SECONDS
    faults: Counter[str] = Counter()
    while time.monotonic() < ends:
        way.refuse = way.lose = way.seconds = 0.0
        way.away = way.expired = False
        # A quick machine has done the first jobs before the storm ends.
        while len(elsewhere.jobs("queued")) + len(elsewhere.jobs("running")) < OPEN:
            jobs.append(submitted(elsewhere, len(jobs)))
        fault = chance.choice(["refuse", "lose", "slow", "away", "expired", "kill", "host"])
        faults[fault] += 1
        way.refuse, way.lose = 0.5 * (fault == "refuse"), 0.3 * (fault == "lose")
        way.seconds, way.away, way.expired = 1.0 * (fault == "slow"), fault == "away", fault == "expired"
        host = hosts[chance.choice(["one", "two"])]
        if fault in ("kill", "host"):
            until(lambda: far_enough(elsewhere), 60, "a job with a checkpoint")
            time.sleep(2.5)  # until that is uploaded
        if fault == "kill":
            host.kill_job()
        elif fault == "host":
            host.lose()
            host.start()
        time.sleep(chance.uniform(2, 6))
    way.refuse = way.lose = way.seconds = 0.0
    way.away = way.expired = False
    done = [ended(elsewhere, job.id, 500) for job in jobs]
    assert {job.state for job in done} == {"succeeded"}, (done, logs(hosts))
    resumed = 0
    for job in jobs:
        texts = [entry["text"] for entry in elsewhere.timeline(job.id)]
        assert texts.count("succeeded") == 1
        resumed += any(text.startswith("resumed from epoch ") for text in texts)
        folder = elsewhere.folder(job.id)
        assert folder.verify() == []
    assert resumed, "the storm hit no training job"
    assert sorted(job.id for job in elsewhere.jobs()) == sorted(job.id for job in jobs)
    alone = submitted(elsewhere, 3)
    assert ended(elsewhere, alone.id).state == "succeeded"
    check_same_bits(elsewhere.folder(alone), elsewhere.folder(jobs[3]))
    # Of what was uploaded in vain, and of checkpoints, nothing is left.
    objects = elsewhere.results.objects
    for job in jobs:
        assert {name.partition("/")[0] for name in objects.names(job.id)} - {MANIFEST} == {
            published(objects, job.id).publication
        }
    until(lambda: not objects.names(".checkpoints"), 30, "the removal of checkpoints")
