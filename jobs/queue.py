"""The Celery app's name, queue and settings, and the message that wakes a worker.

The message is written by hand, not by Celery, for two reasons: the ledger can then write a job and
its message in one atomic step, and a client that submits needs no Celery at all. A test compares it
with what Celery itself sends. Its format: Celery's message protocol 2
(https://docs.celeryq.dev/en/stable/internals/protocol.html) in the envelope of kombu's virtual transports.
"""

import base64
import json
import platform
from typing import Any

from jobs.spec import JobSpec

APP_NAME = "quartet"
QUEUE = "quartet"
DELIVERY_PLACE = "@delivery@"
"""Where the ledger puts the delivery tag, new each time the message is sent."""

HARD_LIMIT_SECONDS = 60
"""After a job's time limit its worker stops it; this much later Celery kills a process that hangs."""


def task_name(spec: JobSpec) -> str:
    """The Celery task of a job: `denoiser.train`."""
    return f"{spec.model}.{spec.action}"


def message(job_id: str, spec: JobSpec) -> str:
    """The message for a job, as it lies in the Redis list that is the queue."""
    body = [[job_id], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    return json.dumps(
        {
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                "lang": "py",
                "task": task_name(spec),
                "id": job_id,
                "shadow": None,
                "eta": None,
                "expires": None,
                "group": None,
                "group_index": None,
                "retries": 0,
                "timelimit": [spec.seconds_allowed() + HARD_LIMIT_SECONDS, None],
                "root_id": job_id,
                "parent_id": None,
                "argsrepr": repr([job_id]),
                "kwargsrepr": "{}",
                "origin": f"quartet@{platform.node()}",
                "ignore_result": True,
                "replaced_task_nesting": 0,
                "stamped_headers": None,
                "stamps": {},
            },
            "properties": {
                "correlation_id": job_id,
                "reply_to": "",
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": QUEUE},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": DELIVERY_PLACE,
            },
        }
    )


def celery_settings(redis_url: str) -> dict[str, Any]:
    """Celery's settings for a worker: JSON only, one process, one job at a time, acknowledged early."""
    return {
        "broker_url": celery_url(redis_url),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "accept_content": ["json"],
        "task_serializer": "json",
        "event_serializer": "json",
        "result_accept_content": ["json"],
        "task_default_queue": QUEUE,
        "task_create_missing_queues": True,
        "task_ignore_result": True,
        # Early: the ledger is the truth and a message only wakes a worker up.
        "task_acks_late": False,
        # The sweeper starts a lost job again; a worker whose Redis went away goes on with its job.
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
    return (
        redis_url.replace("unix://", "redis+socket://", 1) if redis_url.startswith("unix://") else redis_url
    )
