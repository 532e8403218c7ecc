"""`job.json` names a job's parameters as this version does, so that its folder resumes with the same."""

import dataclasses
import json
from typing import Any

import pytest

from jobs.client import Client
from jobs.models import parameters_of
from jobs.specs.stored_spec import StoredSpec
from worker.engine.job_json import job_json


def renamed(values: dict[str, Any], schema: int) -> dict[str, Any]:
    """A migration that renames and rescales, so that done twice it would be noticed."""
    if schema < 2 and "sigma" in values:
        values["noise"] = values.pop("sigma") / 100
    return values


def test_a_migrated_job_resumes_from_its_folder_with_what_it_ran_with(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters_of("denoiser", "train"), "migrated", renamed)
    job = client.submit("denoiser", "train", data="digits")
    record = client.ledger.record(job.id)
    assert record is not None
    old = {"schema": 1, "model": "denoiser", "action": "train", "data": "digits", "parameters": {"sigma": 30}}
    record = dataclasses.replace(record, stored=StoredSpec.from_json(json.dumps(old)))
    written = job_json(record, state="succeeded", attempt=1, finished=10**12, timeline=[], data={}, notes=[])
    written = json.loads(json.dumps(written))
    assert written["set"] == ["noise"]
    assert "--noise 0.3" in written["command"]
    for spec in (StoredSpec.of_folder(written).parse(), StoredSpec.as_it_ran(written)):
        assert spec.parameters.model_dump()["noise"] == 0.3


def test_a_folder_of_an_earlier_schema_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters_of("denoiser", "train"), "migrated", renamed)
    spec = {"schema": 1, "model": "denoiser", "action": "train", "parameters": {"sigma": 30, "epochs": 20}}
    stored = StoredSpec.of_folder({"spec": spec, "set": ["sigma"]})
    for _ in range(2):  # the migration changes a copy
        assert stored.parse().parameters.model_dump(exclude_unset=True) == {"noise": 0.3}
