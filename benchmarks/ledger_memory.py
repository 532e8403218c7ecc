"""Bytes in Redis with 100,000 finished jobs, and after those of the last week alone are remembered.

Run: `python -m benchmarks.ledger_memory [--short]`.
"""

import os
import secrets

from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, redis_alone
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.spec import JobSpec

JOBS = 100_000
HEADLINE = {"name": "bce", "label": "Binary cross-entropy", "value": 0.0928, "unit": "nats per pixel"}


def measure(row: Row) -> None:
    """Run jobs through the ledger, as clients, workers and the sweeper do, and ask Redis for its memory."""
    count = 1_000 if row.short else JOBS
    with folders(None) as settings, redis_alone(settings) as found:
        ledger = Ledger(found.redis_address())
        spec = JobSpec.make("autoencoder", "train", data="digits", parameters={"epochs": 5})
        empty = _used(ledger)
        _finish_jobs(ledger, spec, count)
        finished = _used(ledger) - empty
        row.figure(f"{count:,} finished jobs, all of this week", "bytes/job", [finished / count])
        while ledger.forget(-1):
            pass
        left = _used(ledger) - empty
        row.figure(f"once {count:,} finished jobs are older than a week", "MB in all", [left / 1e6])
        queued = count // 10
        for _ in range(queued):
            ledger.submit(new_job_id(), spec)
        row.figure(f"{queued:,} queued jobs", "bytes/job", [(_used(ledger) - empty - left) / queued])
    row.judge("a finished job", [finished / count], "≤", 2_000, "bytes")
    row.judge("100,000 jobs of older weeks", [left / 1e6 * JOBS / count], "≤", 10, "MB")
    row.note(
        "Each job is submitted, claimed, reports progress, and is published; then Redis' `used_memory`. Its "
        "folder, which `quartet list` and `show` read once Redis has forgotten it, is not counted."
    )


def _finish_jobs(ledger: Ledger, spec: JobSpec, count: int) -> None:
    for _ in range(count):
        job_id = new_job_id()
        ledger.submit(job_id, spec)
        claim = ledger.claim(job_id, "worker@bench", os.getpid(), secrets.token_hex(8))
        assert claim is not None
        for epoch in range(3):
            ledger.progress(claim, {"epoch": epoch, "epochs": 5, "loss": 0.1})
        ledger.log_event(claim, "running on the CPU")
        ledger.finish(claim, "succeeded", finished=ledger.now(), folder=job_id, headline=HEADLINE)
        for name in ("short", "training"):
            ledger.redis.rpop(f"quartet.{name}\x06\x163")
        ledger.redis.delete(f"quartet:progress:{job_id}")  # it expires a minute after the end
        ledger.redis.hdel("quartet:changed", job_id)  # the sweeper has saved it


def _used(ledger: Ledger) -> int:
    return int(ledger.redis.info("memory")["used_memory"])


if __name__ == "__main__":
    run("ledger_memory", "Redis' memory", measure)
