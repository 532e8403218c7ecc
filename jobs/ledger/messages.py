"""The queues, and the message that wakes a worker.

Ours instead of Celery's, since the ledger can then write a job and its message in one atomic step, and a
client that submits needs no Celery. A test compares it with the message that Celery sends. Its format:
Celery's message protocol 2 (https://docs.celeryq.dev/en/stable/internals/protocol.html) in the envelope of
kombu's virtual transports.
"""

import base64
import json
import platform

from jobs.errors import InvalidInput
from jobs.spec import JobSpec, Priority

APP_NAME = "quartet"
QUEUES = {"short": "quartet.short", "training": "quartet.training"}
"""What a worker may take -> its Celery queue.

A worker that takes both takes short jobs first: they run for minutes, and would otherwise wait behind a week
of training. Celery keeps this order by the queues' names (`queue_order_strategy`).
"""

PRIORITIES: dict[Priority, int] = {"high": 0, "normal": 3, "low": 6}
"""Each priority's number in a message. Kombu keeps a Redis list for each queue and number, and reads all
queues of one number before those of the next."""

_SEPARATOR = "\x06\x16"
"""Kombu names a list by the queue, this separator and the number; that of number 0 by the queue alone."""

DELIVERY_PLACE = "@delivery@"
"""The ledger replaces it by the delivery tag, which is new each time the message is sent."""

HARD_LIMIT_SECONDS = 60
"""A worker stops a job after its time limit; if the process hangs, Celery kills it this much later."""


def task_name(spec: JobSpec) -> str:
    """The name of a job's Celery task: its model, a dot, its action."""
    return f"{spec.model}.{spec.action}"


def queue_of(spec: JobSpec) -> str:
    """The Celery queue of a job."""
    return QUEUES["training" if spec.action == "train" else "short"]


def list_of(spec: JobSpec) -> str:
    """The Redis list of a job's message: that of its queue and priority."""
    return _list(queue_of(spec), spec.priority)


def lists() -> list[str]:
    """All lists, in the order in which a worker that takes every job reads them."""
    return [_list(queue, priority) for priority in PRIORITIES for queue in sorted(QUEUES.values())]


def _list(queue: str, priority: Priority) -> str:
    number = PRIORITIES[priority]
    return f"{queue}{_SEPARATOR}{number}" if number else queue


def celery_queues(names: str) -> list[str]:
    """The Celery queues of a list of names.

    Args:
        names: `short`, `training` or both, comma-separated.

    Raises:
        InvalidInput: a name is unknown, or there is none.
    """
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in QUEUES:
            raise InvalidInput.unknown("queue", name, QUEUES)
    return [QUEUES[name] for name in wanted]


def message(job_id: str, spec: JobSpec) -> str:
    """The message for a job, as its Redis list stores it."""
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
