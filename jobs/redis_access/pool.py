"""Pools of connections to the server of an address, which Sentinel may have to find."""

from collections.abc import Callable
from typing import Any

from jobs.redis_access.address import RedisAddress

SENTINEL_SECONDS = 1.0
"""How long one Sentinel may take to answer before the next one is asked; each knows the primary."""


def new_pool(
    address: RedisAddress, arguments: dict[str, Any], connection_class: Callable[[Any], Any] = lambda it: it
) -> Any:
    """A `redis.ConnectionPool`; each new connection of it leads to whichever server is the primary then.

    Args:
        address: of the server.
        arguments: of the pool, those of `address.connection_arguments` among them.
        connection_class: makes the class of the connections from redis-py's.
    """
    from redis import Connection, ConnectionPool
    from redis.sentinel import SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection

    arguments = dict(arguments)
    if not address.sentinels:
        kind = arguments.pop("connection_class", Connection)
        return ConnectionPool(**arguments, connection_class=connection_class(kind))
    arguments.pop("connection_class", None)
    kind = SentinelManagedSSLConnection if address.tls else SentinelManagedConnection
    return SentinelConnectionPool(
        address.service, _sentinel(address), **arguments, connection_class=connection_class(kind)
    )  # type: ignore[no-untyped-call]


def _sentinel(address: RedisAddress) -> Any:
    """Who knows the primary of an address: its Sentinels, each asked in turn until one answers."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry
    from redis.sentinel import Sentinel

    found = address.connection_arguments()
    options = {name: value for name, value in found.items() if name.startswith(("ssl_", "socket_keepalive"))}
    given = dict(address.options)
    return Sentinel(
        address.sentinels,
        sentinel_kwargs=options
        | {
            "ssl": address.tls,
            "username": given.get("sentinel_username"),
            "password": given.get("sentinel_password"),
            "socket_timeout": SENTINEL_SECONDS,
            "socket_connect_timeout": SENTINEL_SECONDS,
            "decode_responses": True,
            "retry": Retry(NoBackoff(), 0),
        },
    )  # type: ignore[no-untyped-call]
