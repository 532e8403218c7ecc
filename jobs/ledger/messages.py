"""The queues, and the one form of the message that wakes a worker.

Ours instead of Celery's, since the ledger can then write a job and its message in one atomic step, and a
client that submits needs no Celery. A test compares it with the message that Celery sends. Its format:
Celery's message protocol 2 (https://docs.celeryq.dev/en/stable/internals/protocol.html) in the envelope of
kombu's virtual transports.

A job's message is not stored: the ledger makes it from `template` whenever one is sent, and a worker accepts
no text that `read` does not recognise. It carries no time limit, since the worker enforces the job's own.
"""

import base64
import json
import re
from dataclasses import dataclass
from functools import cache

from jobs.errors import InvalidInput
from jobs.ids import is_job_id
from jobs.parameters import Action
from jobs.spec import Priority

APP_NAME = "quartet"
QUEUES = {"short": "quartet.short", "training": "quartet.training"}
"""What a worker may take -> its Celery queue.

A worker that takes both takes short jobs first: they run for minutes, and would otherwise wait behind a week
of training. Celery keeps this order by the queues' names (`queue_order_strategy`).
"""

PRIORITIES: dict[Priority, int] = {"high": 0, "normal": 3, "low": 6}
"""Each priority's number in a message. Kombu keeps a Redis list for each queue and number, and reads all
queues of one number before those of the next."""

LONGEST = 4_096
"""In characters; one of ours has half as many."""

_SEPARATOR = "\x06\x16"
"""Kombu names a list by the queue, this separator and the number; that of number 0 by the queue alone."""


@dataclass(frozen=True)
class Message:
    """What differs between two messages.

    Attributes:
        job_id: the job that waits.
        task: the name of its Celery task.
        queue: its Celery queue.
        priority: its number in `PRIORITIES`.
        tag: the delivery tag, which is new each time a message is sent.
    """

    job_id: str
    task: str
    queue: str
    priority: int
    tag: str

    def text(self) -> str:
        """The message as its Redis list stores it."""
        values = {
            "id": self.job_id,
            "id64": base64.b64encode(self.job_id.encode()).decode(),
            "task": self.task,
            "queue": self.queue,
            "priority": str(self.priority),
            "tag": self.tag,
        }
        return re.sub(r"@(\w+)@", lambda place: values[place[1]], template())


def task_name(model: str, action: Action) -> str:
    """The name of a job's Celery task: its model, a dot, its action."""
    return f"{model}.{action}"


def queue_of(action: str) -> str:
    """The queue of a job, as `QUEUES` names it."""
    return "training" if action == "train" else "short"


def list_of(action: Action, priority: Priority) -> str:
    """The Redis list of a job's message: that of its queue and priority."""
    return _list(QUEUES[queue_of(action)], priority)


def places() -> dict[str, tuple[str, Priority]]:
    """Each list -> its queue, as `QUEUES` names it, and its priority."""
    return {
        _list(queue, priority): (name, priority) for name, queue in QUEUES.items() for priority in PRIORITIES
    }


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


@cache
def template() -> str:
    """A message with `@id@`, `@id64@` (base64), `@task@`, `@queue@`, `@priority@` and `@tag@` as places."""
    body = [["@id@"], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    start, end = json.dumps(body).split("@id@")
    # Both begin at a multiple of three bytes, as the id does after them: their base64 can be joined.
    encoded = f"{_base64(start)}@id64@{_base64(end)}"
    text = json.dumps(
        {
            "body": encoded,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                "lang": "py",
                "task": "@task@",
                "id": "@id@",
                "shadow": None,
                "eta": None,
                "expires": None,
                "group": None,
                "group_index": None,
                "retries": 0,
                "timelimit": [None, None],
                "root_id": "@id@",
                "parent_id": None,
                "argsrepr": repr(["@id@"]),
                "kwargsrepr": "{}",
                "origin": APP_NAME,
                "ignore_result": True,
                "replaced_task_nesting": 0,
                "stamped_headers": None,
                "stamps": {},
            },
            "properties": {
                "correlation_id": "@id@",
                "reply_to": "",
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": "@queue@"},
                "priority": "@priority@",
                "body_encoding": "base64",
                "delivery_tag": "@tag@",
            },
        }
    )
    return text.replace('"@priority@"', "@priority@")


def read(text: str) -> Message | None:
    """The message that `text` is, None if it is not exactly one that a client or the ledger sent.

    Those of Quartet 0.1, which carry a time limit and the client's host, are accepted too, and so are those
    that kombu put back into their list.
    """
    if len(text) > LONGEST:
        return None
    found = _pattern().fullmatch(text)
    if found is None or not is_job_id(found["id"]):
        return None
    message = Message(found["id"], found["task"], found["queue"], int(found["priority"]), found["tag"])
    return message if found["id64"] == _base64(message.job_id) else None


_FORMS = {
    "@id@": r"(?P<id>[0-9a-z-]{24})",
    "@id64@": r"(?P<id64>[0-9A-Za-z+/]{32})",
    "@task@": r"(?P<task>[\w.-]{1,64}\.(?:train|evaluate|generate))",
    "@queue@": "(?P<queue>" + "|".join(map(re.escape, QUEUES.values())) + ")",
    "@priority@": "(?P<priority>" + "|".join(map(str, PRIORITIES.values())) + ")",
    "@tag@": r"(?P<tag>[0-9a-z-]{24}\.[0-9]{1,16})",
}


@cache
def _pattern() -> re.Pattern[str]:
    pattern = re.escape(template())
    for place, form in _FORMS.items():
        name = place.strip("@")
        pattern = pattern.replace(place, form, 1).replace(place, f"(?P={name})")
    put_back = '(?:, "redelivered": true)?'
    for written, read_as in (
        ('"timelimit": [null, null]', r'"timelimit":\ \[(?:null|[0-9]{1,10}), null\]'),
        ('"origin": "quartet"', r'"origin":\ "quartet(?:@[\w.-]{1,255})?"'),
        ('"stamps": {}', r'"stamps":\ \{\}' + put_back),
    ):
        pattern = pattern.replace(re.escape(written), read_as)
    queue_end = _FORMS["@queue@"] + '"'
    return re.compile(pattern.replace(queue_end, queue_end + put_back), re.ASCII)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
