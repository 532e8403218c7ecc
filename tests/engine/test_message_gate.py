"""What passes to Celery is written anew, and everything else is dropped at once."""

import base64
import bz2
import json
import logging
import random
import time
from typing import Any

import pytest

from jobs.ids import new_job_id
from jobs.ledger.messages import QUEUES
from tests.engine.bare_workers import message
from worker.engine import message_gate

TRAINING = QUEUES["training"]
UUID = "01234567-89ab-cdef-0123-456789abcdef"
QUESTION = {
    "method": "ping",
    "arguments": {},
    "destination": None,
    "pattern": None,
    "matcher": None,
    "ticket": UUID,
    "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": UUID},
}


def envelope(content: Any, **changed: Any) -> bytes:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    whole = {
        "body": base64.b64encode(text).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"clock": 7, "expires": 0, "ticket": UUID},
        "properties": {"body_encoding": "base64", "delivery_info": {}, "delivery_tag": "x"},
    }
    return json.dumps(whole | changed).encode()


def body_of(payload: dict[str, Any] | None) -> Any:
    assert payload is not None
    return json.loads(base64.b64decode(payload["body"]))


def test_a_message_of_the_ledger_passes_and_is_written_anew() -> None:
    job_id = new_job_id()
    payload = message_gate.job_message(message(job_id).encode(), TRAINING)
    assert payload is not None
    assert body_of(payload)[0] == [job_id]
    assert payload["headers"]["timelimit"] == [None, None]
    assert (payload["headers"]["eta"], payload["headers"]["expires"]) == (None, None)


def test_a_message_in_another_queue_does_not_pass() -> None:
    assert message_gate.job_message(message(new_job_id()).encode(), QUEUES["short"]) is None


@pytest.mark.parametrize("seed", range(5))
def test_no_change_to_a_message_gets_a_header_through(seed: int) -> None:
    rng = random.Random(seed)
    good = message(new_job_id()).encode()
    headers = json.loads(good)["headers"]
    for _ in range(2_000):
        changed = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(changed))
            changed[place : place + rng.randint(0, 3)] = rng.randbytes(rng.randint(0, 3))
        payload = message_gate.job_message(bytes(changed), TRAINING)
        if payload is not None:
            found = payload["headers"]
            names = ("eta", "expires", "timelimit", "retries", "group", "stamps", "kwargsrepr", "parent_id")
            assert {name: found[name] for name in names} == {name: headers[name] for name in names}
            assert set(found) == set(headers)
            assert body_of(payload)[0] == [found["id"]]


def test_a_question_passes_without_arguments_and_clock() -> None:
    for method in message_gate.QUESTIONS:
        asked = QUESTION | {"method": method, "arguments": {"x": 1}, "destination": ["w1@host"]}
        payload = message_gate.question(envelope(asked))
        body = body_of(payload)
        assert (body["method"], body["arguments"], body["destination"]) == (method, {}, ["w1@host"])
        assert payload is not None
        assert payload["headers"] == {"clock": 0}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"\xff",
        envelope(QUESTION) + b" " * message_gate.LARGEST,
        envelope(QUESTION | {"method": "shutdown"}),
        envelope(QUESTION | {"method": ["ping"]}),
        envelope(QUESTION | {"pattern": "(a+)+$", "matcher": "pcre"}),
        envelope(QUESTION | {"destination": [["x"]]}),
        envelope(QUESTION | {"destination": 5}),
        envelope(QUESTION | {"ticket": None}),
        envelope(QUESTION | {"reply_to": {"exchange": "", "routing_key": TRAINING}}),
        envelope(QUESTION | {"reply_to": None}),
        envelope(b'{"method":' + b"[" * 40_000),
        envelope(bz2.compress(b"0" * 10_000_000), headers={"compression": "application/x-bz2"}),
        envelope(QUESTION, headers={"compression": "application/x-bz2"}),
        envelope(QUESTION, headers=None),
        envelope(QUESTION, body="%%%"),
        envelope(QUESTION, **{"content-type": "application/x-python-serialize"}),
        envelope(QUESTION, properties=[]),
        envelope(QUESTION | {"x": {"__type__": "datetime", "__value__": "x"}}),
    ],
)
def test_no_other_broadcast_passes_and_none_takes_long(raw: bytes) -> None:
    began = time.process_time()
    assert message_gate.question(raw) is None
    assert message_gate.job_message(raw, TRAINING) is None
    assert time.process_time() - began < 0.2


def test_an_event_passes_unless_it_is_nested_deeply() -> None:
    event = {"type": "worker-heartbeat", "hostname": "w1@host", "loadavg": [1, 2, 3]}
    assert body_of(message_gate.event(envelope(event))) == event
    assert body_of(message_gate.event(envelope([event, event]))) == [event, event]
    deep: Any = 1
    for _ in range(20):
        deep = [deep]
    for wrong in (event | {"args": deep}, {"type": 5}, [5], "x", None, {}):
        assert message_gate.event(envelope(wrong)) is None


def test_an_answer_passes_with_its_ticket() -> None:
    payload = message_gate.answer(envelope({"w1@host": {"ok": "pong"}}))
    assert payload is not None
    assert (body_of(payload), payload["headers"]["ticket"]) == ({"w1@host": {"ok": "pong"}}, UUID)
    assert message_gate.answer(envelope(["x"])) is None
    assert message_gate.answer(envelope({}, headers={"ticket": 5})) is None


def test_many_dropped_messages_make_one_line_a_second_without_control_characters(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dropped = message_gate.DropLog()
    with caplog.at_level(logging.WARNING):
        for _ in range(20_000):
            dropped.add(b"\x1b[31m\nforged\xff" + b"x" * 10_000, "quartet.short")
        time.sleep(1.05)
        dropped.flush()
    assert 2 <= len(caplog.messages) <= 4
    assert "a message that is not Quartet's" in caplog.messages[0]
    assert "messages that are not Quartet's" in caplog.messages[-1]
    for line in caplog.messages:
        assert line.isprintable()
        assert len(line) < 400
