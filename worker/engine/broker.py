"""Celery's settings for a worker, and kombu's Redis transport, made safe against strangers' messages.

The transport is ours because kombu and Celery trust a message: one that is not JSON, or lacks a part, ends
the worker with an error that nobody catches, and is delivered again to the next worker; here it is dropped.
"""

import logging
from typing import Any

import kombu
from kombu.transport import TRANSPORT_ALIASES, redis

from jobs.errors import MissingPart
from jobs.ledger.messages import PRIORITIES, QUEUES

log = logging.getLogger(__name__)

OLDEST_KOMBU, FIRST_UNTESTED_KOMBU = (5, 7), (5, 8)
"""The versions of kombu whose private names, `Channel._brpop_read` and `QoS._delivered`, are known to fit."""

_NO_MESSAGE = (LookupError, TypeError, ValueError, AttributeError)
"""What kombu raises when it reads something that is not a message. A lost connection is none of these."""


class Channel(redis.Channel):  # type: ignore[misc] # kombu has no types
    """A channel that outlives a message that cannot be read."""

    def _brpop_read(self, **options: Any) -> Any:
        """Take a message and hand it on, through all of Celery up to the pool."""
        before = set(self.qos._delivered)
        try:
            return super()._brpop_read(**options)
        except _NO_MESSAGE as error:
            log.error("dropped an unreadable message (%s: %.200s)", type(error).__name__, error)
            for tag in set(self.qos._delivered) - before:
                self.basic_reject(tag, requeue=False)
            return True


class Transport(redis.Transport):  # type: ignore[misc]
    """Redis with such channels."""

    Channel = Channel


def install() -> None:
    """Make every Redis address use this transport, in this process.

    Raises:
        MissingPart: the version of kombu is not one that the transport was tested with.
    """
    found = tuple(int(part) for part in kombu.__version__.split(".")[:2])
    if not OLDEST_KOMBU <= found < FIRST_UNTESTED_KOMBU:
        oldest, first = (".".join(map(str, version)) for version in (OLDEST_KOMBU, FIRST_UNTESTED_KOMBU))
        raise MissingPart(
            f"kombu {kombu.__version__} is installed, and a worker needs kombu >= {oldest}, < {first}",
            hint=f"pip install 'kombu>={oldest},<{first}'",
        )
    for scheme in ("redis", "rediss", "redis+socket"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"


def celery_settings(redis_url: str) -> dict[str, Any]:
    """Celery's settings for a worker: JSON only, one process, one job at a time, acknowledged early.

    Args:
        redis_url: as `Settings.redis_address` has it.

    Returns:
        Celery's names of the settings -> their values.
    """
    return {
        "broker_url": celery_url(redis_url),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "accept_content": ["json"],
        "task_serializer": "json",
        "event_serializer": "json",
        "result_accept_content": ["json"],
        "broker_transport_options": {
            "priority_steps": list(PRIORITIES.values()),
            "queue_order_strategy": "sorted",
            # Without these, a worker whose network comes back under another address waits on the dead
            # connection until TCP times out, for many minutes.
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        "task_default_queue": QUEUES["short"],
        "task_create_missing_queues": True,
        "task_ignore_result": True,
        # Early: the ledger is the truth; a message is only a wake-up call.
        "task_acks_late": False,
        # A job keeps running while Redis is away; the sweeper queues lost jobs again.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_pool": "prefork",
        # A CUDA context does not survive a fork.
        "worker_pool_start_method": "spawn",
        "worker_concurrency": 1,
        "worker_prefetch_multiplier": 1,
        # A busy worker must not hold a job that another could do.
        "worker_disable_prefetch": True,
        "worker_proc_alive_timeout": 60.0,
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        "worker_enable_remote_control": True,
    }


def celery_url(redis_url: str) -> str:
    """Redis' address as kombu spells it: a Unix socket is `redis+socket://`."""
    scheme, separator, rest = redis_url.partition("://")
    return f"redis+socket://{rest}" if scheme == "unix" else f"{scheme}{separator}{rest}"
