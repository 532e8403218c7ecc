"""The connection to Redis, and the translation of its errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from jobs.errors import RedisUnreachable
from jobs.redis_address import masked_url

ANSWER_SECONDS = 10.0
"""How long Redis may take to answer before it counts as unreachable."""


@lru_cache(maxsize=16)
def connect(url: str, patience_seconds: float = 0.0, answer_seconds: float = ANSWER_SECONDS) -> Any:
    """A `redis.Redis` for the ledger. All ledgers and threads of a process share it and its connections.

    Args:
        url: Redis' address.
        patience_seconds: how long to try again while Redis cannot be reached.
        answer_seconds: how long Redis may take to answer.

    Raises:
        ValueError: the address is not valid.
    """
    from redis import Redis, exceptions
    from redis.backoff import ConstantBackoff
    from redis.retry import Retry

    pause = 0.5
    return Redis.from_url(
        url,
        decode_responses=True,
        encoding_errors="replace",  # bytes that are not UTF-8 are not ours
        socket_timeout=answer_seconds,
        socket_connect_timeout=min(5.0, answer_seconds),
        retry=Retry(ConstantBackoff(pause), int(patience_seconds / pause)),
        retry_on_error=[exceptions.ConnectionError, exceptions.TimeoutError, exceptions.BusyLoadingError],
    )


@contextmanager
def in_sentences(url: str) -> Iterator[None]:
    """Turn redis-py's errors into ours, which have the address and never the password.

    Raises:
        RedisUnreachable: Redis cannot be reached, or refuses the password or a command.
    """
    try:
        yield
    except OSError as error:  # for instance, the path of a socket is too long
        raise RedisUnreachable(f"Redis cannot be reached at {masked_url(url)} ({error})") from None
    except Exception as error:
        sentence = _redis_problem(error, url)
        if sentence is None:
            raise
        raise RedisUnreachable(sentence, hint=_hint(url)) from None


def _redis_problem(error: Exception, url: str) -> str | None:
    from redis import exceptions

    address = masked_url(url)
    if isinstance(error, exceptions.AuthenticationError) or str(error).startswith("NOAUTH"):
        return f"Redis at {address} does not accept the password"
    if isinstance(error, exceptions.NoPermissionError):
        return f"Redis at {address} denies this user a command ({str(error)[:200]})"
    if isinstance(error, (exceptions.ConnectionError, exceptions.TimeoutError)):
        return f"Redis cannot be reached at {address}"
    if isinstance(error, exceptions.ResponseError) and str(error).startswith(("OOM", "READONLY", "MISCONF")):
        return f"Redis at {address} refuses writes ({str(error)[:200]})"
    return None


def _hint(url: str) -> str | None:
    return "`quartet up` starts a private Redis" if url.startswith("unix:") else None
