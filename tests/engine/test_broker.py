"""The transport: it refuses a kombu that it was not tested with, and is used for every Redis address."""

import kombu
import pytest
from kombu.transport import redis, resolve_transport

from jobs.errors import MissingPart
from worker.engine import broker


@pytest.mark.parametrize("version", ["5.6.2", "5.8.0", "6.0.0rc1", "4.6.11"])
def test_a_kombu_that_was_not_tested_is_refused_in_a_sentence(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kombu, "__version__", version)
    with pytest.raises(MissingPart) as refused:
        broker.install()
    assert str(refused.value) == f"kombu {version} is installed, and a worker needs kombu >= 5.7, < 5.8"
    assert refused.value.hint == "pip install 'kombu>=5.7,<5.8'"


def test_the_kombu_that_is_installed_has_the_private_names_that_are_used() -> None:
    broker.install()
    assert callable(redis.Channel._brpop_read)
    assert redis.Channel.QoS._delivered is None  # an instance makes a dictionary of it


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("redis://:secret@host:6379/0", "redis://:secret@host:6379/0"),
        ("rediss://host/1", "rediss://host/1"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix://:secret@/run/redis.sock", "redis+socket://:secret@/run/redis.sock"),
    ],
)
def test_every_redis_address_is_kombus_and_gets_this_transport(address: str, url: str) -> None:
    broker.install()
    assert broker.celery_url(address) == url
    assert resolve_transport(url.partition(":")[0]) is broker.Transport
