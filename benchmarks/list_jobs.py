"""Seconds that `quartet list` takes as a whole process when there are 10,000 jobs.

Run: `python -m benchmarks.list_jobs [--short]`.
"""

import json
import time
from datetime import UTC, datetime

from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, redis_alone
from benchmarks.whole_command import whole_command
from jobs.ids import is_job_id
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec

JOBS, RUNS = 10_000, 7
HEADLINE = {"name": "bce", "label": "Binary cross-entropy", "value": 0.0928, "unit": "nats per pixel"}


def measure(row: Row) -> None:
    """Fill a ledger and a results folder with finished jobs, and list them repeatedly."""
    count = 100 if row.short else JOBS
    seconds = []
    with folders(None) as settings, redis_alone(settings) as found:
        _fill(found, count)
        for turn in range(2 if row.short else 1 + RUNS):
            done = whole_command(found, "list")
            if turn:
                seconds.append(done.seconds)
    shown = sum(is_job_id(line.split()[0]) for line in done.printed.splitlines() if line.strip())
    row.figure(f"`quartet list` with {count:,} jobs ({shown:,} shown)", "s", seconds)
    row.judge("the whole process", seconds, "≤", 1.0, "s")
    row.note(
        "All have succeeded, are in the ledger, and have a folder with a report; the list goes to a pipe."
    )


def _fill(settings: Settings, count: int) -> None:
    ledger, root = Ledger(settings.redis_address()), settings.results_dir
    stored = StoredSpec.of(JobSpec.make("autoencoder", "train", data="digits"))
    now = time.time() - count
    for number in range(count):
        submitted = int((now + number) * 1000)
        job_id = f"{datetime.fromtimestamp(now + number, UTC):%Y%m%d-%H%M%S}-{number % 1000:03d}-benc"
        assert is_job_id(job_id), job_id
        (root / job_id).mkdir(parents=True)
        (root / job_id / "job.json").write_text("{}")
        (root / job_id / "report.html").write_text("")
        fields = {
            "started": submitted,
            "finished": submitted + 1_000,
            "worker": "bench",
            "error": "",
            "folder": job_id,
            "headline": json.dumps(HEADLINE),
        }
        assert ledger.restore(
            job_id, stored, "succeeded", submitted=submitted, attempt=1, needs=[], fields=fields
        )


if __name__ == "__main__":
    run("list_jobs", "`quartet list`", measure)
