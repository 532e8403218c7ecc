"""The message that wakes a worker is the one Celery itself would send."""

import base64
import json

from celery import Celery

from jobs.job_id import new_job_id
from jobs.ledger import Ledger
from jobs.queue import APP_NAME, HARD_LIMIT_SECONDS, QUEUE, celery_settings, celery_url
from jobs.settings import Settings
from jobs.spec import JobSpec


def test_our_message_equals_celerys_own_field_for_field(settings: Settings) -> None:
    ledger, job_id = Ledger(settings.redis_address()), new_job_id()
    spec = JobSpec.make("denoiser", "train")
    app = Celery(APP_NAME)
    app.conf.update(celery_settings(settings.redis_address()))
    limit = spec.seconds_allowed() + HARD_LIMIT_SECONDS
    app.send_task("denoiser.train", args=[job_id], task_id=job_id, ignore_result=True, time_limit=limit)
    ledger.submit(job_id, spec)
    ours, celerys = [json.loads(text) for text in ledger.redis.lrange(QUEUE, 0, -1)]
    for message in (ours, celerys):
        message["body"] = json.loads(base64.b64decode(message["body"]))
        # These name the sender and the delivery, which differ.
        del message["headers"]["origin"]
        del message["properties"]["delivery_tag"], message["properties"]["reply_to"]
    assert ours == celerys


def test_a_message_that_is_sent_again_has_a_delivery_tag_of_its_own(settings: Settings) -> None:
    ledger, job_id = Ledger(settings.redis_address()), new_job_id()
    ledger.submit(job_id, JobSpec.make("denoiser", "train"))
    claim = ledger.claim(job_id, "w", 30, "token")
    assert claim is not None
    ledger.hand_back(claim, "the test asked")
    tags = [json.loads(text)["properties"]["delivery_tag"] for text in ledger.redis.lrange(QUEUE, 0, -1)]
    assert len(set(tags)) == 2


def test_celery_takes_json_and_nothing_else() -> None:
    settings = celery_settings("redis://localhost")
    assert settings["accept_content"] == settings["result_accept_content"] == ["json"]


def test_a_unix_socket_is_spelled_as_kombu_wants_it() -> None:
    assert celery_url("unix:///run/r.sock") == "redis+socket:///run/r.sock"
    assert celery_url("redis://:secret@host:6379/1") == "redis://:secret@host:6379/1"
