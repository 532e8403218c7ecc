"""A stranger's references to jobs, and jobs, records and folders that came from anywhere."""

import pickle
from collections.abc import Callable
from typing import Any

from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from tests.cli.hostile_world import ID, Bomb, Row, World, check, table

NO_JOB = "^job: expected a job's id, 4 or more characters of it, its name, or `latest`, got '"
REFERENCES: list[Row] = [
    (f"the reference {text[:24]!r}", lambda w, text=text: w.client.job(text), NO_JOB)
    for text in (
        "..",
        "../outside",
        "/etc/passwd",
        f"{ID}/../../outside",
        "~root",
        "x\0y",
        "",
        "*",
        "%2e%2e%2foutside",
        "\x1b]0;owned\x07",
        "a" * 100_000,
    )
]


def spec_row(row: str, gets: str, /, model: str = "autoencoder", action: str = "train", **fields: Any) -> Row:
    return row, lambda w: w.client.submit_spec(JobSpec.make(model, action, **fields)), gets


SPECS: list[Row] = [
    spec_row("a model that is a path", "model: expected one of .*, got '../../x'", model="../../x"),
    spec_row("a model that is code", "model: expected one of ", model="__import__('os').system('touch owned')"),
    spec_row("an action that is a method", "action: expected one of train, evaluate, generate, got '__class__'", action="__class__"),
    spec_row("a training that is a path", "from: expected a job id like .*, got '../..'", action="evaluate", **{"from": "../.."}),
    spec_row("a name that moves the cursor", "name: expected printable characters with no space around them", name="\x1b[2J\x1b[H"),
    spec_row("a name that turns the text around", "name: expected printable characters with no space around them", name="\u202egpj.exe"),
    spec_row("a name that is an id", "name: expected a name that is neither `latest` nor like a job id", name=ID),
    spec_row("a name that is a path is a name", r"queued, '\.\./\.\./x'>", name="../../x", data="digits"),
    spec_row("a parameter of Python's own", "parameter of autoencoder train: expected one of epochs, .*, got '__class__'", parameters={"__class__": 1}),
    spec_row("a number beyond all numbers", "epochs: expected an integer ≤ 1,000,000, got 1000", parameters={"epochs": 10**400}),
    spec_row("a number that is none", "learning_rate: expected a finite number, got nan", parameters={"learning_rate": float("nan")}),
    spec_row("a parameter that is a tree", "epochs: expected an integer, got {", parameters={"epochs": {"$gt": ""}}),
    ("a job that is a list", lambda _: StoredSpec.from_json("[]"), r"job: expected a JSON object, got \[\]"),
    ("a job that is a pickle", lambda _: StoredSpec.from_json(pickle.dumps(Bomb())), "job: expected JSON, got b"),
    ("a job nested very deep", lambda _: StoredSpec.from_json("[" * 100_000), "job: expected JSON"),
]  # fmt: skip


UNREADABLE = "expected a record in Redis that this version can read"
RECORDS: list[Row] = [
    ("a record that is no JSON", lambda w: w.queued(spec="{"), UNREADABLE),
    ("a record that is a list", lambda w: w.queued(spec="[]"), UNREADABLE),
    ("a record that is a pickle", lambda w: w.queued(spec=pickle.dumps(Bomb())), UNREADABLE),
    ("a record of an unknown model", lambda w: w.queued(spec='{"model": "../x", "action": "train"}'), r": \.\./x train, "),
    ("a record in no state", lambda w: w.queued(state="owned"), UNREADABLE),
    ("a record with an attempt that is none", lambda w: w.queued(attempt="many"), UNREADABLE),
    ("a record with half a headline", lambda w: w.queued(headline="{"), UNREADABLE),
]  # fmt: skip


def folder_row(name: str, gets: str, **changes: Any) -> Row:
    def look(world: World) -> Any:
        world.finished(**changes)
        world.client.ledger.redis.flushall()
        listing = world.client.listing()
        assert [*listing.unreadable, *(job.id for job in listing.jobs)] == [ID], "it does not vanish"
        return world.client.job(ID)

    return name, look, gets


NO_RECORD = r"job\.json is not a job's record"
FOREIGN: list[Row] = [
    folder_row("a finished job in no state", NO_RECORD, state="owned"),
    folder_row("a finished job at no time", NO_RECORD, times=[]),
    folder_row(
        "a finished job of an unknown model", r": \.\./x train, ", spec={"model": "../x", "action": "train"}
    ),
    folder_row("a finished job with half a headline", NO_RECORD, headline={"value": 1}),
]


@table(REFERENCES, SPECS, RECORDS, FOREIGN)
def test_it_gets_one_sentence_or_does_nothing(world: World, send: Callable[[World], Any], gets: str) -> None:
    check(world, send, gets)
