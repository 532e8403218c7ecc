"""The connection to Redis, and the translation of its errors.

Whatever Redis answers instead of a result, it is away for now: a failover, a full memory, a replica that
lags, a password that is being changed. So every such answer becomes RedisUnreachable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from weakref import WeakSet

from jobs.errors import InvalidSetting, QuartetError, RedisUnreachable
from jobs.escape_control import escape_line
from jobs.redis_access.address import SENTINEL, masked_url, read_address
from jobs.redis_access.pool import new_pool
from jobs.redis_access.refusal import FIELD
from jobs.secrets import hide_secrets

ANSWER_SECONDS = 10.0
"""How long Redis may take to answer before it counts as unreachable."""

LONGEST_ANSWER = 200
"""Characters of an answer of Redis in a sentence."""

_servers_alone: WeakSet[Any] = WeakSet()
"""The connection pools whose server was seen to be neither a cluster's nor Sentinel."""


@lru_cache(maxsize=16)
def connect(url: str, answer_seconds: float = ANSWER_SECONDS) -> Any:
    """A `redis.Redis` for the ledger. All ledgers and threads of a process share it and its connections.

    Args:
        url: Redis' address.
        answer_seconds: how long Redis may take to answer.

    Raises:
        InvalidSetting: the address is not valid, or names certificates or ciphers that cannot be used.
    """
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    address = read_address(url)
    if address.tls:
        from jobs.ledger.tls import check_options

        check_options(address)
    arguments: dict[str, Any] = {
        "socket_timeout": answer_seconds,
        "socket_connect_timeout": min(5.0, answer_seconds),
        "decode_responses": True,
        "encoding_errors": "replace",  # bytes that are not UTF-8 are not ours
        "max_connections": 2**31,  # one for each thread that asks; redis-py 8 refuses the 101st
        "retry": Retry(NoBackoff(), 0),  # whoever asks has patience, or none
    }
    return Redis.from_pool(new_pool(address, arguments | address.connection_arguments()))


def hello(client: Any) -> dict[str, str]:
    """What a server tells every user: `server`, `version`, `mode`, `role`; nothing before Redis 6."""
    from redis.exceptions import ResponseError

    try:
        said = client.execute_command("HELLO")
    except ResponseError as error:
        if "cluster mode" in str(error):  # it refuses the number of a database, before it says anything
            return {"mode": "cluster"}
        if "unknown command" in str(error):
            return {}
        raise
    pairs = said.items() if isinstance(said, dict) else zip(said[::2], said[1::2], strict=True)
    return {str(name): str(value) for name, value in pairs}


def check_mode(client: Any) -> None:
    """Refuse a node of a cluster, and Sentinel; ask once for each pool of connections.

    Raises:
        InvalidSetting: the server is one of these.
    """
    if client.connection_pool in _servers_alone:
        return
    mode = hello(client).get("mode", "standalone")
    if mode != "standalone":
        raise InvalidSetting(
            FIELD,
            expected="the address of one Redis server",
            given="that of Sentinel" if mode == "sentinel" else f"that of a server in {mode} mode",
            hint="write redis+sentinel://host:26379/service/0, with the name of the service"
            if mode == "sentinel"
            else "a ledger needs all its keys in one server: start Redis without `cluster-enabled`",
        )
    _servers_alone.add(client.connection_pool)


@contextmanager
def in_sentences(url: str) -> Iterator[None]:
    """Turn whatever Redis answers instead of a result into our error, which has the address and no password.

    Raises:
        RedisUnreachable: Redis cannot be reached, or does not do what it is asked.
    """
    try:
        yield
    except QuartetError:
        raise
    except Exception as error:
        if not _is_redis_fault(error):
            raise
        said, hint = _tls_reason(error, url)
        if url.startswith("unix:"):
            hint = "`quartet up` starts a private Redis"
        raise RedisUnreachable(_sentence(error, masked_url(url), said), hint=hint) from None


def _is_redis_fault(error: Exception) -> bool:
    """Whether an error is an answer, or the lack of one, and not a mistake in our code."""
    from redis.exceptions import RedisError

    if isinstance(error, (RedisError, OSError, EOFError, ValueError)):
        return True
    trace = error.__traceback__
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0] == "redis":
            return True  # it stumbled over an answer
        trace = trace.tb_next
    return False


def _tls_reason(error: Exception, url: str) -> tuple[str, str | None]:
    """What TLS, or the lack of it, has to do with an error, and how to fix it; empty if nothing."""
    from redis import exceptions as redis

    from jobs.ledger.tls import reason

    if not isinstance(error, (redis.ConnectionError, redis.TimeoutError, OSError)):
        return "", None
    return reason(error, url.partition(":")[0].removesuffix(SENTINEL)) or ("", None)


def _sentence(error: Exception, address: str, reason: str) -> str:
    from redis import exceptions as redis
    from redis.sentinel import MasterNotFoundError

    answer, why = f" ({_answer(str(error)) or type(error).__name__})", reason and f" ({_answer(reason)})"
    if isinstance(error, (redis.AuthenticationError, redis.AuthenticationWrongNumberOfArgsError)):
        return f"Redis at {address} does not accept the password"
    if isinstance(error, (redis.NoPermissionError, redis.AuthorizationError)):
        return f"Redis at {address} denies this user a command{answer}"
    if isinstance(error, redis.BusyLoadingError):
        return f"Redis at {address} is still loading its data"
    if isinstance(error, MasterNotFoundError):
        # Of each Sentinel that failed, it has the kind of error alone.
        denied = ":AuthenticationError" in str(error)
        why = "a Sentinel refuses the password" if denied else "no Sentinel names a primary"
        return f"Redis cannot be reached at {address} ({why})"
    if isinstance(error, redis.MasterDownError):
        return f"Redis at {address} has lost its primary{answer}"
    if isinstance(
        error, (redis.ClusterError, redis.AskError, redis.TryAgainError, redis.ClusterCrossSlotError)
    ):
        return f"Redis at {address} belongs to a cluster{answer}"
    if isinstance(error, (redis.ReadOnlyError, redis.OutOfMemoryError)):
        return f"Redis at {address} refuses writes{answer}"
    if isinstance(error, redis.ResponseError):
        return f"Redis at {address} refuses a command{answer}"
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
        said = getattr(error, "status_code", None) or isinstance(error, redis.MaxConnectionsError)
        return f"Redis cannot be reached at {address}{answer if said else why}"
    if isinstance(error, OSError):
        return f"Redis cannot be reached at {address}{why or answer}"
    return f"Redis at {address} answers what is not understood{answer}"


def _answer(text: str) -> str:
    """An answer for a sentence: one line, without secrets, and without the arguments that Redis repeats."""
    said = hide_secrets(escape_line(text))
    for of_no_use in (", with args", " script: "):
        said = said.partition(of_no_use)[0].strip()
    return said if len(said) <= LONGEST_ANSWER else f"{said[: LONGEST_ANSWER - 1]}…"
