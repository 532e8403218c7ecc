"""The images and docker compose, for real: nothing is lost when workers, Redis or networks go.

The tests of this file go on from one another, for an engine and three workers take long to start.
"""

import base64
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import fake_nvml
import pytest
from compose_project import Project, engine_problem, project
from conftest import ended, missing, until
from test_readme import commands

from jobs.client import Client, Job
from jobs.settings import read_settings

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

EPOCHS = 2000
LONG = ["autoencoder", "train", "--data", "digits", "--batch-size", "64", "--epochs", str(EPOCHS)]


README = commands("docker compose up --detach --scale")
"""The README's commands: the fixture calls the first two, tests the others, in their order."""


@pytest.fixture(scope="module")
def quartet() -> Iterator[Project]:
    problem = engine_problem()
    if problem:
        missing(problem)
    _, up, *_ = README
    assert up.startswith("docker compose up --detach --scale worker=3 --wait")
    with project() as made:
        made.compose("build", timeout=900)
        # First as it is meant for one machine alone; then with Redis published, for the client out here.
        made.compose("up", "--detach", "--wait", "redis")
        published_nothing(made, "redis")
        made.use("docker-compose.laptop.yml")
        made.run(*up.split())
        yield made


def published_nothing(quartet: Project, *services: str) -> None:
    for service in services:
        for name in quartet.containers(service):
            found = quartet.inspect(name)
            assert found["HostConfig"]["PortBindings"] == {}, name
            assert not any(found["NetworkSettings"]["Ports"].values()), name


@pytest.fixture
def outside(quartet: Project) -> Client:
    """A client on this machine, through the Redis that docker-compose.laptop.yml publishes."""
    return Client(
        read_settings(
            redis_url=f"redis://127.0.0.1:{quartet.ports['REDIS']}/0",
            redis_password_file=quartet.folder / "secrets" / "redis_password",
            results_dir=quartet.folder / "results",
        )
    )


def submit(outside: Client, count: int, epochs: int) -> list[Job]:
    return [
        outside.submit("autoencoder", "train", data="digits", batch_size=64, epochs=epochs)
        for _ in range(count)
    ]


def running(outside: Client, at_least: int = 1) -> list[Job]:
    """Jobs that have trained for a while, so that there is a checkpoint to lose."""

    def look() -> list[Job] | None:
        found = outside.jobs("running")
        trained = [job for job in found if outside.ledger.latest_progress(job.id).get("epoch", 0) > 20]
        return trained if len(trained) >= at_least else None

    found: list[Job] = until(look, 120, f"{at_least} trainings at work")
    return found


def workers(quartet: Project) -> list[str]:
    return [*quartet.containers("worker"), *quartet.containers("worker-cpu")]


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
        assert host["Memory"] > 0, name
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
    image = f"{quartet.name}:worker"
    shown = quartet.docker("history", "--no-trunc", image) + quartet.docker("inspect", image)
    for name in [*workers(quartet), *quartet.containers("redis")]:
        shown += quartet.docker("inspect", name) + quartet.docker("top", name, "-o", "pid,args")
    shown += quartet.logs() + quartet.client("settings")
    assert password not in shown
    assert "requirepass" in shown  # of the command, which reads it from the file
    assert (quartet.folder / "secrets").stat().st_mode & 0o777 == 0o700


def test_the_health_check_asks_this_very_worker(quartet: Project) -> None:
    first, second, *_ = quartet.containers("worker")
    assert quartet.docker("exec", first, "quartet-worker", "health") == f"{quartet.node(first)} answers"
    # The child of the container's init is the worker's main process.
    quartet.docker("exec", first, "sh", "-c", "kill -STOP $(cat /proc/1/task/1/children)")
    try:
        with pytest.raises(AssertionError, match=rf"{quartet.node(first)} did not answer"):
            quartet.docker("exec", first, "quartet-worker", "health")
        assert "answers" in quartet.docker("exec", second, "quartet-worker", "health")
    finally:
        quartet.docker("exec", first, "sh", "-c", "kill -CONT $(cat /proc/1/task/1/children)")


def test_a_batch_from_the_client_service_ends_in_folders_of_the_calling_user(quartet: Project) -> None:
    [*client, gpus] = README[2:-1]
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
    # Nothing is wrong but that no dataset has been downloaded yet.
    doctor = ("run", "--rm", "-T", "client", "doctor", "--json")
    said = quartet.run("docker", "compose", *doctor, check=False)
    assert (said.returncode, unwell(said.stdout)) == (1, ["data"]), said.stderr


def unwell(checks: str) -> list[str]:
    return [check["name"] for check in json.loads(checks) if not check["well"]]


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
    said = quartet.run("docker", "exec", cut, "quartet-worker", "health", check=False)
    assert (said.returncode, "Redis cannot be reached" in said.stderr) == (3, True)
    quartet.docker("network", "connect", network, cut)
    quartet.docker("start", victim)
    until(
        lambda: (
            "answers" in quartet.run("docker", "exec", cut, "quartet-worker", "health", check=False).stdout
        ),
        90,
        "the return of the worker that was cut off",
    )
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
    jobs = submit(outside, 3, 500)
    done = {str(ended(outside, job.id).worker) for job in jobs}
    assert done == {quartet.node(name) for name in quartet.containers("worker")}


def test_down_gives_jobs_back_and_up_goes_on(quartet: Project, outside: Client) -> None:
    jobs = submit(outside, 4, EPOCHS)
    running(outside, 3)
    began = time.monotonic()
    quartet.compose("down")
    assert time.monotonic() - began < 60, "longer than the grace period"
    quartet.compose("up", "--detach", "--scale", "worker=3", "--wait")
    for job in jobs:
        assert ended(outside, job.id, 240).state == "succeeded", quartet.logs()
    folders = [outside.folder(job.id) for job in jobs]
    assert [folder.job["lost_workers"] for folder in folders] == [0] * len(jobs)
    gone_on = [any("goes on from" in entry["text"] for entry in folder.job["timeline"]) for folder in folders]
    assert sum(gone_on) == 3
    assert len({str(folder.metrics) for folder in folders}) == 1


def test_without_a_password_redis_says_nothing(quartet: Project, outside: Client) -> None:
    from jobs.errors import RedisUnreachable

    stranger = Client(read_settings(redis_url=f"redis://127.0.0.1:{quartet.ports['REDIS']}/0"))
    with pytest.raises(RedisUnreachable, match="does not accept the password"):
        stranger.ledger.ids()
    bindings = quartet.inspect(quartet.containers("redis")[0])["HostConfig"]["PortBindings"]
    assert [entry["HostIp"] for entry in bindings["6379/tcp"]] == ["127.0.0.1"]
    assert outside.ledger.ids()


def test_a_shell_out_here_finds_the_jobs_as_the_readme_says(quartet: Project) -> None:
    export, *rest = commands("export QUARTET_REDIS_URL")
    lines = [export.replace(":6379/", f":{quartet.ports['REDIS']}/"), *rest]
    shell = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-ec", "\n".join(lines)],
        cwd=quartet.folder,
        env=shell,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "JOB" in done.stdout


def test_dashboards_answer_on_localhost_and_show_what_there_is(quartet: Project, outside: Client) -> None:
    quartet.compose("build", "gallery", "tensorboard", "flower", timeout=600)
    for command in commands("docker compose up --detach gallery"):
        quartet.run(*command.split())
    trained = next(job for job in outside.jobs("succeeded") if job.kind == "autoencoder train")

    until(lambda: fetch(quartet.ports["GALLERY"], "/")[0], 30, "the gallery's answer")
    status, headers, page = fetch(quartet.ports["GALLERY"], "/")
    assert status == 200
    assert trained.id in page
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "cross-entropy" in fetch(quartet.ports["GALLERY"], f"/{trained.id}/report.html")[2]
    for path in ("/.staging/", "/../etc/passwd", "/%2e%2e/etc/passwd", "/nothing"):
        assert fetch(quartet.ports["GALLERY"], path)[0] in (403, 404), path
    assert fetch(quartet.ports["GALLERY"], "/", host="evil.example")[0] == 404

    run = f"autoencoder/{trained.id}"
    runs = until(
        lambda: run in fetch(quartet.ports["TENSORBOARD"], "/data/runs")[2], 60, "the training in TensorBoard"
    )
    assert runs
    scalars = json.loads(
        fetch(quartet.ports["TENSORBOARD"], f"/data/plugin/scalars/scalars?run={run}&tag=loss")[2]
    )
    written = {(int(row["epoch"]), round(row["loss"], 4)) for row in outside.folder(trained.id).history}
    shown = {(step, round(value, 4)) for _, step, value in scalars}
    assert shown <= written
    assert len(shown) >= min(500, len(written)), "TensorBoard thins out what is long, to a thousand points"

    password = (quartet.folder / "secrets" / "flower_password").read_text()
    until(lambda: fetch(quartet.ports["FLOWER"], "/workers")[0], 60, "Flower's answer")
    assert fetch(quartet.ports["FLOWER"], "/workers")[0] == 401
    assert fetch(quartet.ports["FLOWER"], "/workers", user=f"quartet:{password[:-1]}x")[0] == 401
    until(
        lambda: (
            quartet.node(quartet.containers("worker")[0])
            in fetch(quartet.ports["FLOWER"], "/workers", user=f"quartet:{password}")[2]
        ),
        60,
        "the workers in Flower",
    )
    for service in ("gallery", "tensorboard", "flower"):
        [name] = quartet.containers(service)
        found = quartet.inspect(name)
        assert found["HostConfig"]["ReadonlyRootfs"], name
        assert found["HostConfig"]["CapDrop"] == ["ALL"], name
        assert found["Config"]["User"] == str(quartet.uid), name
        bindings = [entry for entries in found["HostConfig"]["PortBindings"].values() for entry in entries]
        assert [entry["HostIp"] for entry in bindings] == ["127.0.0.1"], name
        assert password not in json.dumps(found) + quartet.docker("top", name), name
        assert [m["RW"] for m in found["Mounts"] if m["Destination"] == "/results"] in ([False], []), name


def fetch(port: int, path: str, host: str = "127.0.0.1", user: str = "") -> tuple[int, dict[str, str], str]:
    """Status, headers and body of a page here, asked for as it stands; 0 while nobody answers."""
    headers = {"Host": host}
    if user:
        headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace")
    except OSError:
        return 0, {}, ""
    finally:
        connection.close()


def test_short_jobs_do_not_wait_for_trainings(quartet: Project, outside: Client) -> None:
    trained = next(job for job in outside.jobs("succeeded") if job.kind == "autoencoder train")
    trainings = submit(outside, 5, 100_000)
    running(outside, 3)
    evaluation = outside.submit("autoencoder", "evaluate", source=trained.id)
    done = ended(outside, evaluation.id, 120)
    assert done.state == "succeeded", quartet.logs()
    assert done.worker == quartet.node(quartet.containers("worker-cpu")[0])
    for job in trainings:
        assert outside.job(job.id).state in ("running", "queued")
        outside.cancel(job.id)
    for job in trainings:
        ended(outside, job.id, 60)


def test_each_container_locks_a_gpu_of_its_own_and_one_too_many_waits(quartet: Project) -> None:
    fake_nvml.build(quartet.folder / "nvml")
    worker = {
        "environment": {"QUARTET_GPU": "exclusive", "LD_LIBRARY_PATH": "/nvml", "FAKE_GPUS": "0:0,0:0"},
        "volumes": ["./nvml:/nvml:ro"],
    }
    (quartet.folder / "gpus.yml").write_text(json.dumps({"services": {"worker": worker}}))
    quartet.use("docker-compose.laptop.yml", "gpus.yml")
    quartet.compose("up", "--detach", "--scale", "worker=3", "--wait", "worker")
    names = {quartet.node(name): name for name in quartet.containers("worker")}

    def holders() -> list[str]:
        """Of the two GPUs, as any worker's container sees them."""
        rows = json.loads(
            quartet.compose("exec", "-T", "--index", "1", "worker", "quartet", "gpus", "--json")
        )
        return [holder for row in rows for holder in row["holders"]]

    assert len(set(holders())) == 2
    assert set(holders()) < set(names)
    [waits] = set(names) - set(holders())
    said = quartet.docker("exec", names[waits], "quartet-worker", "health")
    assert said == f"{waits} waits for a GPU: all 2 GPUs are held, by {' and '.join(sorted(holders()))}"
    killed = next(node for node in holders() if not names[node].endswith("-1"))
    quartet.docker("kill", names[killed])
    until(lambda: waits in holders(), 30, "the turn of the one that waited")
    assert killed not in holders()


def test_down_ends_everything_within_the_grace_period_even_without_redis(quartet: Project) -> None:
    down = README[-1]
    assert down == "docker compose down"
    quartet.compose("kill", "redis")
    began = time.monotonic()
    quartet.run(*down.split())
    assert time.monotonic() - began < 50, "workers waited to be killed"
    left = quartet.compose("--profile", "*", "ps", "--all", "--format", "{{.Service}}").split()
    assert set(left) <= {"gallery", "tensorboard", "flower"}
