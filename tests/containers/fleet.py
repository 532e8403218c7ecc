"""What the tests of the containers share: jobs for a fleet of workers, and looking at it."""

from collections.abc import Iterator
from contextlib import contextmanager

from jobs.client import Client
from jobs.job import Job
from tests.support.compose_project import Project, project
from tests.support.processes import progress_of, until
from tests.support.readme import commands

EPOCHS = 700
"""Enough for three containers to be hit in the middle."""

LONG = ["autoencoder", "train", "--data", "digits", "--batch-size", "64", "--epochs", str(EPOCHS)]

README = commands("echo WORKERS=3")
"""The README's commands: the fixture calls the first three, tests the others, in their order."""


def published_nothing(quartet: Project, *services: str) -> None:
    for service in services:
        for name in quartet.containers(service):
            found = quartet.inspect(name)
            assert found["HostConfig"]["PortBindings"] == {}, name
            assert not any(found["NetworkSettings"]["Ports"].values()), name


def submit(outside: Client, count: int, epochs: int) -> list[Job]:
    return [
        outside.submit("autoencoder", "train", data="digits", batch_size=64, epochs=epochs, fresh=True)
        for _ in range(count)
    ]


def running(outside: Client, at_least: int = 1) -> list[Job]:
    """Jobs that have trained for a while, so that there is a checkpoint to lose."""

    def look() -> list[Job] | None:
        found = outside.jobs("running")
        trained = [job for job in found if progress_of(outside, job.id).get("epoch", 0) > 20]
        return trained if len(trained) >= at_least else None

    found: list[Job] = until(look, 120, f"{at_least} trainings at work")
    return found


def workers(quartet: Project) -> list[str]:
    return [*quartet.containers("worker"), *quartet.containers("worker-cpu")]


@contextmanager
def another_host(quartet: Project, name: str) -> Iterator[Project]:
    """A project with a disk, volumes and networks of its own, and the image of the first, which is not built again."""
    with project(f"quartet-test-{name}") as made:
        quartet.docker("tag", quartet.images[0], made.images[0])
        yield made


def shell(host: Project, script: str) -> str:
    """What a script of the documentation prints to standard output, run without a terminal."""
    script = script.replace("docker compose run --rm client", "docker compose run --rm --no-TTY client")
    return host.run("sh", "-ec", script, timeout=600).stdout
