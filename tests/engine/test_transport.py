"""The transport, by a real worker whose jobs need no TensorFlow: what strangers write into Redis harms nobody."""

import base64
import bz2
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from jobs.ids import new_job_id
from jobs.ledger.messages import APP_NAME, QUEUES
from tests.engine.bare_workers import LIST, BareWorker, message, redis_at
from tests.support.processes import until
from worker.engine.celery_settings import celery_settings


@pytest.fixture(scope="module")
def redis(redis_url: str) -> Any:
    found = redis_at(redis_url)
    found.flushall()
    return found


@pytest.fixture(scope="module")
def worker(redis: Any, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareWorker]:
    found = BareWorker(redis_url, tmp_path_factory.mktemp("bare"))
    found.does_a_job(redis, 60)
    yield found
    found.end()


@pytest.fixture(scope="module")
def asking(redis_url: str) -> Any:
    app = Celery(APP_NAME)
    app.conf.update(celery_settings(redis_url))
    return app.control


def test_a_flood_of_strange_messages_holds_up_no_job_and_fills_no_log(redis: Any, worker: BareWorker) -> None:
    worker.does_a_job(redis, 60)
    lines = worker.said().count("\n")
    for name in ("eta", "expires", "timelimit"):
        strange = json.loads(message(new_job_id()))
        strange["headers"][name] = "9999-12-31T23:59:59"
        redis.lpush(LIST, *[json.dumps(strange)] * 7_000)
    began = time.monotonic()
    worker.does_a_job(redis)
    assert time.monotonic() - began < 10
    until(lambda: "messages that are not Quartet's" in worker.said(), 10)
    assert worker.said().count("\n") - lines < 30
    assert redis.llen(LIST) == 0


def test_among_strange_messages_no_job_is_lost(redis: Any, worker: BareWorker) -> None:
    ids = [new_job_id() for _ in range(40)]
    pipe = redis.pipeline(transaction=False)
    for job_id in ids:
        pipe.lpush(LIST, *(f"{number} {job_id}" for number in range(70)), message(job_id))
    pipe.execute()
    until(lambda: set(ids) <= set(worker.done()), 60)
    # In their order.
    assert [job_id for job_id in worker.done() if job_id in ids] == ids


def test_a_message_of_any_size_costs_no_memory(redis: Any, worker: BareWorker) -> None:
    before = worker.process.memory_info().rss
    chunk = b"[" * 100_000_000
    redis.lpush(LIST, chunk, chunk, b"[" * 1_000_000)
    peak = 0
    job_id = worker.submit(redis)
    while job_id not in worker.done():
        peak = max(peak, worker.process.memory_info().rss)
    assert peak - before < 50e6


def test_the_log_shows_no_control_character_of_a_message(redis: Any, worker: BareWorker) -> None:
    time.sleep(1.1)
    redis.lpush(LIST, "\x1b[31mowned\x1b[0m\n[2026-11-26: INFO] a forged line\u2028\u202e")
    worker.does_a_job(redis)
    until(lambda: "owned" in worker.said(), 10)
    assert "\x1b[31m" not in worker.said()
    assert not re.search(r"^\[2026-11-26: INFO\]", worker.said(), re.M)


def test_a_key_that_a_stranger_made_no_list_leaves_the_others_readable(
    redis: Any, worker: BareWorker
) -> None:
    redis.set(QUEUES["short"], "mine")
    try:
        worker.does_a_job(redis)
        until(lambda: "quartet.short is not a list" in worker.said(), 10)
        before = sum(worker.process.cpu_times()[:2])
        time.sleep(3)
        assert sum(worker.process.cpu_times()[:2]) - before < 1.5
        worker.does_a_job(redis)
        assert worker.said().count("quartet.short is not a list") == 1
    finally:
        redis.delete(QUEUES["short"])


def test_what_kombu_would_restore_or_look_up_in_redis_is_not_read(redis: Any, worker: BareWorker) -> None:
    redis.hset("unacked", "tag", json.dumps([{"headers": {}}, "", "nowhere"]))
    redis.zadd("unacked_index", {"tag": 1})
    redis.sadd("_kombu.binding.reply.celery.pidbox", b"\xff", "nothing")
    redis.sadd("_kombu.binding.celery.pidbox", b"\xff")
    worker.does_a_job(redis)
    assert redis.hlen("unacked") == 1
    redis.delete("unacked", "unacked_index")


def broadcast(redis: Any, body: Any, **headers: Any) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    envelope = {
        "body": base64.b64encode(text).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"clock": 1, "expires": 0} | headers,
        "properties": {
            "delivery_mode": 1,
            "delivery_info": {"exchange": "celery.pidbox", "routing_key": ""},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": "1",
        },
    }
    redis.publish("/0.celery.pidbox", json.dumps(envelope))


@pytest.mark.chaos
def test_no_command_stops_or_changes_a_worker(redis: Any, worker: BareWorker, asking: Any) -> None:
    asking.shutdown()
    asking.pool_restart()
    asking.pool_shrink()
    asking.rate_limit("bare.train", "1/h")
    asking.time_limit("bare.train", hard=0.01)
    asking.cancel_consumer(QUEUES["training"])
    asking.add_consumer("stranger")
    asking.revoke(new_job_id(), terminate=True, signal="SIGKILL")
    asking.disable_events()
    asking.autoscale(0, 0)
    for name in ("election", "hello", "memdump", "objgraph", "report", "no such command"):
        broadcast(redis, {"method": name, "arguments": {}, "destination": None})
    child = worker.does_a_job(redis)
    assert worker.does_a_job(redis) == child
    assert "stranger" not in json.dumps(asking.inspect(timeout=5).active_queues())


@pytest.mark.chaos
def test_no_broadcast_ends_stalls_or_bloats_a_worker(redis: Any, worker: BareWorker, asking: Any) -> None:
    before = worker.process.memory_info().rss
    body = {"method": "ping", "arguments": {}, "destination": None}
    redis.publish("/0.celery.pidbox", "[" * 60_000)
    redis.publish("/0.celery.pidbox", b"\xff\xfe")
    redis.publish("/0.celery.pidbox", "x" * 20_000_000)
    broadcast(redis, b'{"method": ' + b"[" * 40_000)
    broadcast(redis, bz2.compress(b"0" * 10**9), compression="application/x-bz2")
    broadcast(redis, body | {"pattern": "(a+)+$", "matcher": "pcre"})
    broadcast(redis, body | {"reply_to": {"exchange": "", "routing_key": QUEUES["short"]}, "ticket": "1"})
    broadcast(redis, body, clock=10**4000)
    broadcast(redis, {"method": {"__type__": "datetime", "__value__": 1}})
    for _ in range(5_000):
        redis.publish("/0.celery.pidbox", "{}")
    began = time.monotonic()
    worker.does_a_job(redis)
    assert time.monotonic() - began < 10
    assert asking.ping(timeout=10, limit=1)
    assert redis.exists(QUEUES["short"]) == 0
    assert worker.process.memory_info().rss - before < 50e6


def test_a_worker_answers_health_and_flower_and_leaves_no_answer_behind(
    redis: Any, worker: BareWorker, asking: Any
) -> None:
    worker.does_a_job(redis)
    assert asking.ping(destination=["bare@test"], timeout=10, limit=1) == [{"bare@test": {"ok": "pong"}}]
    inspect = asking.inspect(destination=["bare@test"], timeout=10)
    for method in ("stats", "active_queues", "registered", "scheduled", "reserved", "revoked", "conf"):
        assert "bare@test" in (getattr(inspect, method)() or {}), method
    assert "bare@test" in inspect.active(safe=True)
    assert {queue["name"] for queue in inspect.active_queues()["bare@test"]} == set(QUEUES.values())
    for key in redis.keys("*pidbox*"):
        assert redis.type(key) == b"set" or 0 < redis.ttl(key) <= 60, key


def test_flower_receives_events(redis: Any, worker: BareWorker, redis_url: str) -> None:
    app = Celery(APP_NAME)
    app.conf.update(celery_settings(redis_url))
    received: list[dict[str, Any]] = []
    with app.connection() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": received.append})
        redis.publish("/0.celeryev/worker.heartbeat", "[" * 60_000)
        consuming = receiver.itercapture(limit=None, timeout=20, wakeup=False)
        next(consuming)
        job_id = worker.submit(redis)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and "task-succeeded" not in {event["type"] for event in received}:
            next(consuming)
    types = {event["type"] for event in received if event.get("uuid") == job_id}
    assert {"task-received", "task-started", "task-succeeded"} <= types


@pytest.mark.chaos
def test_while_paused_no_job_is_taken_and_then_it_goes_on_by_itself(redis: Any, worker: BareWorker) -> None:
    worker.mark("pause")
    job_id = worker.submit(redis)  # at once: a BRPOP that was sent before brings it, and it is given back
    time.sleep(2)
    assert (job_id in worker.done(), redis.llen(LIST)) == (False, 1)
    assert worker.said().count("takes no jobs: the volume is full") == 1
    worker.mark("pause", False)
    until(lambda: job_id in worker.done(), 10)


def test_a_stopped_worker_gives_back_what_it_has_not_begun(
    restartable: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    redis = redis_at(restartable.address)
    worker = BareWorker(restartable.address, tmp_path_factory.mktemp("stopped"))
    try:
        worker.does_a_job(redis, 60)
        worker.process.terminate()
        ids = {worker.submit(redis) for _ in range(3)}
        worker.process.wait(30)
        waiting = {json.loads(text)["headers"]["id"] for text in redis.lrange(LIST, 0, -1)}
        assert waiting | set(worker.done()) >= ids
    finally:
        if worker.process.is_running():
            worker.end()
