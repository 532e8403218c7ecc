"""Two clones beside one another on one host, each with containers, volumes and images of its own."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.compose_project import Project, project

pytestmark = [pytest.mark.containers, pytest.mark.timeout(300)]


@pytest.fixture
def clones(quartet: Project) -> Iterator[tuple[Project, Project]]:
    """Two, whose names are what `make env` wrote."""
    with ExitStack() as stack:
        both = stack.enter_context(project("one")), stack.enter_context(project("other"))
        for clone in both:
            del clone.environment["COMPOSE_PROJECT_NAME"]
            [clone.name] = re.findall(r"(?m)^COMPOSE_PROJECT_NAME=(.*)", (clone.folder / ".env").read_text())
        assert len({quartet.name, *(clone.name for clone in both)}) == 3
        yield both


def redis(clone: Project, command: str) -> str:
    asked = f'REDISCLI_AUTH="$(cat /run/secrets/redis_password)" redis-cli {command}'
    return clone.compose("exec", "-T", "redis", "sh", "-c", asked).strip()


def test_two_clones_do_not_touch_each_others_containers_or_redis(clones: tuple[Project, Project]) -> None:
    one, other = clones
    for clone in clones:
        clone.compose("up", "--detach", "--wait", "redis")
    [kept] = one.containers("redis")
    assert other.containers("redis") != [kept]
    assert redis(one, "set mine 1") == "OK"
    assert redis(other, "exists mine") == "0"
    other.compose("--profile", "*", "down", "--volumes")
    assert redis(one, "get mine") == "1"
    assert one.inspect(kept)["RestartCount"] == 0


def test_an_env_file_of_an_earlier_edition_keeps_its_queue(clones: tuple[Project, Project]) -> None:
    clone, _ = clones
    text = (clone.folder / ".env").read_text()
    (clone.folder / ".env").write_text(text.replace(f"COMPOSE_PROJECT_NAME={clone.name}\n", ""))
    found = json.loads(clone.compose("config", "--format", "json"))
    assert (found["name"], found["volumes"]["redis"]["name"]) == ("quartet", "quartet_redis")


def test_another_number_of_workers_recreates_none_of_those_that_run(clones: tuple[Project, Project]) -> None:
    clone, _ = clones
    before = clone.compose("config", "--hash", "worker,worker-cpu")
    clone.settings({"WORKERS": "7", "CPU_WORKERS": "0"})
    assert clone.compose("config", "--hash", "worker,worker-cpu") == before
    found = json.loads(clone.compose("config", "--format", "json"))["services"]
    assert (found["worker"]["scale"], found["worker-cpu"]["scale"]) == (7, 0)
