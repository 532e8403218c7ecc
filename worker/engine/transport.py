"""Kombu's Redis transport, made safe against strangers' messages and patient with Redis.

Kombu and Celery trust a message. Here, what Quartet did not send is dropped before they see it.
"""

import logging
import time
from queue import Empty
from typing import Any

from kombu.transport import redis
from redis.exceptions import InvalidResponse, RedisError, ResponseError

from jobs.escape_control import escape_line
from jobs.ledger.messages import QUEUES
from worker.engine import broker, message_gate
from worker.engine.patient_channel import BROADCASTS, JOBS, PatientChannel

log = logging.getLogger(__name__)

DROP_MESSAGES, DROP_SECONDS = 50, 0.5
"""How many messages are read at once where one was dropped, and for how long."""

MISUSED_SECONDS = 60.0
"""How long a list is left out that is not a list."""

QUESTIONS_A_SECOND = 50


class Channel(PatientChannel):
    """Receives jobs' messages and questions, and drops everything else."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Connect to Redis, which must answer this once."""
        self._dropped = message_gate.DropLog()
        self._questions = (0.0, 0)
        self._misused: dict[str, float] = {}
        self._paused: str | None = None
        super().__init__(*args, **options)

    def ask(self, poller: Any) -> None:
        """Ask Redis for messages, unless that was done, or failed a moment ago."""
        self._dropped.flush()
        now = time.monotonic()
        if self.active_queues and self.qos.can_consume() and now >= self._wait_until[JOBS]:
            with self.patient(JOBS):
                poller._register_BRPOP(self)
        if self.active_fanout_queues and now >= self._wait_until[BROADCASTS]:
            with self.patient(BROADCASTS):
                poller._register_LISTEN(self)

    def _poll_error(self, type: str, **_: Any) -> None:  # noqa: A002 - kombu's name
        self._disconnect(type)

    def _brpop_start(self, timeout: float | None = None) -> None:
        """Send a BRPOP, of no job's list while paused, and of no list that is not a list."""
        now, queues = time.monotonic(), self._queue_cycle.consume(len(self.active_queues))
        if self._is_paused():
            queues = [queue for queue in queues if queue not in QUEUES.values()]
        keys = [self._q_for_pri(queue, step) for step in self.priority_steps for queue in queues]
        keys = [key for key in keys if self._misused.get(key, 0.0) <= now]
        if keys:
            connection = self._in_poll = self.client.connection
            self._brpop_sent_at = now
            named = [f"{self.global_keyprefix}{key}" for key in keys]
            connection.send_command("BRPOP", *named, timeout or self.brpop_timeout or 0)

    def _is_paused(self) -> bool:
        reason = broker.pause_reason() if set(self.active_queues) & set(QUEUES.values()) else None
        if reason and not self._paused:
            log.warning("takes no jobs: %s", escape_line(reason))
        elif self._paused and not reason:
            log.info("takes jobs again")
        self._paused = reason
        return reason is not None

    def _brpop_read(self, **_: Any) -> bool:
        """Read what a BRPOP brought and hand it on, through all of Celery up to the pool."""
        found = None
        try:
            with self.patient(JOBS):
                found = self._popped()
                self._outages[JOBS].answered()
        finally:
            self._in_poll = None
        if not found:
            raise Empty
        key, raw = found[0].decode().removeprefix(self.global_keyprefix), found[1]
        queue = key.rsplit(self.sep, 1)[0]
        payload = self._checked(queue, raw)
        if payload is None:
            with self.patient(JOBS):
                self._drop_more(key, queue)
        elif queue not in self.connection._callbacks or self._came_too_late(queue):  # the worker stops
            self._give_back(key, raw)
        else:
            self._queue_cycle.rotate(queue)
            self.connection._deliver(payload, queue)
        return True

    @staticmethod
    def _came_too_late(queue: str) -> bool:
        """Whether a job's message was asked for before a pause and came in it."""
        return queue in QUEUES.values() and broker.pause_reason() is not None

    def _popped(self) -> Any:
        try:
            found = self.client.connection.read_response()
        except ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            self._find_misused()
            return None
        if found is not None and list(map(type, found)) != [bytes, bytes]:
            raise InvalidResponse("not an answer to BRPOP")
        return found

    def _find_misused(self) -> None:
        """Leave out, for a minute, each list that a stranger made something else."""
        keys = [self._q_for_pri(queue, step) for queue in self.active_queues for step in self.priority_steps]
        with self.conn_or_acquire() as client:
            pipe = client.pipeline(transaction=False)
            for key in keys:
                pipe.llen(key)
            lengths = pipe.execute(raise_on_error=False)
        for key, length in zip(keys, lengths, strict=True):
            if isinstance(length, ResponseError):
                named = escape_line(f"{self.global_keyprefix}{key}")
                log.error("%s is not a list in Redis, so its jobs wait; delete this key", named)
                self._misused[key] = time.monotonic() + MISUSED_SECONDS

    def _checked(self, queue: str, raw: bytes) -> dict[str, Any] | None:
        """What Celery gets instead of a text from a list; None, and the text is noted, if it is dropped."""
        payload = (
            message_gate.job_message(raw, queue) if queue in QUEUES.values() else message_gate.answer(raw)
        )
        if payload is None:
            self._dropped.add(raw, queue)
        return payload

    def _drop_more(self, key: str, queue: str) -> None:
        """Drop what else is not ours at the end of a list, for as long as the loop may wait."""
        deadline = time.monotonic() + DROP_SECONDS
        with self.conn_or_acquire() as client:
            while time.monotonic() < deadline:
                texts = client.rpop(key, DROP_MESSAGES)
                for index, raw in enumerate(texts or ()):
                    if self._checked(queue, raw) is not None:
                        client.rpush(key, *reversed(texts[index:]))
                        return
                if not texts:
                    return

    def _receive(self) -> bool:
        """Read what was broadcast, and hand it on."""
        received = []
        with self.patient(BROADCASTS):
            client = self.subclient
            while True:
                found = self._broadcast(client.parse_response())
                if found:
                    received.append(found)
                if client.connection is None or not client.connection.can_read(timeout=0):
                    break
            self._outages[BROADCASTS].answered()
        for payload, queue in received:
            self.connection._deliver(payload, queue)
        return bool(received)

    def _broadcast(self, response: Any) -> tuple[dict[str, Any], str] | None:
        """A question or an event, and kombu's queue for it."""
        if not isinstance(response, list) or len(response) < 3:  # the answer to a health check
            return None
        received = self._handle_message(self.subclient, response)
        if received["type"] not in (b"message", b"pmessage"):
            return None
        exchange = received["channel"].decode("utf-8", "replace").partition(".")[2].partition("/")[0]
        queue, raw = self._fanout_to_queue.get(exchange), received["data"]
        if queue is None:
            return None
        if exchange == message_gate.CONTROL_EXCHANGE:
            payload = message_gate.question(raw)
        else:
            payload = message_gate.event(raw)
        if payload is None or (exchange == message_gate.CONTROL_EXCHANGE and not self._may_answer()):
            self._dropped.add(raw, exchange)
            return None
        return payload, queue

    def _may_answer(self) -> bool:
        second, count = time.monotonic() // 1, self._questions[1] + 1
        self._questions = (second, count if second == self._questions[0] else 1)
        return self._questions[1] <= QUESTIONS_A_SECOND


class Poller(redis.MultiChannelPoller):  # type: ignore[misc] # kombu has no types
    """Asks for messages on all channels."""

    def on_poll_start(self) -> None:
        """Called on each round of the loop, at least once a second."""
        self._update_brpop_polling()
        for channel in tuple(self._channels):
            channel.ask(self)

    def maybe_restore_messages(self) -> None:
        """Nothing is kept that could be restored."""

    def maybe_refresh_binding_expiry(self) -> None:
        """No table of bindings is kept in Redis."""

    def maybe_check_subclient_health(self) -> None:
        """Called every ten seconds."""
        for channel in tuple(self._channels):
            with channel.patient(BROADCASTS):
                super().maybe_check_subclient_health()


class Transport(redis.Transport):  # type: ignore[misc]
    """Redis with such channels."""

    Channel = Channel
    can_parse_url = True
    connection_errors = (*redis.Transport.connection_errors, RedisError)

    def __init__(self, *args: Any, **options: Any) -> None:
        """Connect to nothing yet."""
        super().__init__(*args, **options)
        self.cycle = Poller()

    def as_uri(self, uri: str, include_password: bool = False, mask: str = "**") -> str:  # noqa: ARG002
        """Redis' address for logs, or, with the password, as Flower reads it to count waiting messages."""
        address = broker.address_of(uri)
        return address.kombu_url if include_password else address.masked
