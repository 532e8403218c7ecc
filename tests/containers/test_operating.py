"""A backup that is made while everything works, restored on an empty host: nothing is lost and nothing runs twice."""

import sys
import time

import pytest

from jobs.client import Client
from jobs.settings import read_settings
from tests.containers.fleet import EPOCHS, another_host, running, shell, submit
from tests.support.compose_project import Project
from tests.support.processes import ended, until
from tests.support.readme import script

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


def test_a_backup_made_under_load_is_restored_on_an_empty_host(quartet: Project, outside: Client) -> None:
    began = time.monotonic()
    dump, rest = script("operating.md", "redis-cli --rdb").split("tar ", 1)
    before = {job.id: job.attempt for job in outside.jobs()}
    [training] = submit(outside, 1, 2 * EPOCHS)
    running(outside)
    staging = outside.results.root / ".staging"
    until(lambda: list(staging.glob("*/checkpoint.npz")), 30, "a checkpoint")
    evaluation = outside.submit("autoencoder", "evaluate", source=training)
    [short] = submit(outside, 1, 1)  # ends between the two halves of the backup
    shell(quartet, dump)
    [later] = submit(outside, 1, 2)  # is accepted between them
    accepted = outside.results.root / ".accepted" / f"{later.id}.json"
    until(lambda: accepted.exists() or outside.results.find(later.id), 30, "the record of a job")
    assert ended(outside, short.id, 60).state == "succeeded"
    shell(quartet, f"tar {rest}")
    assert outside.job(training.id).state == "running", "it lasted for the whole backup"
    took = time.monotonic() - began
    used = shell(quartet, script("operating.md", "docker stats"))
    assert "0 jobs go" in used
    sys.stdout.write(f"\n{used}")
    jobs = {job.id: job for job in (training, evaluation, short, later)}
    for job in (evaluation, training):
        outside.cancel(job.id)

    with another_host(quartet, "restored") as host:
        began = time.monotonic()
        (quartet.folder / "backup").rename(host.folder / "backup")
        ports = {f"{name}_PORT": str(port) for name, port in host.ports.items()}
        host.use("docker-compose.laptop.yml")
        host.environment |= ports | {"WORKERS": "1", "CPU_WORKERS": "0"}
        host.run("rm", "-r", "results", "secrets", ".env")
        said = shell(host, script("operating.md", "cat >appendonly.aof.1.base.rdb"))
        assert "restored " in said
        elsewhere = Client(
            read_settings(
                redis_url=f"redis://127.0.0.1:{host.ports['REDIS']}/0",
                redis_password_file=host.folder / "secrets" / "redis_password",
                results_dir=host.folder / "results",
            )
        )
        for job_id in jobs:
            assert ended(elsewhere, job_id, 240).state == "succeeded", host.logs()
        found = {job.id: job.attempt for job in elsewhere.jobs()}
        assert found.keys() == before.keys() | jobs.keys()
        assert {job_id: found[job_id] for job_id in before} == before
        once = elsewhere.folder(short.id)
        assert once.job == outside.folder(short.id).job
        assert all(elsewhere.folder(job_id).verify() == [] for job_id in jobs)
        assert "resumed from" in str([entry["text"] for entry in elsewhere.timeline(training.id)])
        again = host.run("sh", "-ec", script("operating.md", "cat >appendonly.aof.1.base.rdb"), check=False)
        assert "File exists" in again.stderr
        sys.stdout.write(
            f"\nbackup with {len(before)} ended and {len(jobs)} unfinished jobs in {took:.0f} s; on an empty "
            f"host all had ended after {time.monotonic() - began:.0f} s\n"
        )
