"""The message that wakes a worker is the one Celery itself would send, and lies where Celery looks for it."""

import base64
import json
import os
import subprocess
import sys
from typing import Any

import hypothesis
import pytest
from celery import Celery
from hypothesis import strategies as st
from kombu import Queue

from jobs.client import Client
from jobs.errors import InvalidInput, InvalidJob
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import (
    APP_NAME,
    PRIORITIES,
    QUEUES,
    Message,
    celery_queues,
    list_of,
    lists,
    read,
)
from jobs.settings import Settings
from jobs.showing.command_line import command_line
from jobs.spec import JobSpec
from worker.engine.celery_settings import celery_settings

TRAIN = JobSpec.make("denoiser", "train")
TRAINED = "20261123-221530-042-k7qd"


def job(action: str, priority: str) -> JobSpec:
    source = {} if action == "train" else {"from": TRAINED}
    return JobSpec.make("denoiser", action, priority=priority, **source)


def celery(settings: Settings) -> Celery:
    app = Celery(APP_NAME)
    app.conf.update(celery_settings(settings.redis_address()))
    return app


@pytest.mark.parametrize("priority", PRIORITIES)
@pytest.mark.parametrize(
    ("action", "queue"), [("train", "training"), ("evaluate", "short"), ("generate", "short")]
)
def test_our_message_equals_celerys_own_field_for_field(
    settings: Settings, action: str, queue: str, priority: Any
) -> None:
    ledger, job_id = Ledger(settings.redis_address()), new_job_id()
    spec = job(action, priority)
    celery(settings).send_task(
        f"denoiser.{action}",
        args=[job_id],
        task_id=job_id,
        ignore_result=True,
        queue=QUEUES[queue],
        priority=PRIORITIES[priority],
    )
    ledger.submit(job_id, spec)
    ours, celerys = [
        json.loads(text) for text in ledger.redis.lrange(list_of(spec.action, spec.priority), 0, -1)
    ]
    for message in (ours, celerys):
        message["body"] = json.loads(base64.b64decode(message["body"]))
        # These name the sender and the delivery, which differ.
        del message["headers"]["origin"]
        del message["properties"]["delivery_tag"], message["properties"]["reply_to"]
    assert ours == celerys


def test_a_message_that_is_sent_again_has_a_delivery_tag_of_its_own(settings: Settings) -> None:
    ledger, job_id = Ledger(settings.redis_address()), new_job_id()
    ledger.submit(job_id, TRAIN)
    claim = ledger.claim(job_id, "w", 1, "token")
    assert claim is not None
    ledger.hand_back(claim, "w is shutting down")
    tags = [
        json.loads(text)["properties"]["delivery_tag"]
        for text in ledger.redis.lrange(list_of("train", "normal"), 0, -1)
    ]
    assert len(set(tags)) == 2


def test_celery_takes_messages_by_priority_and_short_jobs_before_training_jobs(settings: Settings) -> None:
    ledger = Ledger(settings.redis_address())
    wanted = [
        (priority, action) for priority in ("high", "normal", "low") for action in ("evaluate", "train")
    ]
    jobs = {new_job_id(): job(action, priority) for priority, action in reversed(wanted)}
    for job_id, spec in jobs.items():
        ledger.submit(job_id, spec)
    taken: list[JobSpec] = []
    with celery(settings).connection_for_read() as connection:

        def take(_: object, message: Any) -> None:
            message.ack()
            taken.append(jobs[message.headers["id"]])

        # The order in which a person names the queues means nothing.
        queues = [Queue(name) for name in reversed(celery_queues("short,training"))]
        with connection.Consumer(queues, callbacks=[take], prefetch_count=1):
            while len(taken) < len(jobs):
                connection.drain_events(timeout=10)
    assert [(spec.priority, spec.action) for spec in taken] == wanted


def test_a_worker_for_short_jobs_takes_no_training_job(settings: Settings) -> None:
    ledger, app = Ledger(settings.redis_address()), celery(settings)
    ledger.submit(new_job_id(), TRAIN)
    with app.connection_for_read() as connection:
        found = connection.SimpleQueue(Queue(*celery_queues("short")))
        with pytest.raises(found.Empty):
            found.get(timeout=0.5)
        found.close()
    assert ledger.redis.llen(list_of("train", "normal")) == 1


def test_the_timeline_says_how_many_jobs_are_ahead(settings: Settings) -> None:
    ledger = Ledger(settings.redis_address())
    expected = {
        ("train", "low"): "queued",
        ("train", "normal"): "queued",
        ("evaluate", "normal"): "queued",
        ("train", "high"): "queued",
        ("evaluate", "low"): "queued behind 3 jobs",
        ("generate", "normal"): "queued behind 2 jobs",
        ("generate", "high"): "queued",
        ("train", "low", "again"): "queued behind 7 jobs",
    }
    for (action, priority, *_), text in expected.items():
        job_id = new_job_id()
        ledger.submit(job_id, job(action, priority))
        assert [entry["text"] for entry in ledger.timeline(job_id)] == [text], (action, priority)


def test_messages_lost_from_any_list_are_sent_again_and_ten_thousand_are_left_alone(
    settings: Settings,
) -> None:
    ledger = Ledger(settings.redis_address())
    specs = [job(action, priority) for priority in PRIORITIES for action in ("train", "evaluate")]
    for number in range(10_000):
        ledger.submit(f"{TRAINED[:-4]}{_letters(number)}", specs[number % len(specs)])
    assert ledger.resend(0) == ledger.resend(0) == 0
    sizes = [ledger.redis.llen(name) for name in lists()]
    assert sum(sizes) == 10_000
    for name in lists():
        ledger.redis.rpop(name, 2)
    assert (ledger.resend(0), ledger.resend(0), ledger.resend(0)) == (0, 2 * len(lists()), 0)
    assert [ledger.redis.llen(name) for name in lists()] == sizes


def _letters(number: int) -> str:
    return "".join("abcdefghijklmnopqrstuvwxyz"[number // 26**place % 26] for place in range(4))


def test_a_person_gives_a_priority_on_the_command_line_or_in_python(settings: Settings) -> None:
    code = "from jobs.cli.main import main; main()"
    arguments = ["submit", "denoiser", "train", "--data", "digits", "--priority", "high", "--json"]
    submitted = subprocess.check_output(
        [sys.executable, "-c", code, *arguments], env=os.environ | settings.environment(), text=True
    )
    client = Client(settings)
    first = client.job(json.loads(submitted)["id"])
    second = client.submit("denoiser", "train", data="digits", priority="low")
    assert (first.spec.priority, second.spec.priority) == ("high", "low")
    assert command_line(first.stored) == "quartet submit denoiser train --data digits --priority high"
    assert [client.ledger.redis.llen(name) for name in lists()] == [0, 1, 0, 0, 0, 1]


def test_an_unknown_priority_or_queue_is_one_sentence() -> None:
    with pytest.raises(InvalidJob) as wrong_priority:
        JobSpec.make("denoiser", "train", priority="urgent")
    assert str(wrong_priority.value) == "priority: expected one of low, normal, high, got 'urgent'"
    for names, given, hint in [("training,shrt", "shrt", "did you mean 'short'?"), ("", "", None)]:
        with pytest.raises(InvalidInput) as wrong_queue:
            celery_queues(names)
        error = wrong_queue.value
        assert str(error) == f"queue: expected one of short, training, got {given!r}"
        assert (error.field, error.given, error.hint) == ("queue", repr(given), hint)


def test_celery_takes_json_and_nothing_else() -> None:
    settings = celery_settings("redis://localhost")
    assert settings["accept_content"] == settings["result_accept_content"] == ["json"]


@pytest.mark.parametrize("action", ["train", "evaluate", "generate"])
@pytest.mark.parametrize("priority", PRIORITIES)
def test_a_worker_recognises_each_message_that_is_sent(
    settings: Settings, action: str, priority: Any
) -> None:
    ledger, job_id = Ledger(settings.redis_address()), new_job_id()
    spec = job(action, priority)
    ledger.submit(job_id, spec)
    [text] = ledger.redis.lrange(list_of(spec.action, spec.priority), 0, -1)
    message = read(text)
    assert message is not None
    assert (message.job_id, message.task) == (job_id, f"denoiser.{action}")
    assert (message.queue, message.priority) == (list_of(spec.action, "high"), PRIORITIES[priority])
    assert message.text() == text


def test_a_message_of_the_first_edition_is_recognised_and_so_is_one_that_was_put_back() -> None:
    message = Message(TRAINED, "denoiser.train", "quartet.training", 3, f"{TRAINED}.12")
    text = message.text()
    first_edition = text.replace('"timelimit": [null, null]', '"timelimit": [86460, null]')
    first_edition = first_edition.replace('"origin": "quartet"', '"origin": "quartet@box-1.local"')
    put_back = text.replace('"stamps": {}', '"stamps": {}, "redelivered": true')
    put_back = put_back.replace('"quartet.training"', '"quartet.training", "redelivered": true')
    assert read(first_edition) == read(put_back) == read(text) == message


@hypothesis.given(st.data())
def test_no_other_text_is_taken_for_a_message(data: st.DataObject) -> None:
    text = Message(TRAINED, "denoiser.train", "quartet.training", 3, f"{TRAINED}.12").text()
    place = data.draw(st.integers(0, len(text) - 1))
    put_in = data.draw(st.text(max_size=5))
    skip = data.draw(st.integers(0, 5))
    changed = text[:place] + put_in + text[place + skip :]
    found = read(changed)
    # What may differ between two messages may also be changed here, and is read as it then is.
    assert found is None or read(found.text()) == found
    parsed = None if found is None else json.loads(changed)
    assert found is None or parsed["headers"]["id"] == parsed["properties"]["correlation_id"] == found.job_id


@pytest.mark.parametrize(
    "text", ["", "{}", "[" * 4_000, "x" * 10**7, '{"body": "W10="}', "\x00", "20261123-221530-042-k7qd"]
)
def test_rubbish_is_no_message(text: str) -> None:
    assert read(text) is None
