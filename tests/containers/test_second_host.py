"""Workers on a further host: a disk of its own, the first host's Redis over TLS, and a bucket on a real S3 server."""

import json
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.settings import read_settings
from tests.containers.fleet import README, another_host, running, shell, submit
from tests.support.compose_project import Project, free_port
from tests.support.object_stores import CREDENTIALS, s3_server, unique_address
from tests.support.processes import ended, until
from tests.support.readme import script

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

EPOCHS = 300
NAME = "gpu-1.example"
"""What docs/second-host.md calls the first host."""


class Hosts:
    """Two machines, set up by the commands of docs/second-host.md, and what is between them."""

    def __init__(self, first: Project, second: Project, address: str, store_port: int) -> None:
        self.first, self.second, self.address = first, second, address
        self.store, self.port = unique_address(), free_port()
        self.endpoint = f"http://{address}:{store_port}"
        self.first.use("docker-compose.shared.yml")
        services = {
            each: {"extra_hosts": [f"{NAME}:{address}"]} for each in ("worker", "worker-cpu", "client")
        }
        (self.second.folder / "names.yml").write_text(json.dumps({"services": services}))
        self.second.use("docker-compose.worker.yml", "names.yml")
        for host, workers in ((first, "0"), (second, "2")):
            endpoint = {"AWS_ENDPOINT_URL": self.endpoint, "REDIS_TLS_PORT": str(self.port)}
            host.settings(endpoint | {"WORKERS": workers, "CPU_WORKERS": "0"})

    def script(self, containing: str) -> str:
        """A block of the page, with the names and addresses of the test."""
        text = script("second-host.md", containing)
        assert (text.count("10.0.0.1") > 0) == (text.count("openssl") > 0)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            text = text.replace(f"{name}=…", f"{name}={CREDENTIALS[name]}")
        text = text.replace("10.0.0.1", self.address).replace("s3://bucket/prefix", self.store)
        # The test asks from outside of any network in which the name is known.
        text = text.replace(f"=DNS:{NAME}", f"=DNS:{NAME},IP:{self.address}")
        return text.replace(f"{NAME}:quartet/", f"{self.first.folder}/").replace("scp ", "cp -f ")


@pytest.fixture(scope="module")
def hosts(quartet: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    subnet = quartet.docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}")
    address = str(next(ip_network(subnet).hosts()))  # this machine's, in Docker's default network
    with ExitStack() as stack:
        port = stack.enter_context(s3_server(tmp_path_factory.mktemp("s3"), address))
        first, second = (stack.enter_context(another_host(quartet, name)) for name in ("first", "second"))
        yield Hosts(first, second, address, port)


@pytest.fixture
def third(hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client on a machine of its own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", hosts.endpoint)
    secrets = hosts.first.folder / "secrets"
    return Client(
        read_settings(
            redis_url=f"rediss://{hosts.address}:{hosts.port}/0?ssl_ca_certs={secrets / 'redis_certificate'}",
            redis_password_file=secrets / "redis_password",
            store=hosts.store,
            store_credentials_file=secrets / "store_credentials",
            results_dir=tmp_path / "results",
        )
    )


def test_a_second_host_is_set_up_as_its_page_says(hosts: Hosts) -> None:
    began = time.monotonic()
    shell(hosts.first, hosts.script("openssl"))
    [redis] = hosts.first.containers("redis")
    bindings = hosts.first.inspect(redis)["HostConfig"]["PortBindings"]
    assert bindings == {"6380/tcp": [{"HostIp": hosts.address, "HostPort": str(hosts.port)}]}
    said = shell(hosts.second, hosts.script("scp"))
    nodes = {hosts.second.node(name) for name in hosts.second.containers("worker")}
    assert len(nodes) == 2
    assert {line.split()[0] for line in said.splitlines() if line.startswith("worker@")} == nodes
    assert f"ok   redis             answers at rediss://:***@{NAME}:{hosts.port}/0" in said
    assert hosts.second.containers("redis") == []
    sys.stdout.write(f"\nboth hosts set up in {time.monotonic() - began:.0f} s\n")


def test_jobs_of_the_first_host_run_on_the_second_which_is_lost_and_loses_nothing(
    hosts: Hosts, third: Client
) -> None:
    began = time.monotonic()
    train = ("autoencoder", "train", "--data", "digits", "--batch-size", "64", "--epochs", str(EPOCHS))
    first = hosts.first.client("submit", *train)
    jobs = [first, *(job.id for job in submit(third, 1, EPOCHS))]
    evaluation = hosts.first.client("submit", "autoencoder", "evaluate", "--from", first)
    held = running(third, 2)
    uploaded = third.results.checkpoints
    assert uploaded is not None
    until(lambda: {job.id for job in held} <= uploaded.positions().keys(), 60, "a checkpoint of each")

    # The machine is gone with its disk; another one takes its name.
    hosts.second.compose("kill", "worker")
    hosts.second.compose("rm", "--force", "worker")
    for path in (hosts.second.folder / "results").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    hosts.second.compose("up", "--detach")
    nodes = {hosts.second.node(name) for name in hosts.second.containers("worker")}
    for job_id in (*jobs, evaluation):
        done = ended(third, job_id, 240)
        assert done.state == "succeeded", hosts.second.logs()
        assert done.worker in nodes
        assert third.folder(job_id).verify() == []
    assert {job.id for job in third.jobs()} == {*jobs, evaluation}
    gone_on = [
        job.id for job in held if any("resumed from" in entry["text"] for entry in third.timeline(job.id))
    ]
    assert len(gone_on) == 2
    assert len({str(third.folder(job_id).metrics) for job_id in jobs}) == 1
    assert hosts.first.client("report", evaluation).endswith("report.html")
    sys.stdout.write(f"\n2 of 3 jobs lost their host; all ended in {time.monotonic() - began:.0f} s\n")


def test_no_container_of_either_host_shows_a_secret(hosts: Hosts) -> None:
    secrets = [(hosts.first.folder / "secrets" / "redis_password").read_text()]
    secrets.append(CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    shown = ""
    for host in (hosts.first, hosts.second):
        names = [*host.containers("redis"), *host.containers("worker")]
        for name in names:
            shown += host.docker("inspect", name) + host.docker("top", name, "-o", "pid,args")
            shown += host.docker("exec", name, "cat", "/proc/1/environ")
        shown += host.logs() + host.client("settings")
    assert "AWS_ENDPOINT_URL" in shown
    assert not [secret for secret in secrets if secret in shown]


def test_the_readmes_command_stops_a_further_host(hosts: Hosts) -> None:
    hosts.second.run(*shlex.split(README[-1]))
    assert hosts.second.containers("worker") == []
