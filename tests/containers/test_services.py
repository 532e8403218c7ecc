"""What stands beside the workers: Redis for clients outside, the dashboards, a worker for short jobs."""

import base64
import http.client
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.settings import read_settings
from tests.containers.fleet import running, submit
from tests.support.compose_project import Project
from tests.support.processes import ended, until
from tests.support.readme import commands

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


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
    assert done.returncode == 0
    assert "quartet: " not in done.stderr  # jobs of other tests may have doubtful numbers, which is said
    assert "JOB" in done.stdout


def test_dashboards_answer_on_localhost_and_show_what_there_is(quartet: Project, outside: Client) -> None:
    for command in commands("docker compose up --detach gallery"):
        quartet.run(*command.split())
    trained = next(job for job in outside.jobs("succeeded") if job.kind == "autoencoder train")

    until(lambda: fetch(quartet.ports["GALLERY"], "/")[0], 30, "the gallery's answer")
    status, headers, page = fetch(quartet.ports["GALLERY"], "/")
    assert status == 200
    assert trained.id in page
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "cross-entropy" in fetch(quartet.ports["GALLERY"], f"/{trained.id}/report.html")[2]
    for path in ("/.staging/", "/../etc/passwd", "/%2e%2e/etc/passwd", "/nothing"):
        assert fetch(quartet.ports["GALLERY"], path)[0] in (403, 404), path
    for service in ("GALLERY", "TENSORBOARD"):
        until(lambda port=quartet.ports[service]: fetch(port, "/")[0], 60, f"the answer of {service}")
        assert fetch(quartet.ports[service], "/", host="evil.example")[0] == 400

    run = f"autoencoder/{trained.id}"
    runs = until(
        lambda: run in fetch(quartet.ports["TENSORBOARD"], "/data/runs")[2], 60, "the training in TensorBoard"
    )
    assert runs
    written = {(int(row["epoch"]), round(row["loss"], 4)) for row in outside.folder(trained.id).history}

    def shown() -> set[tuple[int, float]]:
        path = f"/data/plugin/scalars/scalars?run={run}&tag=loss"
        points = json.loads(fetch(quartet.ports["TENSORBOARD"], path)[2])
        return {(step, round(value, 4)) for _, step, value in points}

    # TensorBoard reads a long run bit by bit, and thins it out to a thousand points.
    until(lambda: len(shown()) >= min(500, len(written)), 60, "the whole run in TensorBoard")
    assert shown() <= written

    password = (quartet.folder / "secrets" / "flower_password").read_text()
    until(lambda: fetch(quartet.ports["FLOWER"], "/workers")[0], 60, "Flower's answer")
    assert fetch(quartet.ports["FLOWER"], "/workers")[0] == 401
    assert fetch(quartet.ports["FLOWER"], "/metrics")[0] == 401
    assert fetch(quartet.ports["FLOWER"], "/workers", user=f"quartet:{password[:-1]}x")[0] == 401
    until(
        lambda: (
            quartet.node(quartet.containers("worker")[0])
            in fetch(quartet.ports["FLOWER"], "/workers", user=f"quartet:{password}")[2]
        ),
        60,
        "the workers in Flower",
    )
    quartet.compose("up", "--detach", "exporter")
    metrics = until(lambda: fetch(quartet.ports["EXPORTER"], "/metrics")[2], 30, "the metrics")
    assert "quartet_up 1.0" in metrics
    assert 'quartet_workers{queue="short",state="ready"}' in metrics
    for service in ("gallery", "tensorboard", "flower", "exporter"):
        [name] = quartet.containers(service)
        found = quartet.inspect(name)
        assert found["HostConfig"]["ReadonlyRootfs"], name
        assert found["HostConfig"]["CapDrop"] == ["ALL"], name
        assert found["Config"]["User"] == f"{quartet.uid}:{quartet.gid}", name
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
        return (
            answer.status,
            {name.lower(): text for name, text in answer.getheaders()},
            answer.read().decode(errors="replace"),
        )
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


def test_a_full_redis_refuses_writes_and_lives(quartet: Project, outside: Client) -> None:
    [name] = quartet.containers("redis")

    def redis(command: str) -> str:
        return quartet.docker(
            "exec",
            name,
            "sh",
            "-c",
            f'REDISCLI_AUTH="$(cat /run/secrets/redis_password)" redis-cli {command}',
        )

    limit = quartet.inspect(name)["HostConfig"]["Memory"]
    assert int(redis("config get maxmemory").split()[1]) == limit // 100 * 60
    assert redis("config get maxmemory-policy").split()[1] == "noeviction"
    try:
        said = [redis(f"setrange fill:{number} {50 << 20} x") for number in range(limit // (50 << 20))]
        assert said[-1].startswith("OOM command not allowed")
        assert redis("bgrewriteaof") == "Background append only file rewriting started"
        until(
            lambda: "aof_rewrite_in_progress:0" in redis("info persistence"),
            60,
            "the rewrite of a full Redis",
        )
        assert "aof_last_bgrewrite_status:ok" in redis("info persistence")
        assert outside.ledger.ids(), "it can still be read"
        found = quartet.inspect(name)
        assert (found["RestartCount"], found["State"]["OOMKilled"]) == (0, False)
    finally:
        for number in range(limit // (50 << 20)):
            redis(f"unlink fill:{number}")
