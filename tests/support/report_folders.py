"""Folders of finished jobs, for the tests of the report and the index."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from worker.context import JobContext
from worker.engine.wings import wing
from worker.report.job_page import render
from worker.report.metrics import headline

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
    """The `job.json` of a job that took a minute, with these changes."""
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
        "device": {"kind": "cpu", "name": "CPU"},
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
    """Write a job's folder under `root`, named by its id, with `job.json` and other files."""
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
    """The folder of a real training job, two epochs on the offline sample, with its page."""
    return _finished(root, JOB_ID, SHORT_TRAINING, {})


def evaluated_folder(trained: Path) -> Path:
    """The folder of the evaluation of that training job, beside it."""
    spec = JobSpec.make("autoencoder", "evaluate", data="digits", **{"from": trained.name})
    return _finished(trained.parent, EVALUATION_ID, spec, {"from": JobFolder(trained)})


def render_page(folder: Path) -> None:
    """Render a job's page, by the wing of its model."""
    render(folder, wing(JobFolder(folder).job["spec"]["model"]))


def _finished(root: Path, job_id: str, spec: JobSpec, sources: Mapping[str, JobFolder]) -> Path:
    folder = root / job_id
    folder.mkdir()
    context = JobContext(spec=spec, folder=folder, settings=read_settings(), sources=sources)
    model = wing(spec.model)
    metrics = dict(model.action(spec.action)(context))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    best = headline(model.metrics, metrics)
    record = job_record(
        spec,
        job_id=job_id,
        data=context.data,
        notes=context.notes,
        warnings=context.warnings or ["These numbers are of a test."],
        headline=best,
    )
    (folder / "job.json").write_text(json.dumps(record))
    render_page(folder)
    return folder
