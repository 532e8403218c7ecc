"""The images and docker compose, for real: nothing is lost when workers, Redis or networks go.

The files of this folder run in the order of their names, and their tests build on one another.
"""

import json
import subprocess
import time

import pytest

from jobs.client import Client
from tests.containers.fleet import EPOCHS, LONG, README, published_nothing, running, submit, workers
from tests.support.compose_project import Project
from tests.support.processes import ended, until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


def test_every_container_runs_hardened_and_publishes_nothing(quartet: Project) -> None:
    assert len(quartet.containers("worker")) == 3
    for name in [*workers(quartet), *quartet.containers("redis")]:
        found = quartet.inspect(name)
        host, user = found["HostConfig"], found["Config"]["User"]
        assert user.split(":")[0] not in ("", "0", "root"), name
        assert host["ReadonlyRootfs"], name
        assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], None), name
        assert host["SecurityOpt"] == ["no-new-privileges:true"], name
        assert not host["Privileged"], name
        assert host["MemorySwap"] == host["Memory"] > 0, name
        assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "5"}}, (
            name
        )
        assert host["PidsLimit"] > 0, name
        assert found["State"]["Health"]["Status"] == "healthy", name
        status = quartet.docker("exec", name, "cat", "/proc/1/status")
        assert "CapEff:\t0000000000000000" in status, name
        # Whoever starts it: nobody may write anywhere but in what is mounted.
        with pytest.raises(AssertionError, match=r"Read-only file system|Permission denied"):
            quartet.docker("exec", name, "touch", "/opt/x")
    published_nothing(quartet, "worker", "worker-cpu")


def test_no_image_and_no_container_shows_the_password(quartet: Project) -> None:
    password = (quartet.folder / "secrets" / "redis_password").read_text()
    assert len(password) == 64
    image, _ = quartet.images
    shown = quartet.docker("history", "--no-trunc", image) + quartet.docker("inspect", image)
    for name in [*workers(quartet), *quartet.containers("redis")]:
        shown += quartet.docker("inspect", name) + quartet.docker("top", name, "-o", "pid,args")
    shown += quartet.logs() + quartet.client("settings")
    assert password not in shown
    assert "requirepass" in shown  # of the command, which reads it from the file
    assert (quartet.folder / "secrets").stat().st_mode & 0o777 == 0o700


def health(quartet: Project, container: str) -> subprocess.CompletedProcess[str]:
    return quartet.run("docker", "exec", container, "quartet-worker", "health", check=False)


def test_the_health_check_asks_this_very_worker_and_a_frozen_one_is_replaced(quartet: Project) -> None:
    first, second, *_ = quartet.containers("worker")
    assert quartet.docker("exec", first, "quartet-worker", "health") == f"{quartet.node(first)} answers"
    # The child of the container's init is the worker's main process.
    quartet.docker("exec", first, "sh", "-c", "kill -STOP $(cat /proc/1/task/1/children)")
    until(lambda: quartet.inspect(first)["RestartCount"] >= 1, 120, "the end of a frozen worker")
    assert "answers" in quartet.docker("exec", second, "quartet-worker", "health")
    until(lambda: "answers" in health(quartet, first).stdout, 90, "the worker in its place")


def test_a_batch_from_the_client_service_ends_in_folders_of_the_calling_user(quartet: Project) -> None:
    [*client, gpus] = README[3:-1]
    for command in client:
        assert command.startswith("docker compose run --rm client")
        quartet.run(*command.replace("--rm", "--rm --no-TTY").split())
    assert "no NVIDIA GPU" in quartet.run(*gpus.replace("exec", "exec --no-TTY").split()).stdout
    listed = json.loads(quartet.compose("run", "--rm", "-T", "client", "list", "--json"))
    ids = [job["id"] for job in listed]
    assert [(job["spec"]["action"], job["state"]) for job in listed] == [
        ("evaluate", "succeeded"),
        ("train", "succeeded"),
    ]
    for job_id in ids:
        assert quartet.client("verify", job_id).endswith("matches its manifest")
        folder = quartet.folder / "results" / job_id
        for path in (folder, *folder.rglob("*")):
            assert (path.stat().st_uid, path.stat().st_gid) == (quartet.uid, quartet.gid), path
    # That no dataset has been downloaded yet is nothing wrong.
    doctor = ("run", "--rm", "-T", "client", "doctor", "--json")
    said = quartet.run("docker", "compose", *doctor, check=False)
    assert (said.returncode, unwell(said.stdout)) == (0, []), said.stderr


def unwell(checks: str) -> list[str]:
    return [check["name"] for check in json.loads(checks) if not check["passed"]]


def test_a_storm_over_containers_loses_nothing_and_doubles_nothing(quartet: Project, outside: Client) -> None:
    before = set(outside.results.ids())
    names = {quartet.node(name): name for name in quartet.containers("worker")}
    network = f"{quartet.name}_redis"
    jobs = [outside.job(quartet.client("submit", *LONG)), *submit(outside, 4, EPOCHS)]

    [killed, cut_off, _] = running(outside, 3)
    victim, cut = names[str(killed.worker)], names[str(cut_off.worker)]
    quartet.docker("kill", victim)
    quartet.docker("network", "disconnect", network, cut)
    quartet.compose("restart", "redis")
    until(outside.redis_answers, 30, "Redis after its restart")

    def lost() -> list[int]:
        return [record.lost for record in outside.ledger.records([killed.id, cut_off.id])]

    until(lambda: min(lost()) >= 1, 90, "the end of both leases")
    quartet.docker("start", victim)
    until(lambda: health(quartet, cut).returncode == 3, 120, "the notice that Redis is away")
    assert "Redis cannot be reached" in health(quartet, cut).stderr
    quartet.docker("network", "connect", network, cut)
    until(lambda: "answers" in health(quartet, cut).stdout, 90, "the return of the worker that was cut off")
    for job in jobs:
        assert ended(outside, job.id, 240).state == "succeeded", quartet.logs()
    assert set(outside.results.ids()) - before == {job.id for job in jobs}
    folders = [outside.folder(job.id) for job in jobs]
    assert [folder.verify() for folder in folders] == [[]] * len(jobs)
    assert all(outside.folder(job.id).job["attempt"] > 1 for job in (killed, cut_off))
    # The same seed: what was interrupted ends with the bits of what was not.
    assert len({str(folder.metrics) for folder in folders}) == 1
    for folder in folders:
        assert folder.path.stat().st_uid == quartet.uid
    until(lambda: not list((quartet.folder / "results" / ".staging").iterdir()), 30, "the removal of staging")


def test_the_worker_that_came_back_takes_jobs_again(quartet: Project, outside: Client) -> None:
    jobs = submit(outside, 3, 100_000)
    held = {str(job.worker) for job in running(outside, 3)}
    assert held == {quartet.node(name) for name in quartet.containers("worker")}
    for job in jobs:
        outside.cancel(job.id)
    for job in jobs:
        assert ended(outside, job.id, 60).state == "cancelled"


def test_down_gives_jobs_back_and_up_goes_on(quartet: Project, outside: Client) -> None:
    jobs = submit(outside, 4, EPOCHS)
    running(outside, 3)
    began = time.monotonic()
    quartet.compose("down")
    assert time.monotonic() - began < 60, "longer than the grace period"
    quartet.compose("up", "--detach", "--wait")
    assert len(quartet.containers("worker")) == 3
    for job in jobs:
        assert ended(outside, job.id, 240).state == "succeeded", quartet.logs()
    folders = [outside.folder(job.id) for job in jobs]
    assert [folder.job["lost_workers"] for folder in folders] == [0] * len(jobs)
    gone_on = [any("resumed from" in entry["text"] for entry in folder.job["timeline"]) for folder in folders]
    assert sum(gone_on) == 3
    assert len({str(folder.metrics) for folder in folders}) == 1
