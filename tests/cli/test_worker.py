"""`quartet worker`: what it prints and refuses; `tests/engine/test_draining.py` drains real workers."""

import json
import secrets
import time
from collections.abc import Callable

import pytest
from click.testing import Result

from jobs.client import Client
from jobs.errors import InvalidInput

Program = Callable[..., Result]


def announce(client: Client, name: str, **about: str) -> None:
    since = str(round(time.time() * 1000) - 7_200_000)
    client.ledger.announce_worker(name, {"quartet": "1.2", "start": f"7-{name}", "since": since, **about}, 60)


def test_the_list_says_what_each_does(client: Client, in_process: Program) -> None:
    nobody = in_process("worker")
    assert nobody.stderr == "no worker runs; `quartet up` starts some\n"
    jobs = [client.submit("autoencoder", "train", data="digits", seed=seed).id for seed in range(2)]
    announce(client, "busy@a", device="NVIDIA H100", kind="1.2-0123456789ab")
    announce(client, "leaving@a", device="CPU")
    announce(client, "rogue@b", device="\x1b[2J", waiting="for a GPU: all are held\n")
    for name, job_id in zip(("busy@a", "leaving@a"), jobs, strict=True):
        client.ledger.claim(job_id, name, 7, secrets.token_hex(8))
    client.drain("leaving")
    lines = [" ".join(line.split()) for line in in_process("worker", "list").stdout.splitlines()]
    assert lines == [
        "WORKER STATE DEVICE SINCE VERSION",
        f"busy@a running {jobs[0]} NVIDIA H100 2 h ago 1.2-0123456789ab",
        f"leaving@a draining: finishes {jobs[1]} CPU 2 h ago 1.2",
        "rogue@b waits for a GPU: all are held [U+001B][2J 2 h ago 1.2",
    ]
    found = json.loads(in_process("worker", "list", "--json").stdout)
    assert [(row["name"], row["host"], row["state"], row["jobs"]) for row in found] == [
        ("busy@a", "a", "running", [jobs[0]]),
        ("leaving@a", "a", "draining", [jobs[1]]),
        ("rogue@b", "b", "waiting", []),
    ]


def test_a_job_of_a_worker_stays_whole_where_its_kind_does_not_fit(
    client: Client, in_process: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = client.submit("autoencoder", "train", data="digits")
    announce(client, "worker@0123456789ab", device="CPU", kind="1.2.3-0123456789ab")
    client.ledger.claim(job.id, "worker@0123456789ab", 7, secrets.token_hex(8))
    monkeypatch.setattr("jobs.cli.worker_table.line_width", lambda: 80)
    [_, line] = in_process("worker", "list").stdout.splitlines()
    assert f" running {job.id} " in line
    assert " 1.2.3-01" in line


def test_a_drain_says_what_becomes_of_each_job(client: Client, in_process: Program) -> None:
    job = client.submit("autoencoder", "train", data="digits")
    announce(client, "busy@a")
    announce(client, "idle@a")
    client.ledger.claim(job.id, "busy@a", 7, secrets.token_hex(8))
    assert in_process("worker", "drain", "busy").stdout == f"busy@a finishes {job.id}, then stops\n"
    said = in_process("worker", "drain", "--all", "--hand-back").stdout
    assert said == f"busy@a hands back {job.id}, then stops\nidle@a stops\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "worker: expected names of workers, or --all, got none"),
        (("idle", "--all"), "worker: expected names of workers, or --all, got 1 and --all"),
        (("idel",), "worker: expected idle@a, got 'idel'"),
    ],
)
def test_a_drain_without_a_valid_name_drains_nobody(
    client: Client, in_process: Program, arguments: tuple[str, ...], sentence: str
) -> None:
    announce(client, "idle@a")
    error = in_process("worker", "drain", *arguments).exception
    assert isinstance(error, InvalidInput)
    assert (str(error), error.exit_code) == (sentence, 2)
    assert [worker.state for worker in client.workers()] == ["idle"]
