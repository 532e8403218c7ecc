"""A stand-in for workers: it ends a sweep's jobs at once, with folders as a worker writes them."""

import json
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from jobs.claim import Claim
from jobs.client import Client
from jobs.ledger.job_record import Record
from jobs.store.job_folder import CHECKPOINT
from jobs.sweeps.advance import Advancer
from jobs.sweeps.distributions import Distribution, Point
from jobs.sweeps.sweep_spec import SweepSpec
from worker.engine.job_json import job_json

Value = Callable[[Point], float | None]
"""A point -> what its trials come to; None for trials that fail."""


def bowl(point: Point) -> float:
    """Smallest at a learning rate of 0.01."""
    return abs(float(point.get("learning_rate", 0.01)) - 0.01)  # type: ignore[arg-type]


def sweep_of(name: str = "bowl", method: Any = "grid", **fields: Any) -> SweepSpec:
    """A sweep over three learning rates, complete in all else."""
    rates = Distribution(distribution="categorical", values=(0.001, 0.01, 0.1))
    goal = {"name": "validation_bce", "goal": "minimize"}
    given = {"name": name, "model": "autoencoder", "data": "digits", "method": method, "metric": goal}
    given["parameters"] = {"learning_rate": rates, "epochs": Distribution.model_validate(CONSTANT)}
    return SweepSpec.model_validate({**given, **fields})


CONSTANT = {"distribution": "constant", "values": (2,)}
RATES = {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1}


class StandIn:
    """Claims jobs and ends them, and advances the sweeps as a worker's main process does.

    Attributes:
        value: what trials come to.
        data: what jobs read, as `job.json` has it.
    """

    def __init__(self, client: Client, value: Value = bowl) -> None:
        self.client, self.value = client, value
        self.data: dict[str, Any] = {}
        self.advancer = Advancer(client.ledger, client.results)

    def advance(self) -> None:
        self.advancer.advance_all()

    def run(self, most_rounds: int = 300) -> None:
        """Advance and end jobs, until no sweep runs."""
        for _ in range(most_rounds):
            self.advance()
            if "running" not in self.client.ledger.sweep_states().values():
                return
            self.end_queued()
        raise AssertionError("a sweep does not end")

    def end_queued(self) -> None:
        for job_id in sorted(self.client.ledger.ids("queued")):
            self.end(job_id)

    def claim(self, job_id: str) -> Claim:
        claim = self.client.ledger.claim(job_id, "w1@host", 7, secrets.token_hex(8))
        assert claim is not None
        return claim

    def end(self, job_id: str, claim: Claim | None = None) -> None:
        """End a job as a worker does: a folder, then the ledger."""
        claim = claim or self.claim(job_id)
        record = self.client.ledger.record(job_id)
        assert record is not None
        value = self.value(_point_of(record))
        state, error = ("failed", "no luck") if value is None else ("succeeded", None)
        metrics = {} if value is None else {"validation_bce": value}
        folder = self.client.results.stage(claim)
        (folder / "metrics.json").write_text(json.dumps(metrics))
        (folder / "history.csv").write_text(_history(value or 0.0, record))
        (folder / CHECKPOINT).write_bytes(b"weights")
        finished = self.client.ledger.now()
        about = job_json(
            record, state=state, attempt=1, finished=finished, timeline=[], data=self.data,
            notes=[],
            error=error,
        )  # fmt: skip
        (folder / "job.json").write_text(json.dumps(about))
        self.client.results.publish(claim, 0o022)
        self.client.ledger.finish(claim, state, finished=finished, error=error, folder=job_id)  # type: ignore[arg-type]


def _point_of(record: Record) -> Point:
    assert record.sweep is not None
    return dict(record.sweep["entry"]["point"])


def _history(value: float, record: Record) -> str:
    epochs: Iterable[int] = range(1, int(record.stored.parameters.get("epochs", 2)) + 1)
    rows = [f"{epoch},{value},{value}" for epoch in epochs]
    return "\n".join(["epoch,loss,validation_loss", *rows]) + "\n"
