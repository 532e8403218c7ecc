"""Which workers are drained by which names, and what is refused; `tests/engine/test_draining.py` has real workers."""

import secrets
from collections.abc import Iterator

import pytest

from jobs import draining
from jobs.client import Client
from jobs.errors import InvalidInput, QuartetError
from jobs.ledger.drain_record import DrainRecord, read_drain


def announce(client: Client, name: str, **about: str) -> None:
    client.ledger.announce_worker(name, {"quartet": "1", "start": f"7-{name}", **about}, 60)


@pytest.fixture
def known(client: Client) -> Client:
    for name in ("worker@a", "worker@b", "trainer@a", "old@a"):
        announce(client, name, **({"start": ""} if name == "old@a" else {}))
    return client


def states(client: Client) -> dict[str, str]:
    return {worker.name: worker.state for worker in client.workers()}


def test_a_worker_is_seen_as_it_announced_itself(client: Client) -> None:
    job = client.submit("autoencoder", "train", data="digits")
    announce(
        client,
        "w1@a.b",
        since="1700000000000",
        device="NVIDIA H100",
        queues="short,training",
        kind="1-0123456789ab",
    )
    announce(client, "w2@a.b", since="9" * 40, waiting="for room on /results")
    client.ledger.claim(job.id, "w1@a.b", 7, secrets.token_hex(8))
    first, second = (worker.as_dict() for worker in client.workers())
    assert first == {
        "name": "w1@a.b",
        "host": "a.b",
        "state": "running",
        "jobs": (job.id,),
        "waits": None,
        "hand_back": False,
        "device": "NVIDIA H100",
        "version": "1",
        "kind": "1-0123456789ab",
        "queues": ("short", "training"),
        "since": "2023-11-14T22:13:20.000Z",
        "start": "7-w1@a.b",
    }
    assert (second["state"], second["waits"]) == ("waiting", "for room on /results")
    assert (second["since"], second["device"], second["jobs"]) == (None, None, ())


def test_a_name_needs_its_host_only_where_several_have_it(known: Client) -> None:
    assert [worker.name for worker in known.drain("trainer", "worker@b", "trainer@a")] == [
        "trainer@a",
        "worker@b",
    ]
    expected = {"old@a": "idle", "trainer@a": "draining", "worker@a": "idle", "worker@b": "draining"}
    assert states(known) == expected


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("worker", "worker: expected one of worker@a, worker@b, got 'worker', which 2 have"),
        ("worker@c", r"worker: expected one of worker@\w, worker@\w, \w+@a and 1 more, got 'worker@c'"),
        ("old@a", "worker: expected one whose version can be drained, got old@a, of version 1"),
        ("\x1b[31m", r"worker: expected one of .+ and 1 more, got '\\x1b\[31m'"),
    ],
)
def test_one_wrong_name_drains_nobody(known: Client, name: str, sentence: str) -> None:
    before = states(known)
    with pytest.raises(InvalidInput, match=f"^{sentence}$"):
        known.drain("trainer", name)
    assert states(known) == before


def test_that_no_worker_runs_is_said(client: Client) -> None:
    with pytest.raises(InvalidInput, match="expected a live worker, of which there is none, got 'w1'"):
        client.drain("w1")


def test_the_next_worker_of_a_name_is_not_drained(known: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    drained = known.drain("trainer", hand_back=True)
    assert known.drain("trainer")[0].hand_back  # it was asked before
    announce(known, "trainer@a", start="8-other")
    assert states(known)["trainer@a"] == "idle"
    with pytest.raises(QuartetError, match=r"^trainer@a died before the drain was over"):
        list(known.drained(drained))
    monkeypatch.setattr(draining, "SILENT_SECONDS", 0.0)
    gone = known.drain("worker@b")
    known.ledger.redis.delete(f"{known.ledger.prefix}worker:worker@b")
    with pytest.raises(QuartetError, match=r"^worker@b died before the drain was over"):
        list(known.drained(gone))


def test_who_waits_sees_each_end_and_asks_again_what_redis_lost(known: Client) -> None:
    drained = known.drain("worker@a", "worker@b", hand_back=True)
    ends: Iterator[str] = (worker.name for worker in known.drained(drained))
    known.ledger.redis.delete(known.ledger.drain_key("worker@a"))
    known.ledger.end_drain("worker@b", DrainRecord("7-worker@b", hand_back=True))
    assert next(ends) == "worker@b"
    [asked] = known.ledger.drains(["worker@a"]).values()
    assert asked == DrainRecord("7-worker@a", hand_back=True)
    known.ledger.end_drain("worker@a", asked)
    assert list(ends) == ["worker@a"]
    assert states(known) == {"old@a": "idle", "trainer@a": "idle"}


@pytest.mark.parametrize("text", [None, "", "[", "[" * 100_000, "{}", '"text"', "[1]", '{"start": 1}', "7"])
def test_what_somebody_else_wrote_is_no_drain(text: str | None) -> None:
    assert read_drain(text) is None


def test_a_drain_is_read_as_it_was_written() -> None:
    drain = DrainRecord("123-ab", hand_back=True, stopped=True)
    assert read_drain(drain.to_json()) == drain
    assert drain.process == 123
    assert DrainRecord("ab").process is None
