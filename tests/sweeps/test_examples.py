"""Every example file runs to its end, with a real worker."""

from pathlib import Path

import pytest

from jobs.cli.sweep import queue
from jobs.client import Client
from jobs.local.supervisor import Service
from tests.sweeps.describing import EXAMPLES


@pytest.mark.quality
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_to_its_end(service: Service, path: Path) -> None:
    client = Client(service.settings)
    for each in queue(client, client.describe_file(path)):
        if "job" in each:
            for job_id in [each["job"], *each["then"]]:
                assert client.wait(job_id, timeout=250).state == "succeeded"
            continue
        sweep = client.find_sweep(each["sweep"]).wait(timeout=800)
        assert sweep.best is not None
        assert sweep.counts.get("failed", 0) == 0, sweep.counts
        assert sweep.spec.early_terminate or len(sweep.trials) == sweep.spec.most_points() * len(
            sweep.spec.seeds
        )
