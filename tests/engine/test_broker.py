"""How Celery reaches Redis: by one reader of the address, without a password in its settings, by our transport."""

import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import kombu
import pytest
import redis as redis_py
from celery import Celery
from kombu import Connection
from kombu.transport import redis, resolve_transport

from jobs.errors import InvalidSetting, MissingPart
from tests.engine.bare_workers import BareWorker, redis_at
from tests.support.processes import RestartableRedis
from worker.engine import broker
from worker.engine.bounded_reply import BoundedParser
from worker.engine.celery_settings import celery_settings
from worker.engine.transport import Channel, Poller, Transport

PASSWORD = "a#b/c?d@e:f%20;g"
QUOTED = "a%23b%2Fc%3Fd%40e%3Af%2520%3Bg"


@pytest.mark.parametrize("version", ["5.6.2", "5.8.0", "6.0.0rc1", "4.6.11"])
def test_a_kombu_that_was_not_tested_is_refused_in_a_sentence(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kombu, "__version__", version)
    with pytest.raises(MissingPart) as refused:
        broker.install()
    assert str(refused.value) == f"kombu {version} is installed, and a worker needs kombu >= 5.7, < 5.8"
    assert refused.value.hint == "pip install 'kombu>=5.7,<5.8'"


def test_the_kombu_that_is_installed_has_the_private_names_that_are_overridden() -> None:
    of_kombu = {name for one in redis.Channel.__mro__ for name in vars(one)}
    ours = {name for one in Channel.__mro__[: Channel.__mro__.index(redis.Channel)] for name in vars(one)}
    overridden = {"_brpop_start", "_brpop_read", "_receive", "_poll_error", "_put", "_put_fanout", "_restore"}
    overridden |= {"_queue_bind", "_lookup", "get_table", "_size", "_delete", "_get_pool"}
    assert overridden <= of_kombu & ours
    for name in ("_register_BRPOP", "_register_LISTEN", "_update_brpop_polling"):
        assert callable(getattr(redis.MultiChannelPoller, name))
    for name in ("on_poll_start", "maybe_restore_messages", "maybe_refresh_binding_expiry"):
        assert name in vars(Poller) and callable(getattr(redis.MultiChannelPoller, name))  # noqa: PT018


def arguments(address: str) -> dict[str, Any]:
    """With which a channel connects."""
    broker.install()
    connection = Connection(broker.url_for(address))
    channel = Channel.__new__(Channel)
    channel.connection = type("of", (), {"client": connection})
    pool = channel._get_pool()
    return {"connection_class": pool.connection_class, **pool.connection_kwargs}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("redis://host", {"host": "host", "db": 0}),
        ("redis://host:7/3", {"host": "host", "port": 7, "db": 3}),
        ("redis://host/?db=3", {"host": "host", "db": 3}),
        ("redis://[::1]:7/1", {"host": "::1", "port": 7, "db": 1}),
        ("redis://user@host", {"username": "user", "db": 0}),
        (f"redis://:{QUOTED}@host/2", {"password": PASSWORD, "db": 2}),
        (f"redis://user:{QUOTED}@host", {"username": "user", "password": PASSWORD}),
        (f"redis://host?password={QUOTED}&username=user", {"username": "user", "password": PASSWORD}),
        ("unix:///run/a;b.sock?db=4", {"path": "/run/a;b.sock", "db": 4}),
        (f"unix://user:{QUOTED}@/run/r.sock", {"path": "/run/r.sock", "password": PASSWORD, "db": 0}),
        ("rediss://host/1?ssl_cert_reqs=none", {"host": "host", "ssl_cert_reqs": "none", "db": 1}),
        ("rediss://host?ssl_ca_certs=/ca.pem", {"ssl_ca_certs": "/ca.pem"}),
    ],
)
def test_every_form_of_address_leads_where_the_client_goes(address: str, expected: dict[str, Any]) -> None:
    found = arguments(address)
    assert expected.items() <= found.items()
    # A connection of this kind can be made with them, by our parser.
    connection = redis_py.ConnectionPool(**found).make_connection()
    assert isinstance(connection._parser, BoundedParser)
    assert connection.protocol == 2
    if address.startswith("rediss"):
        assert isinstance(connection, redis_py.SSLConnection)
        assert connection.cert_reqs == (ssl.CERT_NONE if "none" in address else ssl.CERT_REQUIRED)


@pytest.mark.parametrize("address", ["sentinel://host", "redis+socket:///x", "nonsense", "redis://host/x"])
def test_an_address_that_the_client_refuses_is_refused(address: str) -> None:
    with pytest.raises(InvalidSetting):
        celery_settings(address)


@pytest.mark.parametrize(
    "address",
    [
        f"redis://:{QUOTED}@host:6379/0",
        f"redis://host:6379/0?password={QUOTED}",
        f"rediss://user:{QUOTED}@host:6379/0?ssl_password=other{QUOTED}",
        f"unix://:{QUOTED}@/run/redis.sock",
        f"redis+sentinel://:{QUOTED}@a,b/main?sentinel_password=other{QUOTED}",
    ],
)
def test_no_setting_and_nothing_that_celery_shows_has_the_password(address: str) -> None:
    app = Celery("test")
    settings = celery_settings(address)
    app.conf.update(settings)
    connection = app.connection_for_read()
    shown = [json.dumps(settings), app.conf.humanize(), connection.as_uri(), repr(connection)]
    shown += [json.dumps(connection.info(), default=repr), str(app.conf.table(with_defaults=True))]
    for text in shown:
        assert PASSWORD not in text
        assert QUOTED not in text
    assert isinstance(connection.transport, Transport)
    assert "***" in connection.as_uri()


def test_flower_gets_one_sentinel_the_service_and_the_namespace() -> None:
    address = f"redis+sentinel://user:{QUOTED}@a:1,b/main/2?namespace=lab&sentinel_password=x"
    settings = celery_settings(address)
    app = Celery("test")
    app.conf.update(settings)
    assert app.connection_for_read().as_uri(include_password=True) == f"sentinel://user:{QUOTED}@a:1/2"
    options = settings["broker_transport_options"]
    assert (options["master_name"], options["global_keyprefix"]) == ("main", "lab:")
    assert app.connection_for_read().as_uri() == (
        "redis+sentinel://user:***@a:1,b:26379/main/2?namespace=lab&sentinel_password=***"
    )


def test_a_process_may_use_several_addresses() -> None:
    urls = [broker.url_for(f"redis://:password{number}@host") for number in (1, 2, 1)]
    assert (urls[0], urls[0] == urls[1]) == (urls[2], False)
    assert arguments("redis://:password2@host")["password"] == "password2"


def test_the_transport_is_found_by_its_name() -> None:
    broker.install()
    assert resolve_transport(broker.SCHEME) is Transport


@pytest.mark.parametrize("form", ["unix", "path", "query", "user"])
def test_a_worker_takes_jobs_from_the_database_that_the_address_names(
    form: str, restartable: RestartableRedis, tmp_path: Path
) -> None:
    admin, address = redis_at(restartable.address), f"{restartable.address}?db=3"
    if form != "unix":
        port = free_port()
        admin.config_set("port", port)
        address = {
            "path": f"redis://127.0.0.1:{port}/3",
            "query": f"redis://127.0.0.1:{port}?db=3",
            "user": f"redis://someone@127.0.0.1:{port}/3",
        }[form]
    if form == "user":
        admin.acl_setuser(
            "someone", enabled=True, nopass=True, commands=["+@all"], keys=["*"], channels=["*"]
        )
        address = address.replace("someone@", "someone:anything@")
    worker = BareWorker(address, tmp_path)
    try:
        worker.does_a_job(redis_at(restartable.address, db=3), 60)
    finally:
        worker.end()


def free_port() -> int:
    code = "import socket; print(socket.create_server(('127.0.0.1', 0)).getsockname()[1])"
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)


def test_a_reason_to_pause_that_cannot_be_told_pauses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_reasons", [])
    broker.pause_while(lambda: None)
    broker.pause_while(lambda: str(1 / 0))
    assert broker.pause_reason() is None
    broker.pause_while(lambda: "no space")
    assert broker.pause_reason() == "no space"
