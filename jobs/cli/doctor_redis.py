"""The doctor's checks of Redis. They change nothing, and need no right beyond a client's."""

import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from jobs.errors import RedisUnreachable
from jobs.ledger.connection import check_mode, hello
from jobs.ledger.ledger import Ledger
from jobs.redis_access.address import RedisAddress, read_address
from jobs.redis_access.rights import rights
from jobs.settings import Settings

OLDEST_REDIS = (6, 2)
FULL = 0.8
"""Of `maxmemory`: what is left takes days to fill, and a full Redis refuses every job."""

PATIENCE_SECONDS = 5.0
NOT_ASKED = "unknown, this user may not run INFO"


def redis_checks(settings: Settings, worker: bool) -> Iterator[tuple[str, bool, str, str]]:
    """Check that Redis answers and keeps what it is given, and that it knows workers of this version.

    Args:
        settings: say where it is.
        worker: whether workers run on this machine, whose user needs more rights.

    Yields:
        The name of a check, whether it passed, what was found, and what to do if it failed.

    Raises:
        InvalidSetting: it belongs to a cluster, or the password file cannot be read.
    """
    address = read_address(settings.redis_address())
    ledger = Ledger(address.url, answer_seconds=PATIENCE_SECONDS)
    try:
        ledger.ask(check_mode)
        yield "redis", True, f"answers at {address.masked}", ""
        about = ledger.ask(hello)
        info = ledger.ask(_info)
        number = about.get("version") or str(info.get("redis_version", "unknown"))
        found = tuple(int(part) for part in re.findall(r"\d+", number)[:2])
        oldest = ".".join(map(str, OLDEST_REDIS))
        yield "redis version", found >= OLDEST_REDIS, number, f"install {oldest} or newer"
        yield from _configuration(info)
        yield _memory(info, address)
        yield _password(address)
        yield _rights(ledger, address, worker)
        yield from _workers(ledger.workers())
    except RedisUnreachable as error:
        yield "redis", False, str(error), error.hint or "start `quartet up`, or set QUARTET_REDIS_URL"


def _info(redis: Any) -> dict[str, Any]:
    """Redis' own report, empty for a user who may not read it."""
    from redis.exceptions import NoPermissionError

    try:
        found: dict[str, Any] = redis.info()  # not CONFIG GET, which a hosted Redis forbids
    except NoPermissionError:
        return {}
    return found


def _configuration(info: dict[str, Any]) -> Iterator[tuple[str, bool, str, str]]:
    append_only = {0: "no", 1: "yes"}.get(info.get("aof_enabled", -1), "unknown")
    yield (
        "append-only file",
        append_only == "yes" or not info,
        f"appendonly is {append_only}" if info else NOT_ASKED,
        "start Redis with `--appendonly yes`; without it a restart loses the queue",
    )
    policy = info.get("maxmemory_policy", "unknown")
    yield (
        "eviction",
        policy == "noeviction" or not info,
        f"maxmemory-policy is {policy}" if info else NOT_ASKED,
        "set `maxmemory-policy noeviction`; with another one a full Redis drops jobs",
    )


def _memory(info: dict[str, Any], address: RedisAddress) -> tuple[str, bool, str, str]:
    if not info:
        return "memory", True, NOT_ASKED, ""
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not most:
        fix = "set `maxmemory` below what the kernel leaves to Redis, which otherwise ends it when it is full"
        return "memory", bool(address.path), f"{used / 1e6:,.1f} MB used; maxmemory is not set", fix
    fix = "raise `maxmemory`, or lower QUARTET_HISTORY_DAYS; a full Redis takes no job"
    return "memory", used < FULL * most, f"{used / most:.0%} of maxmemory, {most / 1e6:,.0f} MB, used", fix


def _password(address: RedisAddress) -> tuple[str, bool, str, str]:
    if address.path:
        return "password", True, "not needed on a private Unix socket", ""
    fix = "give Redis a password (`requirepass`) and add it to QUARTET_REDIS_URL"
    return "password", bool(address.password), "set" if address.password else "not set", fix


def _rights(ledger: Ledger, address: RedisAddress, worker: bool) -> tuple[str, bool, str, str]:
    roles = rights(address.database, address.prefix)
    fix = "`quartet doctor --rights` prints what each user needs"
    denied = ledger.ask(roles["client"].denied)
    if denied:
        return "rights", False, f"this user lacks what a client needs: {', '.join(denied)}", fix
    more = ledger.ask(roles["worker"].denied) if worker else []
    if more:
        return (
            "rights",
            True,
            f"all that a client needs; for a worker, {', '.join(more)} would be missing",
            fix,
        )
    return "rights", True, f"all that a {'worker' if worker else 'client'} needs", fix


def _workers(workers: dict[str, dict[str, str]]) -> Iterator[tuple[str, bool, str, str]]:
    mine = version("quartet")
    names = ", ".join(sorted(workers)) or "none"
    yield "workers", bool(workers), names, "start workers with `quartet up --workers N`"
    others = {name: other for name, about in workers.items() if (other := about.get("quartet", "?")) != mine}
    yield (
        "versions",
        not others,
        f"client {mine}" + "".join(f", {name} {number}" for name, number in sorted(others.items())),
        "install the same version of Quartet everywhere",
    )
