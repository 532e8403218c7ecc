"""Finished job folders made by hand, for the tests of the report and the index."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jobs.folder import JobFolder
from jobs.settings import read_settings
from jobs.spec import JobSpec
from worker.report.page import headline, render
from worker.run import Run

SHORT_TRAINING = JobSpec.make("autoencoder", "train", data="digits", parameters={"epochs": 2})
JOB_ID = "20261123-221530-042-k7qd"
EVALUATION_ID = "20261123-221545-042-k7qd"

HOSTILE = (
    "<script>document.title = 'owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "' onmouseover='document.title=1",
    "javascript:document.title='owned'",
    "</style></title></pre></code><script>document.title='owned'</script>",
    "<!-- --><svg/onload=document.title='owned'>",
    "{{ 7 * 7 }} {% raw %} {# #}",
    "&lt;b&gt; &amp; ]]>",
    "null \x00 byte, escape \x1b[31m, delete \x7f",
    "reordered \u202egnp.exe\u202c and \u2066isolated",
    "half a \ud800 pair",
    "https://example.com/picture.png <img src=https://example.com/picture.png>",
    "w" * 80,
    "שלום עולם قائمة 🎻🎻🎻 Ž̷̡a̴l̵g̶o̸",
)
"""What a stranger may have written into a name, a note, a prompt, a review, an error or a log."""


def job_record(
    spec: JobSpec | Mapping[str, Any], *, job_id: str = JOB_ID, state: str = "succeeded", **changes: Any
) -> dict[str, Any]:
    """`job.json` of a job that took a minute, with whatever is changed."""
    return {
        "id": job_id,
        "state": state,
        "spec": spec.model_dump(mode="json", by_alias=True) if isinstance(spec, JobSpec) else dict(spec),
        "attempt": 1,
        "times": {
            "submitted": "2026-11-23T22:15:30.042Z",
            "started": "2026-11-23T22:15:31.000Z",
            "finished": "2026-11-23T22:16:34.200Z",
        },
        "seconds": 63.2,
        "command": "quartet submit autoencoder train --data digits",
        "data": {"digits": {"name": "digits", "path": None, "sha256": "0f" * 32, "examples": 1797}},
        "device": {"kind": "cpu", "name": "a processor"},
        "versions": {"python": "3.11.9", "quartet": "0.1.0"},
        "worker": "worker-1@host",
        "notes": [],
        "headline": None,
        "error": None,
        "log_end": None,
        "timeline": [
            {"time": "2026-11-23T22:15:30.042Z", "text": "submitted"},
            {"time": "2026-11-23T22:16:34.200Z", "text": state},
        ],
        **changes,
    }


def write_folder(root: Path, record: Mapping[str, Any], files: Mapping[str, str] | None = None) -> Path:
    """A job's folder under `root`, named by its id, with `job.json` and other files."""
    folder = root / str(record["id"])
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps(record), encoding="utf-8")
    for name, content in (files or {}).items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def hostile_record(texts: tuple[str, ...] = HOSTILE, **changes: Any) -> dict[str, Any]:
    """A failed job that says `texts` everywhere a job can say anything."""
    everything = "\n".join(texts)
    spec = JobSpec.make("textgen", "train").model_dump(mode="json", by_alias=True)
    spec |= {"name": everything, "data": everything, "model": "textgen"}
    spec["parameters"] |= {"units": list(texts), everything: everything}
    record = job_record(
        spec,
        state="failed",
        error=everything,
        log_end=everything,
        notes=list(texts),
        command=everything,
        worker=everything,
        versions={text: text for text in texts},
        device={"kind": everything, "name": everything},
        data={text: {text: text, "path": text, "nested": [text, {text: text}]} for text in texts},
    )
    record["timeline"] = [{"time": "2026-11-23T22:15:30.042Z", "text": text} for text in texts]
    return record | changes


def trained_folder(root: Path) -> Path:
    """A real training of two epochs on the offline sample, its page made."""
    from worker.tasks import autoencoder

    return _finished(root, JOB_ID, SHORT_TRAINING, autoencoder.train, {})


def evaluated_folder(trained: Path) -> Path:
    """The evaluation of that training, beside it."""
    from worker.tasks import autoencoder

    spec = JobSpec.make("autoencoder", "evaluate", data="digits", **{"from": trained.name})
    return _finished(trained.parent, EVALUATION_ID, spec, autoencoder.evaluate, {"from": JobFolder(trained)})


def _finished(
    root: Path,
    job_id: str,
    spec: JobSpec,
    task: Callable[[Run], dict[str, float]],
    sources: Mapping[str, JobFolder],
) -> Path:
    folder = root / job_id
    folder.mkdir()
    run = Run(spec=spec, folder=folder, settings=read_settings(), sources=sources)
    metrics = task(run)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    best = headline(spec.model, metrics)
    record = job_record(spec, job_id=job_id, data=run.data, notes=run.notes, headline=best)
    (folder / "job.json").write_text(json.dumps(record))
    render(folder)
    return folder
