"""Folders of jobs to compare: a sweep's, with curves and a result that depends on two of its parameters."""

import json
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.client import Client
from jobs.comparison.selection import Selection
from jobs.ledger.sweep_record import SweepRecord, description
from jobs.settings import read_settings
from jobs.sweeps.entry import Entry
from jobs.sweeps.sweep_spec import SweepSpec
from tests.support.report_folders import job_record, write_folder

GOAL = "validation_bce"


def id_of(number: int) -> str:
    return f"20261126-{number // 3600:02d}{number // 60 % 60:02d}{number % 60:02d}-042-k7qd"


def write_run(
    root: Path,
    number: int,
    parameters: Mapping[str, Any],
    *,
    loss: float | None = 0.1,
    seed: int = 0,
    epochs: int = 12,
    state: str = "succeeded",
    files: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    **changes: Any,
) -> str:
    """A training job of the autoencoder; its curve falls to `loss`. With None it has no number."""
    spec = {
        "model": "autoencoder",
        "action": "train",
        "parameters": {"epochs": epochs, **parameters},
        "data": "digits",
        "seed": seed,
    } | {name: changes.pop(name) for name in ("name", "model", "action", "from") if name in changes}
    record = job_record(spec, job_id=id_of(number), state=state, **changes)
    values = {} if loss is None else {GOAL: loss, "training_bce": loss * 0.9, "baseline_validation_bce": 0.26}
    written = {"report.html": "<!doctype html><title>a report</title>", **(files or {})}
    if loss is not None:
        start = 0.7
        rows = [
            (epoch, loss + (start - loss) * math.exp(-4 * epoch / epochs)) for epoch in range(1, epochs + 1)
        ]
        lines = [f"{epoch},{0.9 * value},{value}" for epoch, value in rows]
        written["history.csv"] = "\n".join(["epoch,loss,validation_loss", *lines])
    values |= dict(metrics or {})
    if values:
        written["metrics.json"] = json.dumps(values)
    write_folder(root, record, written)
    return id_of(number)


def write_sweep(
    root: Path,
    points: int,
    *,
    seeds: Sequence[int] = (0,),
    epochs: int = 12,
    failed: Sequence[int] = (),
    missing: Sequence[int] = (),
    state: Any = "ended",
) -> SweepRecord:
    """A sweep over four parameters; the loss is lowest near a learning rate of 2e-3 and with batches of 64."""
    spec = SweepSpec.parse(
        {
            "name": "rates",
            "model": "autoencoder",
            "method": "random",
            "metric": {"name": GOAL, "goal": "minimize"},
            "parameters": {
                "learning_rate": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1},
                "batch_size": {"distribution": "categorical", "values": [32, 64, 128, 256]},
                "noise": {"distribution": "uniform", "min": 0.0, "max": 0.5},
                "activation": {"distribution": "categorical", "values": ["relu", "tanh", "gelu"]},
                "epochs": {"distribution": "constant", "values": [epochs]},
            },
            "seeds": list(seeds),
            "run_cap": max(1, points * len(seeds)),
        }
    )
    rng = random.Random(1)
    entries = []
    for trial in range(points * len(seeds)):
        seed = seeds[trial % len(seeds)]
        if trial % len(seeds) == 0:
            point = {
                "learning_rate": 10 ** rng.uniform(-4, -1),
                "batch_size": rng.choice([32, 64, 128, 256]),
                "noise": rng.uniform(0, 0.5),
                "activation": rng.choice(["relu", "tanh", "gelu"]),
            }
        distance = abs(math.log10(point["learning_rate"]) - math.log10(2e-3))
        loss = (
            0.09 + 0.05 * distance**2 + 0.02 * abs(math.log2(point["batch_size"] / 64)) + rng.gauss(0, 0.004)
        )
        if trial not in missing:
            is_failed = trial in failed
            write_run(
                root, trial, point, loss=None if is_failed else loss, seed=seed, epochs=epochs,
                state="failed" if is_failed else "succeeded",
                error="out of memory" if is_failed else None,
            )  # fmt: skip
        entries.append(Entry(trial, 0, None, id_of(trial), dict(point), seed))
    return SweepRecord(
        name=spec.name,
        described=description(spec),
        state=state,
        created=1,
        ended=None if state == "running" else 2,
        why="" if state == "running" else f"all {len(entries)} trials have ended",
        changes=1,
        saved=1,
        entries=tuple(entries),
    )


def selected(root: Path, ids: Sequence[str]) -> Selection:
    """The jobs of these ids in a results folder, which nothing but the folder knows."""
    client = Client(read_settings(results_dir=root, redis_url=None), redis_is_optional=True)
    return client.compare(*ids).selection
