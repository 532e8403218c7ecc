"""A model that is broken or not installed holds up its own jobs, with a sentence, and nothing else."""

from functools import partial
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.ids import new_job_id
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
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


WAITING = ("brokenspec", "crashingspec", "elsewhere")
"""Their jobs cannot be read here, and wait for a worker that can; the others fail when they are run."""


def submit(client: Client, model: str) -> str:
    """Queue a job of a model that this process does not know."""
    job_id = new_job_id()
    stored = StoredSpec({"model": model, "action": "train"})
    client.ledger.restore(job_id, stored, "queued", submitted=1, attempt=0, needs=[], fields={})
    return job_id


def was_declined(client: Client, job_id: str) -> bool:
    record = client.ledger.record(job_id)
    assert record is not None
    said = client.timeline(job_id)[-1]["text"]
    return "does not understand it" in said and (record.state, record.attempt, record.lost) == (
        "queued",
        0,
        0,
    )


@pytest.mark.chaos
def test_their_jobs_wait_or_fail_with_a_sentence_and_the_worker_serves_the_other_models(
    client: Client, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    jobs = {model: submit(client, model) for model in SENTENCES}
    after = client.submit_spec(TRAIN)
    workers.start()
    assert ended(client, after.id).state == "succeeded", workers.logs()
    for model, sentence in SENTENCES.items():
        record = until(
            lambda model=model: (
                (found := client.ledger.record(jobs[model])) and (found.declined or found.error) and found
            ),
            60,
            f"the end of {model}'s job",
        )
        if model in WAITING:
            # A message that lay with the busy worker was sent again, and the job declined again.
            until(partial(was_declined, client, record.id), 120, f"the return of {model}'s job")
            assert [sentence in why for why in record.declined.values()] == [True]
        else:
            assert (record.state, record.attempt) == ("failed", 1)
            assert sentence in record.error
    assert sorted(client.ledger.declined()) == sorted(jobs[model] for model in WAITING)
    log = (workers.folder / "w1.log").read_text()
    assert SENTENCES["brokenspec"] in log
    assert SENTENCES["crashingspec"] in log
    # One that got as far as a folder is published with its reason.
    published = client.results.find(jobs["halfatask"])
    assert published is not None
    assert published.job["error"] == SENTENCES["halfatask"]
    assert published.verify() == []
