"""A compose project of a test's own: its folder, its user, its volumes, and nothing left of it afterwards."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILES = [*ROOT.glob("docker-compose*.yml"), *ROOT.glob("requirements*.lock")]
FILES += [ROOT / name for name in ("Dockerfile.gpu", ".dockerignore", ".env.example", "Makefile")]
FILES += [ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE")]
SOCKET = Path("/var/run/docker.sock")
STRANGER = 12_345
"""Who plays the calling user where the tests run as root, which workers must not be."""

QUICK = {
    "QUARTET_LEASE_SECONDS": "10",
    "QUARTET_HEARTBEAT_SECONDS": "1",
    "QUARTET_SWEEP_SECONDS": "1",
    "QUARTET_CHECKPOINT_SECONDS": "1",
}


def engine_problem() -> str | None:
    """Why there is no Docker here, in a sentence; None if there is."""
    if shutil.which("docker") is None:
        return "no Docker here: install Docker Engine with Compose"
    for command in ("docker info", "docker compose version", "docker buildx version"):
        asked = subprocess.run(command.split(), capture_output=True, text=True)
        if asked.returncode != 0:
            last = (asked.stderr.strip().splitlines() or ["no message"])[-1]
            return f"`{command}` fails: {last}"
    return None


class Project:
    """A checkout of its own in which `docker compose` is called, by a user who is not root."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = f"{name}-{os.getpid()}"
        self.images = [f"{self.name}-worker:cpu", f"{self.name}-dashboards"]
        self.uid, self.gid = os.getuid() or STRANGER, os.getgid() or STRANGER
        self.ports = {name: free_port() for name in ("REDIS", "GALLERY", "TENSORBOARD", "FLOWER", "EXPORTER")}
        self.use()
        for path in FILES:
            shutil.copy(path, folder)
        for name in ("jobs", "worker"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "results").mkdir()
        (folder / "test.yml").write_text(self._override())
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid)
        folder.chmod(0o755)

    def _override(self) -> str:
        """The one volume that projects share gets a name of its own, written as a compose file."""
        return json.dumps({"volumes": {"gpu-locks": {"name": f"{self.name}-gpu-locks"}}})

    def use(self, *overrides: str) -> None:
        """Choose the compose files: the CPU's, and these."""
        files = ["docker-compose.yml", "docker-compose.cpu.yml", *overrides, "test.yml"]
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "COMPOSE_PROJECT_NAME": self.name,
            "COMPOSE_FILE": ":".join(files),
            "DOCKER_BUILDKIT": "1",
        }

    def settings(self, values: dict[str, str]) -> None:
        """Add lines to .env."""
        with (self.folder / ".env").open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in values.items())

    def run(
        self, *command: str, check: bool = True, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's folder as its user, who may talk to Docker."""
        groups = [SOCKET.stat().st_gid] if os.getuid() == 0 else None
        user = {"user": self.uid, "group": self.gid, "extra_groups": groups} if groups else {}
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            **user,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def compose(self, *arguments: str, timeout: float = 300) -> str:
        return self.run("docker", "compose", *arguments, timeout=timeout).stdout

    def client(self, *arguments: str) -> str:
        """`docker compose run --rm client …`; the last line it prints."""
        return self.compose("run", "--rm", "-T", "client", *arguments).strip().splitlines()[-1]

    def docker(self, *arguments: str) -> str:
        return self.run("docker", *arguments).stdout.strip()

    def containers(self, service: str) -> list[str]:
        """Names of a service's containers, stopped ones too."""
        listed = self.compose("ps", "--all", "--format", "{{.Name}}", service)
        return sorted(listed.split())

    def inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.docker("inspect", container))[0]
        return found

    def node(self, container: str) -> str:
        """What the worker in a container is called in the ledger."""
        return f"worker@{self.inspect(container)['Config']['Hostname']}"

    def logs(self) -> str:
        return self.run("docker", "compose", "logs", "--tail", "60", check=False).stdout

    def remove(self) -> None:
        """Remove containers, networks, volumes and images; said, not raised, if something stays."""
        self.use("docker-compose.laptop.yml")
        everything = ["--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5"]
        self.run("docker", "compose", *everything, check=False)
        self.run("docker", "image", "rm", *self.images, check=False)
        # What a rebuild left without a tag.
        mine = f"label=com.docker.compose.project={self.name}"
        self.run("docker", "image", "prune", "--force", "--filter", mine, check=False)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def project(name: str = "quartet-test") -> Iterator[Project]:
    """A fresh one, with `.env` and a password as `make env` writes them, and quick leases.

    Args:
        name: begins that of its containers, networks, volumes and images.
    """
    folder = Path(tempfile.mkdtemp(prefix="quartet-compose-"))
    try:
        made = Project(folder, name)
        made.run("make", "env")
        made.settings(QUICK | {f"{name}_PORT": str(port) for name, port in made.ports.items()})
        try:
            yield made
        finally:
            made.remove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
