"""Runs jobs as a worker does but without one, and publishes their folders, from which tests recompute."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jobs.claim import Claim
from jobs.ids import new_job_id
from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results
from worker.context import JobContext
from worker.engine.wings import wing
from worker.report.metrics import headline, in_order

MOMENT = "2026-11-23T22:15:30.042Z"


def real_data(file: str) -> Path:
    """A file of the real datasets; without it, the test is skipped."""
    path = Path(os.environ.get("QUARTET_TEST_DATA", "")).absolute() / file
    if "QUARTET_TEST_DATA" not in os.environ or not path.is_file():
        pytest.skip(f"QUARTET_TEST_DATA names no folder with {file}")
    return path


@dataclass(frozen=True)
class Runs:
    """Runs jobs one after the other, with a results folder and a data folder of their own."""

    settings: Settings

    @classmethod
    def within(cls, folder: Path) -> "Runs":
        (folder / "data").mkdir(parents=True)
        found = read_settings(data_dir=folder / "data", results_dir=folder / "results", gpu="none")
        return cls(found)

    def do(
        self,
        model: str,
        action: str,
        *,
        data: Path | str | None = None,
        seed: int = 0,
        source: JobFolder | None = None,
        baseline: JobFolder | None = None,
        **parameters: Any,
    ) -> JobFolder:
        """Do a job, and return its published folder."""
        results, claim = Results(self.settings.results_dir), Claim(new_job_id(), 1, "token")
        sources = {"from": source, "baseline": baseline}
        sources = {name: folder for name, folder in sources.items() if folder is not None}
        if baseline is not None:
            parameters["baseline"] = baseline.id
        spec = JobSpec.make(
            model,
            action,
            data=None if data is None else str(data),
            seed=seed,
            parameters=parameters,
            **({"from": source.id} if source else {}),
        )
        folder = results.stage(claim)
        context = JobContext(spec=spec, folder=folder, settings=self.settings, sources=sources)
        named = wing(model).metrics
        metrics = in_order(named, wing(model).action(action)(context))
        write_json(folder / "metrics.json", metrics)
        record = {
            "id": claim.job_id,
            "state": "succeeded",
            "spec": spec.model_dump(mode="json", by_alias=True),
            "data": context.data,
            "notes": context.notes,
            "warnings": context.warnings,
            "headline": headline(named, metrics),
            "times": {"submitted": MOMENT, "started": MOMENT, "finished": MOMENT},
        }
        write_json(folder / "job.json", record)
        published = results.publish(claim, 0o022)
        published.check()
        return published


def is_headline(folder: JobFolder, value: float) -> bool:
    """Whether the headline that lists show of a job is this number, to the digits shown."""
    shown = str(folder.job["headline"]["value"])
    digits = len(shown.partition(".")[2])
    return abs(float(shown) - value) <= 0.51 * 10**-digits
