"""A model that is broken or not installed fails its own jobs, with a sentence, and nothing else."""

import json
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.ids import new_job_id
from jobs.ledger.messages import list_of
from jobs.spec import JobSpec
from tests.support.processes import Workers, ended, until

TRAIN = JobSpec.make("autoencoder", "train", data="digits", parameters={"epochs": 1})

CLASSES = """
from jobs.parameters import Evaluation, Generation, Training

class Train(Training):
    pass

class Evaluate(Evaluation):
    pass
"""
WHOLE_SPEC = f"{CLASSES}\nclass Generate(Generation):\n    pass\n"
METRICS = "from worker.report.blocks import Metric\nMETRICS = (Metric('nothing', 'nothing'),)\n"
HALF_A_TASK = "def train(context):\n    return {'nothing': 1.0}\n\ndef evaluate(context):\n    return {}\n"
HINT = "(hint: CONTRIBUTING.md shows a whole model)"

WINGS = {
    "brokenspec": {"spec.py": CLASSES},
    "crashingspec": {"spec.py": "raise RuntimeError('a mistake of its author')"},
    "halfatask": {"spec.py": WHOLE_SPEC, "metrics.py": METRICS, "task.py": HALF_A_TASK},
    "nometrics": {"spec.py": WHOLE_SPEC, "task.py": f"{HALF_A_TASK}\ngenerate = evaluate\n"},
}
SENTENCES = {
    "brokenspec": "model brokenspec, spec.py: expected a class Generate, a subclass of "
    "jobs.parameters.Parameters, got none",
    "crashingspec": "model crashingspec, spec.py: expected a module that can be imported, got RuntimeError "
    "(a mistake of its author)",
    "halfatask": f"model halfatask, task.py: expected a function generate(context), got none {HINT}",
    "nometrics": "model nometrics, metrics.py: expected a module metrics.py in the package nometrics, "
    f"got none {HINT}",
    "elsewhere": "'elsewhere'",
}
"""What the error of each model's job has in it; the last is not installed here."""


def install(folder: Path) -> None:
    """Install the models as somebody else's packages, announced by entry points."""
    about = folder / "somebodys_models-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys-models\nVersion: 1.0\n")
    points = "".join(f"{name} = {name}\n" for name in WINGS)
    (about / "entry_points.txt").write_text(f"[quartet.models]\n{points}")
    for name, files in WINGS.items():
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
        for file, text in files.items():
            (folder / name / file).write_text(text)


def submit(client: Client, model: str) -> str:
    """Queue a job of a model that this process does not know."""
    job_id = new_job_id()
    client.ledger.submit(job_id, TRAIN)
    redis, queue = client.ledger.redis, list_of(TRAIN)
    redis.hset(f"quartet:job:{job_id}", "spec", json.dumps({"model": model, "action": "train"}))
    [message] = [json.loads(text) for text in redis.lrange(queue, 0, -1) if job_id in text]
    redis.lrem(queue, 1, next(text for text in redis.lrange(queue, 0, -1) if job_id in text))
    message["headers"]["task"] = f"{model}.train"
    redis.lpush(queue, json.dumps(message))
    return job_id


def test_their_jobs_fail_with_a_sentence_and_the_worker_serves_the_other_models(
    client: Client, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    jobs = {model: submit(client, model) for model in SENTENCES}
    after = client.submit_spec(TRAIN)
    workers.start()

    def field(model: str, name: str) -> str:
        return str(client.ledger.redis.hget(f"quartet:job:{jobs[model]}", name))

    for model, sentence in SENTENCES.items():
        until(lambda model=model: field(model, "state") == "failed", 60, f"the failure of {model}'s job")
        assert sentence in field(model, "error"), (model, field(model, "error"))
        assert field(model, "attempt") == "1"
    assert ended(client, after.id).state == "succeeded", workers.logs()
    log = (workers.folder / "w1.log").read_text()
    assert SENTENCES["brokenspec"] in log
    assert SENTENCES["crashingspec"] in log
    # One that got as far as a folder is published with its reason.
    published = client.results.find(jobs["halfatask"])
    assert published is not None
    assert published.job["error"] == SENTENCES["halfatask"]
    assert published.verify() == []
