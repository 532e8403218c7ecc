"""One GPU for each container, and the end of all containers."""

import json
import shlex
import time

import pytest

from tests.containers.fleet import README
from tests.support import fake_nvml
from tests.support.compose_project import Project
from tests.support.processes import until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


def test_each_container_locks_a_gpu_of_its_own_and_one_too_many_waits(quartet: Project) -> None:
    fake_nvml.build(quartet.folder / "nvml")
    worker = {
        "environment": {"QUARTET_GPU": "exclusive", "PYTHONPATH": "/nvml", "FAKE_GPUS": "0:0,0:0"},
        "volumes": ["./nvml:/nvml:ro"],
    }
    (quartet.folder / "gpus.yml").write_text(json.dumps({"services": {"worker": worker}}))
    quartet.use("docker-compose.laptop.yml", "gpus.yml")
    quartet.compose("up", "--detach", "--wait", "worker")
    first, *others = quartet.containers("worker")
    names = {quartet.node(name): name for name in (first, *others)}

    def holders() -> list[str]:
        """Of the two GPUs, as any worker's container sees them."""
        rows = json.loads(quartet.docker("exec", first, "quartet", "gpus", "--json"))
        return [holder for row in rows for holder in row["holders"]]

    assert len(set(holders())) == 2
    assert set(holders()) < set(names)
    [waits] = set(names) - set(holders())
    said = quartet.docker("exec", names[waits], "quartet-worker", "health")
    assert said == f"{waits} waits for a GPU: all 2 GPUs are held by {' and '.join(sorted(holders()))}"
    killed = next(node for node in holders() if names[node] != first)
    quartet.docker("kill", names[killed])
    until(lambda: waits in holders(), 30, "the turn of the one that waited")
    assert killed not in holders()


def test_down_ends_everything_within_the_grace_period_even_without_redis(quartet: Project) -> None:
    down = README[-1]
    assert down == 'docker compose --profile "*" down'
    assert quartet.containers("gallery"), "a dashboard, which has a profile of its own"
    quartet.compose("kill", "redis")
    began = time.monotonic()
    quartet.run(*shlex.split(down))
    assert time.monotonic() - began < 50, "workers waited to be killed"
    mine = ("--filter", f"label=com.docker.compose.project={quartet.name}", "--quiet")
    assert quartet.docker("ps", "--all", *mine) == quartet.docker("network", "ls", *mine) == ""
