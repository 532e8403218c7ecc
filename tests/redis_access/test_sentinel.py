"""A Redis that Sentinel watches: ledger and workers find the primary, and outlive its failover."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from pydantic import SecretStr
from redis import Redis
from redis.exceptions import RedisError

from jobs.cli.doctor import redis_checks
from jobs.client import Client
from jobs.errors import InvalidSetting, RedisUnreachable
from jobs.job import Job
from jobs.ledger.connection import connect
from jobs.ledger.ledger import Ledger
from jobs.local.servers import find_server
from jobs.settings import Settings, read_settings
from tests.engine.test_redis_away import epochs_done
from tests.support.certificates import Certificates, TlsServers
from tests.support.processes import Workers, ended, until
from tests.support.redis_servers import free_port
from tests.support.sentinels import WatchedServers
from worker.engine import broker
from worker.engine.transport import Channel


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[WatchedServers]:
    (tmp_path / "redis").mkdir()
    found = WatchedServers(tmp_path / "redis")
    yield found
    found.end()


def replicated(watched: WatchedServers) -> bool:
    """Whether the replica has what the primary acknowledged."""
    said = connect(watched.primary).info("replication")
    return bool(said["slave0"]["offset"] == said["master_repl_offset"])


def role(address: str) -> str:
    """What a server is now: master or slave; nothing while it closes connections."""
    try:
        return str(connect(address).info("replication")["role"])
    except RedisError:
        return ""


def submitted(client: Client) -> Job | None:
    """A new job, None while no primary takes it."""
    try:
        return client.submit("autoencoder", "train", data="digits", epochs=2)
    except RedisUnreachable:
        return None


@pytest.mark.chaos
def test_the_ledger_goes_on_with_the_new_primary(watched: WatchedServers, settings: Settings) -> None:
    at = settings.model_copy(update={"redis_url": SecretStr(watched.address)})
    client = Client(at)
    before = client.submit("autoencoder", "train", data="digits", name="before")
    checks = {check.name: check for check in redis_checks(at)}
    assert checks["redis"].finding == f"answers at {watched.address}"
    assert checks["rights"].passed
    until(lambda: replicated(watched), 10)
    watched.kill_primary()
    with pytest.raises(RedisUnreachable) as caught:
        Ledger(watched.address).submit("20261126-101112-aaaaaaaa", client.job(before.id).spec)
    assert str(caught.value).startswith(f"Redis cannot be reached at {watched.address}")
    patient = Ledger(watched.address, patience_seconds=60)
    assert patient.ids() == [before.id]
    after = client.submit("autoencoder", "train", data="digits", name="after")
    assert client.cancel(before.id).state == "cancelled"
    assert connect(watched.replica).hget(f"quartet:job:{after.id}", "state") == "queued"
    # A Sentinel that is away is passed over.
    watched.sentinels[0][1].kill()
    connect.cache_clear()
    assert set(Ledger(watched.address).ids()) == {before.id, after.id}


def test_sentinels_that_are_all_away_are_said() -> None:
    url = "redis+sentinel://:geheim@127.0.0.1:1,127.0.0.1:2/main/0"
    with pytest.raises(RedisUnreachable) as caught:
        Ledger(url).ping()
    masked = url.replace("geheim", "***")
    assert str(caught.value) == f"Redis cannot be reached at {masked} (no Sentinel names a primary)"


@pytest.mark.chaos
def test_the_address_of_a_sentinel_without_its_service_is_refused(watched: WatchedServers) -> None:
    with pytest.raises(InvalidSetting, match="got that of Sentinel") as caught:
        Ledger(f"redis://{watched.sentinels[0][0]}").ping()
    assert "redis+sentinel://" in str(caught.value.hint)


@pytest.mark.chaos
def test_sentinel_and_server_over_tls_with_a_password_each(tmp_path: Path) -> None:
    made = Certificates(tmp_path / "certificates")
    made.authority("ca")
    made.signed("server", "IP:127.0.0.1")
    servers = TlsServers(tmp_path)
    try:
        tls = made.server_options("server")
        primary = servers.start_tls(*tls, "--requirepass", "geheim")
        port, file = free_port(), tmp_path / "sentinel.conf"
        lines = [
            f"{name.removeprefix('--')} {value}" for name, value in zip(tls[::2], tls[1::2], strict=True)
        ]
        lines += ["port 0", f"tls-port {port}", "tls-replication yes", f"dir {tmp_path}", "requirepass other"]
        lines += [f"sentinel monitor main {primary.replace(':', ' ')} 1", "sentinel auth-pass main geheim"]
        file.write_text("\n".join(lines) + "\n")
        command = [find_server(), str(file), "--sentinel"]
        servers.started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        place = f"127.0.0.1:1,127.0.0.1:{port}"  # nobody answers at the first
        options = f"ssl_ca_certs={made.folder}/ca.crt&sentinel_password="
        url = f"rediss+sentinel://:geheim@{place}/main/0?{options}other"
        Ledger(url, patience_seconds=20).ping()
        broker.install()
        channel = Channel.__new__(Channel)
        channel.connection = type("of", (), {"client": Connection(broker.url_for(url))})
        assert Redis.from_pool(channel._get_pool()).ping()
        for right, wrong, why in (
            ("=other", "=wrong", "a Sentinel refuses the password"),
            ("ca.crt", "server.crt", "no Sentinel names a primary"),
            ("/main", "/mine", "no Sentinel names a primary"),
        ):
            with pytest.raises(RedisUnreachable, match=why) as caught:
                Ledger(url.replace(right, wrong)).ping()
            assert "=wrong" not in caught.value.explanation
    finally:
        servers.end()


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", ["killed", "demoted"])
def test_a_failover_in_the_middle_of_a_job_loses_nothing_and_runs_nothing_twice(
    way: str, watched: WatchedServers, settings: Settings, tmp_path: Path
) -> None:
    # Longer than Sentinel lets the old primary believe that it still is one.
    at = read_settings(**dict(settings) | {"redis_url": watched.address, "lease_seconds": 30})
    client, workers = Client(at), Workers(at, tmp_path)
    try:
        workers.start(2)
        control = client.submit("autoencoder", "train", data="digits", epochs=100)
        assert ended(client, control.id).state == "succeeded", workers.logs()
        pace = sum(row["seconds"] for row in client.folder(control.id).history[30:]) / 70
        # It runs from before the failover to after it.
        job = client.submit("autoencoder", "train", data="digits", epochs=max(200, int(25 / pace)))
        until(lambda: epochs_done(client, job.id), 90, "a checkpoint")
        waiting = client.submit("autoencoder", "evaluate", source=job.id)
        until(lambda: replicated(watched), 10)
        if way == "killed":
            watched.kill_primary()
        else:
            watched.demote_primary()
            until(lambda: (role(watched.replica), role(watched.primary)) == ("master", "slave"), 60)
        during = until(lambda: submitted(client), 60, "a new primary")
        found = client.job(job.id)
        assert found.state == "running", (found.error, workers.logs())
        for one in (job, waiting, during):
            assert ended(client, one.id).state == "succeeded", workers.logs()
        assert client.job(job.id).attempt == 1
        lines = [entry["text"] for entry in client.timeline(job.id)]
        assert [line for line in lines if line.startswith("started") or "attempt" in line] == lines[1:2]
        assert lines.count("succeeded") == 1
        assert sorted(client.results.ids()) == sorted(one.id for one in (control, job, waiting, during))
        assert client.folder(job.id).verify() == []
        until(lambda: len(client.ledger.workers()) == 2, 20)
    finally:
        workers.end()
