"""What may pass from Redis to Celery: jobs' messages, questions about a worker, answers to them, and events.

Celery and kombu trust what they read: a message may set a time limit that ends the worker, name a date in
the year 9999, unpack to gigabytes, be nested until the parser gives up, or shut the worker down. So nothing
of a stranger's text is handed on. Each text is matched against the form that it must have, and what Celery
gets is written here anew.
"""

import base64
import json
import logging
import re
import time
from typing import Any

from jobs.escape_control import escape_line
from jobs.ledger import messages

log = logging.getLogger(__name__)

LARGEST = 64 * 1024
"""In bytes, of a question or an event. Jobs' messages are bounded by `messages.LONGEST`, answers by
`bounded_reply.LARGEST`."""

DEEPEST = 12
"""How deep lists and objects may be nested; Celery's own need half as much."""

CONTROL_EXCHANGE = "celery.pidbox"
REPLY_EXCHANGE = "reply.celery.pidbox"
EVENT_EXCHANGE = "celeryev"

QUESTIONS = frozenset(
    {"ping", "stats", "active_queues", "registered", "scheduled", "active", "reserved", "revoked", "conf"}
)
"""The commands that a worker obeys: `quartet-worker health` sends the first, Flower sends the others.

None changes anything; Celery has others, which end a worker, or change what it does.
"""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UNREADABLE = (ValueError, TypeError, KeyError, RecursionError)
_SHOWN = 60
"""Characters of a dropped text that the log shows."""


def job_message(raw: bytes, queue: str) -> dict[str, Any] | None:
    """The payload of a job's message, for kombu.

    Args:
        raw: what lay in the queue's Redis list.
        queue: the Celery queue.

    Returns:
        None if it is not a message that the ledger sent to this queue.
    """
    if len(raw) > messages.LONGEST:
        return None
    found = messages.read(raw.decode("ascii", "replace"))
    if found is None or found.queue != queue:
        return None
    payload: dict[str, Any] = json.loads(found.text())
    return payload


def question(raw: bytes) -> dict[str, Any] | None:
    """The payload of a question to a worker, as it came over the exchange `CONTROL_EXCHANGE`.

    Returns:
        None if it is not one of `QUESTIONS` in the form that Celery gives it.
    """
    try:
        body, _, _ = _open(raw, LARGEST)
        destination, reply_to = body["destination"], body["reply_to"]
        passes = (
            body["method"] in QUESTIONS
            and (destination is None or all(type(name) is str for name in destination))
            and body.get("pattern") is None  # a regular expression, which may take for ever
            and reply_to["exchange"] == REPLY_EXCHANGE
            and _UUID.fullmatch(reply_to["routing_key"])
            and _UUID.fullmatch(body["ticket"])
        )
    except _UNREADABLE:
        return None
    if not passes:
        return None
    asked = {name: body[name] for name in ("method", "destination", "ticket")}
    answer_to = {"exchange": REPLY_EXCHANGE, "routing_key": reply_to["routing_key"]}
    text = json.dumps({**asked, "arguments": {}, "reply_to": answer_to})
    return _payload(text.encode(), {"clock": 0}, CONTROL_EXCHANGE)


def answer(raw: bytes) -> dict[str, Any] | None:
    """The payload of a worker's answer, as it came through the queue of who asked; None if it is not one."""
    try:
        body, text, headers = _open(raw, len(raw))
        if type(body) is not dict or not _UUID.fullmatch(headers["ticket"]):
            return None
        return _payload(text, {"clock": 0, "ticket": headers["ticket"]}, REPLY_EXCHANGE)
    except _UNREADABLE:
        return None


def event(raw: bytes) -> dict[str, Any] | None:
    """The payload of one event or a list of events, which only Flower reads; None if it is not one."""
    try:
        body, text, _ = _open(raw, LARGEST)
        if not all(type(one["type"]) is str for one in (body if type(body) is list else [body])):
            return None
    except _UNREADABLE:
        return None
    return _payload(text, {}, EVENT_EXCHANGE)


def _open(raw: bytes, largest: int) -> tuple[Any, bytes, dict[str, Any]]:
    """The body, parsed and as JSON, and the headers of a text in kombu's envelope."""
    # Of an object with a `__type__`, kombu makes something else.
    if len(raw) > largest or b"__type__" in raw:
        raise ValueError
    envelope = json.loads(raw)
    if envelope["content-type"] != "application/json" or envelope["properties"]["body_encoding"] != "base64":
        raise ValueError
    headers = envelope["headers"]
    if "compression" in headers:
        raise ValueError
    text = base64.b64decode(envelope["body"], validate=True)
    body = json.loads(text)
    if b"__type__" in text or not _is_flat(body, DEEPEST):
        raise ValueError
    return body, text, headers


def _is_flat(value: Any, levels: int) -> bool:
    children = value.values() if type(value) is dict else value if type(value) is list else ()
    return levels > 0 and all(_is_flat(child, levels - 1) for child in children)


def _payload(text: bytes, headers: dict[str, Any], exchange: str) -> dict[str, Any]:
    return {
        "body": base64.b64encode(text).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": {
            "delivery_mode": 1,
            "delivery_info": {"exchange": exchange, "routing_key": ""},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": "",
        },
    }


class DropLog:
    """Logs what was dropped, in at most one line a second."""

    def __init__(self) -> None:
        self._count = 0
        self._example = ""
        self._next = 0.0

    def add(self, raw: bytes, place: str) -> None:
        """Note a dropped text and where it was found."""
        self._count += 1
        if not self._example:
            start = escape_line(raw[:_SHOWN].decode("utf-8", "backslashreplace"))
            self._example = f"in {escape_line(place)}: {len(raw)} bytes that begin with {start!r}"
        self.flush()

    def flush(self) -> None:
        """Log what was dropped since the last line, if that was a second ago."""
        if not self._count or time.monotonic() < self._next:
            return
        what = "a message that is" if self._count == 1 else f"{self._count} messages that are"
        log.warning("dropped %s not Quartet's (%s)", what, self._example)
        self._count, self._example, self._next = 0, "", time.monotonic() + 1
