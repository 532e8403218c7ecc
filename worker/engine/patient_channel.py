"""A channel of kombu's Redis transport that takes every failure of Redis as "not now".

Celery ends, restarts or blocks a worker at an answer of Redis that it does not expect. Here, the loop of the
worker's main process goes on, so that its job stays watched, and Redis is asked again a second later.

Kombu's store of unacknowledged messages and its tables of bindings in Redis are not used: the ledger knows
which jobs wait, and anybody could write into these.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.transport import redis, virtual
from redis.exceptions import RedisError

from jobs.ledger.messages import QUEUES
from jobs.redis_access.pool import new_pool
from worker.engine import broker
from worker.engine.bounded_reply import BoundedParser
from worker.engine.message_gate import REPLY_EXCHANGE
from worker.engine.outage_log import OutageLog

TRY_AGAIN_SECONDS = 1.0
"""Between a failure of Redis and the next attempt."""

QUIET_SECONDS = 5.0
"""For how long events and answers are thrown away after one could not be sent."""

ANSWER_MILLISECONDS = 60_000
"""How long an answer waits for the one who asked."""

UNEXPECTED = (RedisError, OSError, ValueError, TypeError, LookupError, AttributeError)
"""What redis-py raises, all but the first two where what answers is not Redis."""

JOBS, BROADCASTS, SENDING = "BRPOP", "LISTEN", "SEND"
"""The uses of Redis, the first two by kombu's names."""

_CONNECTION = {
    "protocol": 2,
    "parser_class": BoundedParser,
    "max_connections": 10,
    "health_check_interval": 10,
    # Without these, a worker whose network comes back under another address waits on the dead connection
    # until TCP times out, for many minutes.
    "socket_timeout": 5.0,
    "socket_connect_timeout": 3.0,
}


class PatientChannel(redis.Channel):  # type: ignore[misc] # kombu has no types
    """Connects, sends, and says what a failure means."""

    ack_emulation = False

    def __init__(self, *args: Any, **options: Any) -> None:
        """Connect to Redis, which must answer this once."""
        self._wait_until = dict.fromkeys((JOBS, BROADCASTS, SENDING), 0.0)
        self._outages = {
            JOBS: OutageLog("waiting for jobs"),
            BROADCASTS: OutageLog("waiting for questions"),
            SENDING: OutageLog("sending events and answers"),
        }
        super().__init__(*args, **options)

    @contextmanager
    def patient(self, use: str) -> Iterator[None]:
        """Take any failure of Redis within the block as "not now", and begin with a new connection later."""
        try:
            yield
        except UNEXPECTED as error:
            self._outages[use].failed(error)
            quiet = QUIET_SECONDS if use == SENDING else TRY_AGAIN_SECONDS
            self._wait_until[use] = time.monotonic() + quiet
            self._disconnect(use)

    def _disconnect(self, use: str) -> None:
        name = {JOBS: "client", BROADCASTS: "subclient"}.get(use, "")
        connection = getattr(self.__dict__.get(name), "connection", None)
        if connection is not None:
            connection.disconnect()

    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        """Send an answer, for which nobody waits long; anything else is kombu's to send."""
        if not queue.endswith(REPLY_EXCHANGE):
            super()._put(queue, message, **options)
            return
        with self._if_redis_answers() as client:
            if client is not None:
                pipe = client.pipeline(transaction=False)
                pipe.lpush(queue, json.dumps(message)).pexpire(queue, ANSWER_MILLISECONDS)
                pipe.execute()

    def _put_fanout(self, exchange: str, message: dict[str, Any], routing_key: str, **_: Any) -> None:
        """Send a question or an event."""
        with self._if_redis_answers() as client:
            if client is not None:
                client.publish(self._get_publish_topic(exchange, routing_key), json.dumps(message))

    @contextmanager
    def _if_redis_answers(self) -> Iterator[Any]:
        """A client for what may get lost, None a short time after something could not be sent."""
        if time.monotonic() < self._wait_until[SENDING]:
            yield None
            return
        with self.patient(SENDING), self.conn_or_acquire() as client:
            yield client
            self._outages[SENDING].answered()

    def _restore(self, message: Any, leftmost: bool = False) -> None:  # noqa: ARG002 - kombu's argument
        """Give back a job's message that was not acknowledged when the channel closes."""
        info = message.properties["delivery_info"]
        if info["routing_key"] in QUEUES.values():
            key = self._q_for_pri(info["routing_key"], message.properties["priority"])
            self._give_back(key, json.dumps(message._raw).encode())

    def _give_back(self, key: str, raw: bytes) -> None:
        """Put a message back; if that fails, the sweeper finds that its job has none."""
        with self.patient(SENDING), self.conn_or_acquire() as client:
            client.rpush(key, raw)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:  # noqa: ARG002
        if self.typeof(exchange).type == "fanout":
            self._fanout_queues[queue] = (exchange, routing_key.replace("#", "*"))

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> list[str]:
        """The queues to which an exchange delivers: an answer's is that of the one who asked."""
        if exchange == REPLY_EXCHANGE:
            return [f"{routing_key}.{exchange}"]
        found: list[str] = super()._lookup(exchange, routing_key, default)
        return found

    def get_table(self, exchange: str) -> list[Any]:
        """The bindings that this process knows of."""
        return list(virtual.Channel.get_table(self, exchange))

    def _size(self, queue: str) -> int:  # noqa: ARG002
        """Kombu asks when it declares a queue; nobody needs it."""
        return 0

    def _delete(self, queue: str, *_: Any, **__: Any) -> None:
        """Delete the answers that nobody waits for any more."""
        self.auto_delete_queues.discard(queue)
        if queue.endswith(REPLY_EXCHANGE):
            with self.patient(SENDING), self.conn_or_acquire() as client:
                client.delete(queue)

    def _get_pool(self, asynchronous: bool = False) -> Any:
        """A pool of connections to the server of Redis' address, by the one reader of it."""
        address = broker.address_of(self.connection.client.hostname)
        self.keyprefix_fanout: str = self.keyprefix_fanout.format(db=address.database)
        arguments = address.connection_arguments() | _CONNECTION
        if not asynchronous:
            return new_pool(address, arguments)
        return new_pool(address, arguments, lambda connection_class: _reporting(connection_class, self))


def _reporting(connection_class: Any, channel: PatientChannel) -> Any:
    """A class of connections that leave kombu's poll when they disconnect."""

    class Reporting(connection_class):  # type: ignore[misc]
        def disconnect(self, *args: Any, **options: Any) -> None:
            super().disconnect(*args, **options)
            if channel._registered:
                channel._on_connection_disconnect(self)

    return Reporting
