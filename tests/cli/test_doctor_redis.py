"""The doctor finds a Redis that is nearly full, is a cluster's, or denies what a job needs."""

import re
import shlex
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from pydantic import SecretStr

from jobs.cli.doctor import Check, redis_checks
from jobs.errors import InvalidSetting
from jobs.ledger.connection import connect
from jobs.ledger.ledger import Ledger
from jobs.redis_access.rights import Rights, rights
from jobs.settings import Settings
from tests.support.redis_servers import Servers


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    started = Servers(tmp_path)
    yield started
    started.end()


def at(settings: Settings, address: str) -> Settings:
    return settings.model_copy(update={"redis_url": SecretStr(address)})


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def user(one: Rights) -> list[str]:
    return shlex.split(one.acl_line)


def test_a_redis_that_is_nearly_full_fails(settings: Settings, servers: Servers) -> None:
    address = servers.start("--maxmemory", "4mb")
    client = connect(address)
    while client.info("memory")["used_memory"] < 0.85 * 4 * 1024 * 1024:
        client.rpush("filling", "x" * 10_000)
    check = by_name(redis_checks(at(settings, address)))["memory"]
    assert not check.passed
    assert re.fullmatch(r"\d\d% of maxmemory, 4 MB, used", check.finding)
    assert "QUARTET_HISTORY_DAYS" in check.fix


def test_a_user_who_may_not_ask_for_the_report_fails_no_check(settings: Settings, servers: Servers) -> None:
    address = servers.start("--appendonly", "yes")
    connect(address).execute_command(*user(rights()["client"]))
    Ledger(address).announce_worker("w1@here", {"quartet": version("quartet")}, 30)
    theirs = address.replace("redis://", "redis://quartet-client:PASSWORD@")
    checks = by_name(redis_checks(at(settings, theirs)))
    assert [check.name for check in checks.values() if not check.passed] == []
    for name in ("append-only file", "eviction", "memory"):
        assert checks[name].finding == "unknown, this user may not run INFO"
    assert checks["redis version"].finding[0].isdigit()
    assert checks["rights"].finding == "all that a client needs"
    also = by_name(redis_checks(at(settings, theirs), worker=True))["rights"]
    assert also.passed
    assert "for a worker, brpop," in also.finding


def test_a_right_that_is_missing_is_named(settings: Settings, servers: Servers) -> None:
    address = servers.start()
    connect(address).execute_command(
        *user(rights()["client"]), "-hset", "-script|load", "resetkeys", "~quartet:*"
    )
    theirs = address.replace("redis://", "redis://quartet-client:PASSWORD@")
    check = by_name(redis_checks(at(settings, theirs)))["rights"]
    assert not check.passed
    assert check.finding == (
        "this user lacks what a client needs: hset, script|load, ~quartet.short*, ~quartet.training*"
    )
    assert "quartet doctor --rights" in check.fix


def test_a_cluster_is_refused(settings: Settings, servers: Servers) -> None:
    address = servers.start("--cluster-enabled", "yes")
    with pytest.raises(InvalidSetting, match="cluster mode"):
        redis_checks(at(settings, address))
