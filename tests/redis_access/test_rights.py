"""Client and worker live with exactly the rights that `quartet doctor --rights` prints."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from jobs.client import Client
from jobs.exporter.snapshot import take_snapshot
from jobs.ids import new_job_id
from jobs.ledger.connection import connect
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import APP_NAME
from jobs.redis_access.rights import Role, rights, rights_text
from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from tests.engine.bare_workers import BareWorker
from tests.support.processes import Workers, ended, until
from tests.support.redis_servers import Servers
from worker.engine.celery_settings import celery_settings

LEDGER = Path(__file__).parents[2] / "jobs" / "ledger"
FORBIDDEN = {"info", "config", "keys", "scan", "flushall", "flushdb", "eval", "monitor", "client"}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    started = Servers(tmp_path)
    yield started
    started.end()


def with_users(servers: Servers, database: int = 0, prefix: str = "") -> dict[Role, str]:
    """A server with a user for each role; their addresses."""
    address = servers.start().replace("/0", f"/{database}")
    for one in rights(database, prefix).values():
        connect(address).execute_command(*shlex.split(one.acl_line))
    return {role: address.replace("redis://", f"redis://quartet-{role}:PASSWORD@") for role in rights()}


def refused(address: str) -> list[str]:
    """What Redis refused to any user, by its own log."""
    log = connect(address).execute_command("ACL", "LOG", "100")
    return [
        f"{entry['username']}: {entry['reason']} {entry['object']}"
        for entry in log
        # What redis-py asks for on its own, and does without.
        if entry["object"] not in ("client|setinfo", "client|maint_notifications", "client")
    ]


def commands_of_the_ledger() -> set[str]:
    found = set()
    for path in (LEDGER / "lua").glob("*.lua"):
        found |= {name.lower() for name in re.findall(r"(?:redis\.p?call|ask)\('([A-Z]+)'", path.read_text())}
    for path in LEDGER.glob("*.py"):
        if path.name != "connection.py":
            found |= set(re.findall(r"\b(?:redis|pipeline)\.([a-z]+)\(", path.read_text()))
    return found - {"pipeline", "execute"}


def test_what_the_ledger_calls_is_what_a_client_may_call() -> None:
    granted = set(rights()["client"].commands)
    assert commands_of_the_ledger() - {"info"} <= granted
    by_redis_py = {"evalsha", "script|load", "select", "multi", "discard", "ping", "zrevrange"}
    assert granted - commands_of_the_ledger() <= by_redis_py


def test_what_a_scrape_calls_is_what_the_exporter_may_call(servers: Servers) -> None:
    addresses = with_users(servers)
    client = Ledger(addresses["client"])
    client.submit(new_job_id(), JobSpec.make("autoencoder", "train"))
    client.announce_worker("w1@here", {}, 60)
    found = take_snapshot(Ledger(addresses["exporter"]))
    assert (found.measured.open_jobs()["training"], found.memory is not None) == (1, True)
    admin = addresses["client"].replace("quartet-client:PASSWORD@", "")
    assert refused(admin) == []
    assert take_snapshot(client).memory is None


@pytest.mark.parametrize("role", rights())
def test_nobody_needs_what_looks_at_everything(role: Role) -> None:
    found = FORBIDDEN & {command.partition("|")[0] for command in rights()[role].commands}
    assert found == ({"info"} if role == "exporter" else set())
    assert "*" not in rights()[role].keys


@pytest.mark.parametrize(("database", "prefix"), [(0, ""), (3, "lab:")])
def test_the_lines_make_users_who_lack_nothing(servers: Servers, database: int, prefix: str) -> None:
    for role, address in with_users(servers, database, prefix).items():
        assert rights(database, prefix)[role].denied(connect(address)) == []


@pytest.mark.parametrize(("mine", "other"), [("", "lab:"), ("lab:", ""), ("lab:", "lab-2:")])
def test_the_users_of_one_namespace_may_touch_no_key_of_another(
    servers: Servers, mine: str, other: str
) -> None:
    for role, address in with_users(servers, prefix=mine).items():
        theirs = rights(prefix=other)[role]
        denied = theirs.denied(connect(address))
        for right in (*(f"~{key}" for key in theirs.keys), *(f"&{channel}" for channel in theirs.channels)):
            assert right in denied


def test_whatever_is_taken_away_is_named_and_nothing_is_changed(servers: Servers) -> None:
    addresses = with_users(servers)
    admin = connect(addresses["client"].replace("quartet-client:PASSWORD@", ""))
    for role, one in rights().items():
        for command in one.commands:
            admin.execute_command("ACL", "SETUSER", f"quartet-{role}", f"-{command}")
            lost = one.denied(connect(addresses[role]))
            assert lost == [command]
            admin.execute_command("ACL", "SETUSER", f"quartet-{role}", f"+{command}")
        for channel in one.channels:
            others = [f"&{other}" for other in one.channels if other != channel]
            admin.execute_command("ACL", "SETUSER", f"quartet-{role}", "resetchannels", *others)
            assert one.denied(connect(addresses[role])) == [f"&{channel}"]
            admin.execute_command("ACL", "SETUSER", f"quartet-{role}", f"&{channel}")
        for key in one.keys:
            others = [f"~{other}" for other in one.keys if other != key]
            admin.execute_command("ACL", "SETUSER", f"quartet-{role}", "resetkeys", *others)
            assert one.denied(connect(addresses[role])) == [f"~{key}"]
            admin.execute_command("ACL", "SETUSER", f"quartet-{role}", f"~{key}")
    assert admin.dbsize() == 0


def test_the_text_has_a_table_and_a_line_for_each_role() -> None:
    text = rights_text(2)
    assert text.count("ACL SETUSER quartet-") == 4
    assert "worker: runs jobs and finds lost ones" in text
    assert "/2.celeryev/*" in text


@pytest.mark.chaos
@pytest.mark.parametrize("namespace", ["", "lab"])
def test_flower_asks_a_worker_with_these_rights(servers: Servers, tmp_path: Path, namespace: str) -> None:
    addresses = with_users(servers, prefix=f"{namespace}:" if namespace else "")
    option = f"?namespace={namespace}" if namespace else ""
    worker = BareWorker(addresses["worker"] + option, tmp_path)
    try:
        app = Celery(APP_NAME)
        app.conf.update(celery_settings(addresses["flower"] + option))
        assert app.control.inspect(timeout=3).ping() == {"bare@test": {"ok": "pong"}}
    finally:
        worker.end()
    admin = addresses["client"].replace("quartet-client:PASSWORD@", "")
    assert refused(admin) == []
    assert all(key.startswith(f"{namespace}:") for key in connect(admin).keys("*") if namespace)


@pytest.mark.chaos
def test_client_and_worker_run_a_job_with_these_rights(
    servers: Servers, settings: Settings, tmp_path: Path
) -> None:
    addresses = with_users(servers)
    common = dict(settings)
    client = Client(read_settings(**common | {"redis_url": addresses["client"]}))
    workers = Workers(read_settings(**common | {"redis_url": addresses["worker"]}), tmp_path)
    try:
        first = client.submit("autoencoder", "train", data="digits", epochs=1, name="first")
        second = client.submit("autoencoder", "evaluate", source="first")
        unwanted = client.submit("autoencoder", "train", data="digits", epochs=1)
        client.cancel(unwanted.id)
        workers.start()
        assert ended(client, first.id, 200).state == "succeeded", workers.logs()
        assert ended(client, second.id, 200).state == "succeeded", workers.logs()
        assert client.timeline(first.id)
        client.jobs()
        assert client.job(unwanted.id).state == "cancelled"
        until(lambda: client.ledger.workers(), 30)
    finally:
        workers.end()
    assert refused(addresses["client"].replace("quartet-client:PASSWORD@", "")) == []
