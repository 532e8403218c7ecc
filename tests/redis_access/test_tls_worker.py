"""Client and worker over TLS, each with a certificate and a Redis user of its own with the least rights."""

import shlex
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.ledger.connection import connect
from jobs.redis_access.rights import rights
from jobs.settings import Settings, read_settings
from tests.redis_access.test_rights import refused
from tests.support.certificates import Certificates, TlsServers
from tests.support.processes import Workers, ended

pytestmark = pytest.mark.chaos


def test_a_job_runs_over_tls_with_certificates_of_both_sides_and_the_least_rights(
    settings: Settings, tmp_path: Path
) -> None:
    made = Certificates(tmp_path / "certificates")
    made.authority("ca")
    made.signed("server", "IP:127.0.0.1")
    for role in ("admin", "client", "worker"):
        made.signed(role, f"DNS:{role}.example")
    servers = TlsServers(tmp_path)
    place = servers.start_tls(*made.server_options("server", clients="yes"))

    def address(role: str, login: str) -> str:
        files = {"ssl_ca_certs": "ca.crt", "ssl_certfile": f"{role}.crt", "ssl_keyfile": f"{role}.key"}
        query = "&".join(f"{name}={made.folder / file}" for name, file in files.items())
        return f"rediss://{login}{place}/0?{query}"

    admin = address("admin", "")
    for one in rights(prefix="lab:").values():
        connect(admin).execute_command(*shlex.split(one.acl_line))
    common = dict(settings) | {"namespace": "lab"}
    urls = {role: address(role, f"quartet-{role}:PASSWORD@") for role in ("client", "worker")}
    client = Client(read_settings(**common | {"redis_url": urls["client"]}))
    workers = Workers(read_settings(**common | {"redis_url": urls["worker"]}), tmp_path)
    try:
        workers.start()
        job = client.submit("autoencoder", "train", data="digits", epochs=1)
        assert ended(client, job.id).state == "succeeded", workers.logs()
        assert refused(admin) == []
        assert all(key.startswith("lab:") for key in connect(admin).keys("*"))
        assert "PASSWORD" not in workers.logs()
    finally:
        workers.end()
        servers.end()
