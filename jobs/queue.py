"""The Celery app's name, queues and settings, and the message that wakes a worker.

The message is written by hand, not by Celery, for two reasons: the ledger can then write a job and
its message in one atomic step, and a client that submits needs no Celery at all. A test compares it
with what Celery itself sends. Its format: Celery's message protocol 2
(https://docs.celeryq.dev/en/stable/internals/protocol.html) in the envelope of kombu's virtual transports.
"""

import base64
import json
import platform
from typing import Any

from jobs.errors import InvalidInput
from jobs.sentences import unknown_choice
from jobs.spec import JobSpec, Priority

APP_NAME = "quartet"
QUEUES = {"short": "quartet.short", "training": "quartet.training"}
"""What a worker may take -> the Celery queue it lies in.

A worker that takes both looks for short jobs first: they take minutes, and would otherwise wait behind
a week of trainings. Celery keeps this order by the queues' names (`queue_order_strategy`).
"""

PRIORITIES: dict[Priority, int] = {"high": 0, "normal": 3, "low": 6}
"""Each priority's number in a message. Kombu keeps a Redis list for each queue and number, and looks at
all queues of one number before those of the next."""

_SEPARATOR = "\x06\x16"
"""What kombu writes between a queue's name and the number in the name of the list; none for number 0."""

DELIVERY_PLACE = "@delivery@"
"""Where the ledger puts the delivery tag, new each time the message is sent."""

HARD_LIMIT_SECONDS = 60
"""After a job's time limit its worker stops it; this much later Celery kills a process that hangs."""


def task_name(spec: JobSpec) -> str:
    """The Celery task of a job: `denoiser.train`."""
    return f"{spec.model}.{spec.action}"


def queue_of(spec: JobSpec) -> str:
    """The Celery queue that a job goes to."""
    return QUEUES["training" if spec.action == "train" else "short"]


def list_of(spec: JobSpec) -> str:
    """The Redis list that a job's message lies in: its queue's, for its priority."""
    return _list(queue_of(spec), spec.priority)


def lists() -> list[str]:
    """All lists, in the order in which a worker that takes every job looks at them."""
    return [_list(queue, priority) for priority in PRIORITIES for queue in sorted(QUEUES.values())]


def _list(queue: str, priority: Priority) -> str:
    number = PRIORITIES[priority]
    return f"{queue}{_SEPARATOR}{number}" if number else queue


def celery_queues(names: str) -> list[str]:
    """`short,training` -> the Celery queues of these.

    Raises:
        InvalidInput: a name is unknown, or there is none.
    """
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in QUEUES:
            raise InvalidInput(unknown_choice("queue", name, QUEUES))
    return [QUEUES[name] for name in wanted]


def message(job_id: str, spec: JobSpec) -> str:
    """The message for a job, as it lies in its Redis list."""
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
                "delivery_info": {"exchange": "", "routing_key": queue_of(spec)},
                "priority": PRIORITIES[spec.priority],
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
        "broker_transport_options": {
            "priority_steps": list(PRIORITIES.values()),
            "queue_order_strategy": "sorted",
            # Without these a worker whose network went away and came back with another address waits
            # on the dead connection for as long as TCP does: many minutes.
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        "task_default_queue": QUEUES["short"],
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
