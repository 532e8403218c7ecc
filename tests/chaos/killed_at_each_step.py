"""A program of the tests: does something, each time killed one step later, and checks what is left each time.

A step is a call that changes or opens something in the results folder, or a command to Redis. The process has no
threads, so it may fork.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis.connection import AbstractConnection

from jobs.client import Client
from jobs.job import Job
from jobs.settings import read_settings
from jobs.store.history import History
from jobs.store.labels import Labels
from jobs.store.page_deletions import deleted_of_page
from tests.support.ended_jobs import end

EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "fcntl.flock"}


def was_killed(step: int, act: Callable[[Client], object]) -> bool:
    """Do it in another process, and kill that at a step; False if it was done before."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
        return os.WIFSIGNALED(status)
    steps = 0

    def count(event: str, *_: Any) -> None:
        nonlocal steps
        steps += event in EVENTS
        if event in EVENTS and steps == step:  # to kill is an event itself
            os.kill(os.getpid(), signal.SIGKILL)

    send = AbstractConnection.send_packed_command

    def send_and_count(self: AbstractConnection, *arguments: Any, **more: Any) -> None:
        send(self, *arguments, **more)
        count("open")

    code = 1
    try:
        client = Client(read_settings())
        AbstractConnection.send_packed_command = send_and_count  # type: ignore[method-assign]
        sys.addaudithook(count)
        act(client)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def whole_folders(client: Client) -> set[str]:
    """The jobs that anybody finds; each has all its files."""
    ids = set(client.results.ids())
    for job_id in ids:
        folder = client.results.find(job_id)
        assert folder is not None
        assert folder.verify() == [], folder.verify()
    return ids


def pruned(client: Client, step: int, _: Path) -> bool:
    """`prune` of a model and a job that used it, beside a job that stays."""
    model = ended(client, "train", data="digits", seed=step)
    reader, stays = (
        ended(client, "evaluate", source=model.id),
        ended(client, "train", tags=["paper"], seed=step),
    )
    client.note(reader, "a note")
    killed = was_killed(step, prune)
    there = whole_folders(client)
    assert stays.id in there
    assert reader.id not in there or model.id in there
    prune(client)
    assert whole_folders(client) == {stays.id}
    assert (
        [job.id for job in client.jobs()]
        == client.ledger.ids()
        == History(client.results).ids()
        == [stays.id]
    )
    assert Labels(client.results.root).days() == []
    assert {reader.id, model.id} <= deleted_of_page(client.results.root)
    assert list(client.results.root.glob(".deleted/*")) == []
    client.delete(stays)
    return killed


def prune(client: Client) -> None:
    client.prune("2099-01-01", keep_tagged=True)


def archived(client: Client, step: int, folder: Path) -> bool:
    """`archive`: its file is there whole, or not at all."""
    job = kept(client)
    path = folder / f"{step}.tar.zst"
    killed = was_killed(step, lambda client: client.archive([job], path))
    if not path.exists():
        client.archive([job], path)
    assert list(client.restore(path)) == [(job.id, False)]
    return killed


def restored(client: Client, step: int, folder: Path) -> bool:
    """`restore`: the job is there whole, or not at all, and its note with the next try."""
    job = kept(client)
    path = folder / "kept.tar.zst"
    if not path.exists():
        client.archive([job], path)
    client.delete(job)
    killed = was_killed(step, lambda client: list(client.restore(path)))
    assert whole_folders(client) <= {job.id}
    assert [found[0] for found in client.restore(path)] == [job.id]
    assert whole_folders(client) == {job.id}
    assert [(found.id, found.note) for found in client.jobs()] == [(job.id, "a note")]
    assert not (client.results.root / ".restoring").exists()
    assert client.results.staged_ids() == []
    return killed


def ended(client: Client, action: str, **fields: Any) -> Job:
    data = {"data": "digits"} if action == "train" else {}
    job = client.submit("denoiser", action, fresh=True, **(data | fields))
    end(client, job, checkpoint="a checkpoint")
    return job


def kept(client: Client) -> Job:
    """The one job that there is."""
    for job in client.jobs():
        return job
    return client.note(ended(client, "train"), "a note")


def main(what: str, folder: Path, every: int) -> None:
    client = Client(read_settings())
    (client.results.root / "index").mkdir(parents=True)  # a page
    step = 1
    while globals()[what](client, step, folder):
        step += every
    sys.stdout.write(f"{step}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
