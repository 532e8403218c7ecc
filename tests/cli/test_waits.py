"""`quartet show` says why a queued job waits."""

import json
import secrets

import pytest

from jobs.client import Client
from jobs.job import Job
from jobs.showing.waits import Followed
from tests.cli.program import quartet_here


@pytest.fixture
def job(client: Client) -> Job:
    return client.submit("autoencoder", "train", data="digits", name="mine")


def waits(client: Client) -> str | None:
    """What the program says, in JSON and for a person."""
    found = json.loads(quartet_here(client.settings, "show", "mine", "--json").stdout)["waits"]
    shown = " ".join(quartet_here(client.settings, "show", "mine").stdout.split())
    assert (found is None) == (" waits " not in shown)
    assert found is None or f"waits {found}" in shown
    return found if found is None else str(found)


def decline(client: Client, job: Job, kind: str, why: str) -> None:
    claim = client.ledger.claim(job.id, "old", 30, secrets.token_hex(8))
    assert claim is not None
    client.ledger.decline(claim, kind, why)


@pytest.mark.usefixtures("job")
def test_a_job_without_any_worker_says_so(client: Client) -> None:
    assert waits(client) == "for a worker; none is running (`quartet up` starts some)"


@pytest.mark.usefixtures("job")
def test_a_job_behind_others_waits_for_nothing_special(client: Client) -> None:
    client.ledger.announce_worker("busy", {"quartet": "1", "kind": "a"}, 60)
    client.ledger.announce_worker("full", {"quartet": "1", "kind": "a", "waiting": "for room"}, 60)
    assert waits(client) is None
    later = client.submit("autoencoder", "train", data="digits")
    assert Followed(client)(later) == "for a worker; 1 job queued before it"
    client.ledger.redis.delete("quartet:workers")
    assert Followed(client, workers_come=True)(later) == ""


@pytest.mark.usefixtures("job")
def test_a_job_whose_workers_all_wait_says_what_for(client: Client) -> None:
    client.ledger.announce_worker("w1", {"quartet": "1", "waiting": "for a GPU: w9 holds GPU 0"}, 60)
    client.ledger.announce_worker("w2", {"quartet": "1", "kind": "a", "waiting": "for room on /results"}, 60)
    assert waits(client) == "for a worker: w1 waits for a GPU: w9 holds GPU 0; w2 waits for room on /results"
    for number in range(3, 8):
        client.ledger.announce_worker(f"w{number}", {"quartet": "1", "waiting": "for a GPU"}, 60)
    assert str(waits(client)).endswith("w3 waits for a GPU; and 4 more")


def test_a_job_that_no_worker_understands_says_why(client: Client, job: Job) -> None:
    client.ledger.announce_worker("old", {"quartet": "1", "kind": "a"}, 60)
    decline(client, job, "a", "parameter of autoencoder train: expected one of epochs, got 'speed'")
    said = waits(client)
    assert said == (
        "for a worker that understands it; those that were asked do not understand it "
        "(parameter of autoencoder train: expected one of epochs, got 'speed')"
    )
    for name in ("new", "newer", "newest", "next"):
        client.ledger.announce_worker(name, {"quartet": "2", "kind": "b"}, 60)
    said = str(waits(client))
    assert said.startswith(
        "for new, newer, newest or 1 more; those that were asked do not understand it (param"
    )
    client.cancel("mine")
    assert waits(client) is None
