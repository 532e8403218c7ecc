"""What else may lie in the queue, and what a worker must never say: each against a real worker."""

import base64
import bz2
import json
import os
import pickle
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import SecretStr

from jobs.client import Client
from jobs.ids import new_job_id
from jobs.ledger.messages import QUEUES, Message, list_of
from jobs.local.redis_server import find_server
from jobs.settings import Settings
from jobs.spec import JobSpec
from tests.support.processes import Workers, ended, until

TRAIN = JobSpec.make("autoencoder", "train", data="digits", parameters={"epochs": 1})


class Bomb:
    """Unpickled, it would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def changed(**headers: Any) -> dict[str, Any]:
    """Our own message with something else in it."""
    job_id = new_job_id()
    text = Message(job_id, "autoencoder.train", QUEUES["training"], 3, f"{job_id}.1").text()
    good: dict[str, Any] = json.loads(text)
    good["headers"] |= headers
    return good


def with_arguments(*arguments: Any, **named: Any) -> dict[str, Any]:
    body = [list(arguments), named, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    return changed() | {"body": base64.b64encode(json.dumps(body).encode()).decode()}


def messages(owned: Path) -> dict[str, str | bytes]:
    bomb = pickle.dumps(([Bomb(owned)], {}, {}))
    pickled = changed() | {"body": base64.b64encode(bomb).decode(), "content-encoding": "binary"}
    rows: dict[str, Any] = {
        "an unknown task": changed(task="os.system"),
        "a task of Celery's own": changed(task="celery.backend_cleanup"),
        "a pickle": pickled | {"content-type": "application/x-python-serialize"},
        "a pickle called by another name": pickled | {"content-type": "pickle"},
        "a pickle said to be JSON": pickled,
        "YAML": changed() | {"content-type": "application/x-yaml"},
        "a body that is no base64": changed() | {"body": "%%%"},
        "an unknown job": with_arguments(new_job_id()),
        "a job that leads out": with_arguments("../../outside"),
        "a job that is a tree": with_arguments({"$gt": ""}),
        "too many arguments": with_arguments(new_job_id(), "more"),
        "no arguments": with_arguments(),
        "arguments by name": with_arguments(job_id=new_job_id(), settings="mine"),
        "a message that is due in the year 9999": changed(eta="9999-12-31T23:59:59"),
        "a time limit of another kind": changed(timelimit=["never", {}]),
        "a time limit in the past": changed(timelimit=[-1, -1]),
        "a message that expires": changed(expires="1970-01-01T00:00:00"),
        "a stamp": changed(stamped_headers=["x"], x=1),
        "a bomb": changed(compression="application/x-bz2")
        | {"body": base64.b64encode(bz2.compress(b"0" * 10**9)).decode()},
        "a deep nest": b"[" * 100_000,
        "a deep nest in a body": changed() | {"body": base64.b64encode(b"[" * 100_000).decode()},
        "100 megabytes": b"x" * 100_000_000,
        "no headers": changed() | {"headers": {}},
        "no properties": {"body": ""},
        "no message": [],
        "no JSON": b"{owned",
        "bytes": b"\x80\x04\xff",
        "nothing": b"",
    }
    return {name: row if isinstance(row, bytes) else json.dumps(row) for name, row in rows.items()}


@pytest.mark.chaos
def test_messages_of_strangers_run_nothing_and_the_next_job_is_done(
    hostile_worker: tuple[Client, Workers], tmp_path: Path
) -> None:
    client, workers = hostile_worker
    for text in messages(tmp_path / "owned").values():
        client.ledger.redis.lpush(list_of("train", "normal"), text)
    after = client.submit_spec(TRAIN, fresh=True)
    assert ended(client, after.id).state == "succeeded", workers.logs()
    assert not (tmp_path / "owned").exists()
    assert not (client.results.root.parent.parent / "outside").exists()
    [worker] = workers.started
    assert worker.process.poll() is None, workers.logs()


@pytest.fixture(scope="module")
def hostile_worker(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Client, Workers]]:
    from jobs.settings import read_settings

    folder = tmp_path_factory.mktemp("hostile")
    settings = read_settings(redis_url=redis_url, results_dir=folder / "results", data_dir=folder / "data")
    client = Client(settings)
    client.ledger.redis.flushall()
    workers = Workers(settings, folder)
    workers.start()
    yield client, workers
    workers.end()


PASSWORD = "geheim-und-lang"


@pytest.mark.chaos
def test_a_password_is_in_no_log_record_report_or_process_list(
    settings: Settings, tmp_path: Path, workers: Workers
) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    (folder / "redis.conf").write_text(f'requirepass {PASSWORD}\nport 0\nsave ""\n')
    socket = f"/tmp/quartet-secret-{os.getpid()}.sock"
    command = [find_server(), str(folder / "redis.conf"), "--unixsocket", socket, "--dir", str(folder)]
    server = psutil.Popen(command, stdout=-3)
    try:
        until(lambda: Path(socket).exists(), 20, "Redis")
        umask = 0o027
        address = SecretStr(f"unix://:{PASSWORD}@{socket}")
        workers.settings = settings.model_copy(
            update={"redis_url": address, "umask": umask, "log_level": "DEBUG"}
        )
        client = Client(workers.settings)
        [worker] = workers.start()
        training = client.submit_spec(TRAIN)
        done = ended(client, training.id)
        assert done.state == "succeeded", workers.logs()
        (tmp_path / "broken.npz").write_bytes(b"PK")
        failed = ended(
            client,
            client.submit_spec(JobSpec.make("autoencoder", "train", data=str(tmp_path / "broken.npz"))).id,
        )
        assert failed.state == "failed"
        main = psutil.Process(worker.process.pid)
        lines = [" ".join(process.cmdline()) for process in (main, *main.children(recursive=True))]
        assert any("worker.cli" in line for line in lines)
        server.kill()
        until(
            lambda: "Redis is away for now" in workers.logs(),
            30,
            "its complaint",
        )
    finally:
        server.kill()
        server.wait()
    said = {str(path): path.read_bytes() for path in client.results.root.rglob("*") if path.is_file()}
    said |= {str(path): path.read_bytes() for path in workers.folder.glob("*.log")}
    assert {"job.json", "report.html", "log.txt", "index.html", "w1.log"} <= {
        Path(name).name for name in said
    }
    assert [name for name, content in said.items() if PASSWORD.encode() in content] == []
    assert not any(PASSWORD in line for line in lines)

    # All of it was made with the permissions that the setting leaves.
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in client.results.root.rglob("*")}
    assert {oct(mode) for mode in modes.values()} <= {oct(0o750), oct(0o640)}, modes
    assert stat.S_IMODE(client.results.root.stat().st_mode) == 0o750
