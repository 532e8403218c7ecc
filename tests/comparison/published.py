"""Jobs with folders as a worker writes them, at once and without one."""

import json
from collections.abc import Mapping
from typing import Any

from jobs.client import Client
from jobs.job import Job
from tests.support.ended_jobs import claimed
from worker.engine.job_json import job_json

DIGITS = {"digits": {"name": "digits", "path": None, "sha256": "0f" * 32}}
CODE = {"quartet": "0.1.0", "checksum": "68bcefa27ce84e28"}
LIBRARIES = {"tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"}


def publish(
    client: Client,
    job: Job,
    metrics: Mapping[str, float],
    *,
    state: Any = "succeeded",
    epochs: int = 0,
    files: Mapping[str, str] | None = None,
    read: Mapping[str, Any] = DIGITS,
    versions: Mapping[str, str] = LIBRARIES,
    **about: Any,
) -> str:
    """End a job with a folder; its id is returned."""
    claim, record = claimed(client, job), client.ledger.record(job.id)
    assert record is not None
    staging, finished = client.results.stage(claim), client.ledger.now()
    fixed: dict[str, Any] = {"timeline": [], "data": read, "notes": [], "code": CODE}
    found = job_json(record, state=state, attempt=1, finished=finished, **{**fixed, **about})
    rows = "".join(f"{epoch},{1 / epoch},{2 / epoch}\n" for epoch in range(1, epochs + 1))
    written = {
        "job.json": json.dumps(found | {"versions": dict(versions)}),
        "metrics.json": json.dumps(metrics),
        "report.html": "",
        **({"history.csv": f"epoch,loss,validation_loss\n{rows}"} if epochs else {}),
        **(files or {}),
    }
    for name, content in written.items():
        (staging / name).write_text(content)
    client.results.publish(claim, 0o022)
    client.ledger.finish(claim, state, finished=finished, error=about.get("error"), folder=job.id)
    return job.id


def trained(client: Client, bce: float | None = 0.1, **about: Any) -> str:
    """A training job that has ended; `about` has parameters, fields of a job, and what `publish` takes."""
    of_folder = {"state", "read", "code", "versions", "error", "warnings", "files"}
    mine = {name: about.pop(name) for name in of_folder & about.keys()}
    metrics = {} if bce is None else {"validation_bce": bce, "baseline_validation_bce": 0.4}
    done = about.pop("done", about.get("epochs", 2))
    job = client.submit("autoencoder", "train", **{"data": "digits", "epochs": 2, **about})
    return publish(client, job, metrics, epochs=done, **mine)


def evaluated(client: Client, source: str, psnr: float) -> str:
    job = client.submit("autoencoder", "evaluate", source=source, data="digits")
    return publish(client, job, {"bce": 1 / psnr, "psnr_db": psnr})
