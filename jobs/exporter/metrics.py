"""Every metric: its name, what it says, and its values in a snapshot.

Names by https://prometheus.io/docs/practices/naming/. deploy/prometheus/ and deploy/grafana/ use them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.escape_control import escape_line
from jobs.exporter.snapshot import LiveWorker, Snapshot
from jobs.ledger.measured import Measured
from jobs.ledger.messages import QUEUES

LONGEST_LABEL = 200
"""In characters."""

Rows = Iterable[tuple[tuple[str, ...], float | None]]
"""The values of a metric's labels, and its value; None is no sample."""


def page(snapshot: Snapshot | None) -> bytes:
    """What a scrape is answered with, in Prometheus' text format.

    Args:
        snapshot: None where Redis does not answer.
    """
    registry = CollectorRegistry()
    registry.register(_Families(list(_families(snapshot))))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _families(snapshot: Snapshot | None) -> Iterator[Metric]:
    up = float(snapshot is not None)
    yield _gauge("up", "1 if Redis answers; otherwise 0, and nothing else is shown.", (), [((), up)])
    if snapshot is not None:
        yield from _of_jobs(snapshot.measured)
        yield from _of_workers(snapshot.workers)
        yield from _of_training(snapshot.measured)
        if snapshot.memory is not None:
            used, most = snapshot.memory
            yield _gauge("redis_memory_bytes", "Memory that Redis uses.", (), [((), used)])
            said = "Memory that Redis may use (maxmemory); 0: no limit is set."
            yield _gauge("redis_memory_max_bytes", said, (), [((), most)])


def _of_jobs(found: Measured) -> Iterator[Metric]:
    yield _gauge(
        "jobs",
        "Jobs that Redis knows. Published jobs leave it after QUARTET_HISTORY_DAYS.",
        ("state", "model", "action", "priority"),
        [(tuple(kind), count) for kind, count in found.jobs.items()],
    )
    yield _gauge(
        "open_jobs",
        "Jobs of a queue that are queued or running: how many workers would be busy.",
        ("queue",),
        [((queue,), count) for queue, count in found.open_jobs().items()],
    )
    lists = ("queue", "priority")
    yield _gauge(
        "queue_messages",
        "Messages that wait in Redis for a worker. A job that needs another one has none yet.",
        lists,
        [((each.queue, each.priority), each.messages) for each in found.waiting],
    )
    yield _gauge(
        "oldest_wait_seconds",
        "How long the first queued job has waited for a worker; 0: none waits.",
        lists,
        [((each.queue, each.priority), each.oldest) for each in found.waiting],
    )
    yield _gauge("declined_jobs", "Queued jobs that no live worker understands.", (), [((), found.declined)])
    yield _gauge("unpublished_jobs", "Ended jobs that have no folder yet.", (), [((), found.unpublished)])
    lost = CounterMetricFamily(
        "quartet_attempts_lost", "Attempts whose worker died, since Redis has its data.", labels=("reason",)
    )
    for reason, count in found.losses.items():
        lost.add_metric((reason,), count)
    yield lost


def _of_workers(workers: list[LiveWorker]) -> Iterator[Metric]:
    states = ("ready", "waiting")
    counts = Counter({(queue, state): 0 for queue in QUEUES for state in states})
    for worker in workers:
        for queue in [each for each in worker.queues if each in QUEUES] or ["unknown"]:
            counts[queue, states[worker.waits]] += 1
    yield _gauge(
        "workers",
        "Live workers that take jobs of a queue; one that takes both counts in both. "
        "Waiting: it takes none for now, as it lacks a GPU, room or its store.",
        ("queue", "state"),
        counts.items(),
    )
    yield _gauge(
        "store_free_bytes",
        "Free space on the volume of a worker's results folder.",
        ("worker",),
        [((worker.name,), worker.free_bytes) for worker in workers],
    )
    gpus = [((worker.name,), worker.gpu) for worker in workers if worker.gpu is not None]
    yield _gauge(
        "worker_gpu_utilisation_ratio",
        "Part of the last second in which a worker's GPU was busy, from 0 to 1.",
        ("worker",),
        [(labels, gpu.load) for labels, gpu in gpus],
    )
    yield _gauge(
        "worker_gpu_memory_bytes",
        "Memory in use on a worker's GPU, by whomever.",
        ("worker",),
        [(labels, gpu.used) for labels, gpu in gpus],
    )
    yield _gauge(
        "worker_gpu_memory_total_bytes",
        "Memory that a worker's GPU has.",
        ("worker",),
        [(labels, gpu.total) for labels, gpu in gpus],
    )


def _of_training(found: Measured) -> Iterator[Metric]:
    labels = ("worker", "model")
    yield _gauge(
        "worker_epoch_seconds",
        "Time of the last epoch of the training job that a worker runs, without compiling and measuring.",
        labels,
        [((pace.worker, pace.model), pace.epoch) for pace in found.paces],
    )
    yield _gauge(
        "worker_step_seconds",
        "Mean time of a step in the current epoch of the training job that a worker runs.",
        labels,
        [((pace.worker, pace.model), pace.step) for pace in found.paces],
    )


def _gauge(name: str, about: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    family = GaugeMetricFamily(f"quartet_{name}", about, labels=labels)
    samples = {tuple(map(_label, values)): number for values, number in rows if number is not None}
    for values, number in samples.items():  # each once: Prometheus refuses a page with two of the same labels
        family.add_metric(values, number)
    return family


def _label(text: str) -> str:
    return escape_line(text)[:LONGEST_LABEL]
