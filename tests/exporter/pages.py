"""A full page of metrics, and reading one."""

import json

from prometheus_client.parser import text_string_to_metric_families

from jobs.claim import Claim
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.spec import JobSpec

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

TRAIN = JobSpec.make("denoiser", "train", priority="high")
GPU = {"load": 37, "memory_used": 2_000_000_000, "memory_total": 80_000_000_000}


def fill(ledger: Ledger) -> Claim:
    """Have something to show for every metric: a running job, a queued one, and two workers."""
    ledger.submit(new_job_id(), TRAIN)
    claim = ledger.claim(ledger.ids("queued")[0], "w1@here", 1, "t")
    assert claim is not None
    ledger.progress(claim, {"epoch": 1, "epoch_seconds": 2.5, "step_seconds": 0.01})
    ledger.submit(new_job_id(), TRAIN)
    about = {"quartet": "1", "queues": "training", "free_bytes": "5000000000", "gpu": json.dumps(GPU)}
    ledger.announce_worker("w1@here", about, 60)
    ledger.announce_worker("w2@here", {"quartet": "1", "queues": "short,training", "waiting": "for room"}, 60)
    return claim


def samples(text: str) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation.endswith("."), family.name
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def value(found: Samples, name: str, **labels: str) -> float:
    return found[f"quartet_{name}", frozenset(labels.items())]
