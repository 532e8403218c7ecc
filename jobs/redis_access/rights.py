"""What a Redis user needs for each role, as data: commands, keys and channels; none that looks at all keys.

`quartet doctor --rights` prints it as a table and as lines for `redis-cli`; `quartet doctor` tries it out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from jobs.ledger.messages import QUEUES

Role = Literal["client", "worker", "flower", "exporter"]

_CONNECT = ("ping", "select", "multi", "discard")
"""`select` for a database other than 0. In `multi` and `discard`, `quartet doctor` tries what follows."""

_LEDGER = (
    "del", "evalsha", "exists", "expire", "get", "hdel", "hget", "hgetall", "hincrby", "hmget", "hscan",
    "hset", "incr", "lindex", "llen", "lpush", "lrange", "lrem", "ltrim", "mget", "rpush", "sadd", "scard",
    "script|load", "set", "smembers", "srem", "time", "xadd", "xread", "xrevrange", "zadd", "zrange",
    "zrangebylex", "zrangebyscore", "zrem", "zrevrange", "zscore",
)  # fmt: skip
_MESSAGES = (
    "brpop",
    "del",
    "llen",
    "lpush",
    "pexpire",
    "psubscribe",
    "publish",
    "punsubscribe",
    "rpop",
    "rpush",
)

_MEASURE = (
    "evalsha", "hget", "hgetall", "hmget", "info", "llen", "mget", "scard", "script|load", "smembers", "time",
    "xrevrange", "zrange",
)  # fmt: skip
"""`info` tells how much memory Redis uses; the exporter does without."""

_LEDGER_KEYS = ("quartet:*", *(f"{queue}*" for queue in QUEUES.values()))
_ANSWER_KEYS = f"{'-'.join('?' * length for length in (8, 4, 4, 4, 12))}.reply.celery.pidbox*"
"""Each begins with a UUID, not with another Quartet's namespace; who asks reads those of all priorities."""


@dataclass(frozen=True)
class Rights:
    """The rights of one role in one database; names of commands in lower case, patterns as Redis has them."""

    role: Role
    purpose: str
    commands: tuple[str, ...]
    keys: tuple[str, ...]
    channels: tuple[str, ...] = ()

    @property
    def acl_line(self) -> str:
        """The command for `redis-cli` that makes such a user; PASSWORD is to be replaced."""
        parts = [f"ACL SETUSER quartet-{self.role} reset on >PASSWORD"]
        parts += [f"'~{pattern}'" for pattern in self.keys] + [f"'&{channel}'" for channel in self.channels]
        return " ".join([*parts, *(f"+{command}" for command in self.commands)])

    def denied(self, client: Any) -> list[str]:
        """The rights that a client's user lacks. They are tried in a transaction that is thrown away.

        Args:
            client: a `redis.Redis`.

        Raises:
            RedisError: Redis cannot be reached.
        """
        from redis.exceptions import NoPermissionError

        connection = client.connection_pool.get_connection()
        missing: list[str] = []
        try:
            for right, command in [("multi", ["MULTI"]), *self._trials(), ("discard", ["DISCARD"])]:
                connection.send_command(*command)
                try:
                    connection.read_response()
                except NoPermissionError as error:
                    # A command may be denied for its key or its channel, which are tried by themselves.
                    if right.startswith(("~", "&")) != (" run the " in str(error)):
                        missing.append(right)
                    if right == "multi":
                        return missing
        finally:
            connection.disconnect()
            client.connection_pool.release(connection)
        return missing

    def _trials(self) -> Iterator[tuple[str, list[str]]]:
        """A right -> the command that tries it: for each command, then each key and each channel."""
        first = _matching(self.keys[0])
        for command in self.commands:
            if command not in ("multi", "discard"):
                arguments = _ARGUMENTS.get(command, "KEY")
                filled = arguments.replace("KEY", first).replace("CHANNEL", (*self.channels, "-")[0])
                yield command, [*command.upper().split("|"), *filled.split()]
        for pattern in self.keys:
            yield f"~{pattern}", ["LLEN", _matching(pattern)]
        for channel in self.channels:
            yield f"&{channel}", ["PSUBSCRIBE", channel]


def _matching(pattern: str) -> str:
    """A key that a pattern matches."""
    return pattern.replace("*", "doctor").replace("?", "0")


_ARGUMENTS = {
    "ping": "", "select": "0", "time": "", "brpop": "KEY 1", "evalsha": "0 0", "expire": "KEY 1",
    "pexpire": "KEY 1", "hdel": "KEY x", "hget": "KEY x", "hincrby": "KEY x 1", "hmget": "KEY x",
    "hscan": "KEY 0", "hset": "KEY x x", "info": "memory", "lindex": "KEY 0", "lpush": "KEY x",
    "lrange": "KEY 0 0", "lrem": "KEY 0 x", "ltrim": "KEY 0 0", "rpush": "KEY x", "sadd": "KEY x",
    "set": "KEY x", "srem": "KEY x", "xadd": "KEY * x x", "xread": "COUNT 1 STREAMS KEY 0",
    "xrevrange": "KEY + -",
    "zadd": "KEY 0 x", "zrange": "KEY 0 0", "zrangebylex": "KEY - +", "zrangebyscore": "KEY 0 0",
    "zrem": "KEY x", "zscore": "KEY x", "zrevrange": "KEY 0 0", "script|load": "return",
    "publish": "CHANNEL x", "psubscribe": "CHANNEL", "punsubscribe": "CHANNEL",
}  # fmt: skip
"""What makes a command complete, which Redis looks at before rights; the others need a key alone."""


def rights(database: int = 0, prefix: str = "") -> dict[Role, Rights]:
    """The rights of each role.

    Args:
        database: the number of the database, which is part of the channels' names.
        prefix: what each key and channel begins with, as `RedisAddress.prefix` has it.
    """
    # Redis compares what a client subscribes to with these as texts, also where that is a pattern.
    channels = f"{prefix}/{database}."
    questions, events = f"{channels}celery.pidbox", f"{channels}celeryev/*"
    keys = tuple(f"{prefix}{pattern}" for pattern in _LEDGER_KEYS)
    answers = f"{prefix}{_ANSWER_KEYS}"
    ledger = tuple(sorted({*_CONNECT, *_LEDGER}))
    messages = tuple(sorted({*_CONNECT, *_MESSAGES}))
    return {
        "client": Rights("client", "submits and follows jobs", ledger, keys),
        "worker": Rights(
            "worker",
            "runs jobs and finds lost ones",
            tuple(sorted({*ledger, *messages})),
            (*keys, answers),
            (questions, events, f"{channels}celeryev/worker.*"),
        ),
        "flower": Rights(
            "flower",
            "shows workers and tasks, and can read and change waiting messages",
            messages,
            (*keys[1:], answers),
            (questions, events),
        ),
        "exporter": Rights(
            "exporter", "counts jobs and workers", tuple(sorted({*_CONNECT, *_MEASURE})), keys
        ),
    }


def rights_text(database: int, prefix: str = "") -> str:
    """The table of all rights, then a line for each role that makes such a user."""
    roles = rights(database, prefix).values()
    table = []
    for one in roles:
        table += [
            f"{one.role}: {one.purpose}",
            f"  commands  {' '.join(one.commands)}",
            f"  keys      {' '.join(one.keys)}",
            f"  channels  {' '.join(one.channels) or 'none'}",
            "",
        ]
    return "\n".join([*table, *(one.acl_line for one in roles)])
