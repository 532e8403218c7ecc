"""KEDA's part: it scales by a number that the exporter gives, to zero, and not while that number is missing."""

import re
from urllib.parse import urlsplit

import pytest

from jobs.exporter.metrics import page
from jobs.exporter.snapshot import Snapshot
from jobs.ledger.measured import Kind, Measured
from tests.deploy.rendering import Object, of_kind, overlay
from tests.exporter.pages import samples

JOBS = {
    Kind("queued", "denoiser", "train", "normal"): 2,
    Kind("running", "denoiser", "train", "normal"): 3,
    Kind("waiting", "denoiser", "train", "normal"): 7,
    Kind("succeeded", "denoiser", "train", "normal"): 9,
    Kind("running", "denoiser", "evaluate", "normal"): 1,
}


@pytest.fixture(params=["training", "short"])
def scaled(request: pytest.FixtureRequest) -> tuple[str, Object]:
    spec: Object = of_kind(overlay("keda"), "ScaledObject")[f"worker-{request.param}"]["spec"]
    return request.param, spec


def test_it_reads_the_number_of_queued_and_running_jobs(scaled: tuple[str, Object]) -> None:
    queue, spec = scaled
    [trigger] = spec["triggers"]
    assert (trigger["metricType"], trigger["metadata"]["targetValue"]) == ("AverageValue", "1")
    assert trigger["metadata"]["format"] == "prometheus"
    selector = re.fullmatch(r'(\w+)\{(\w+)="(\w+)"\}', trigger["metadata"]["valueLocation"])
    assert selector is not None
    name, label, value = selector.groups()
    shown = samples(page(Snapshot(Measured(JOBS, {}, 0, 0, [], []), [], None)).decode())
    assert shown[name, frozenset({(label, value)})] == {"training": 5, "short": 1}[queue]
    # While Redis is away there is no number, an error for KEDA, which then changes nothing where no fallback is set.
    assert (name, frozenset({(label, value)})) not in samples(page(None).decode())
    assert "fallback" not in spec


def test_it_reads_it_from_the_exporters_service(scaled: tuple[str, Object]) -> None:
    [trigger] = scaled[1]["triggers"]
    address = urlsplit(trigger["metadata"]["url"])
    service = of_kind(overlay("keda"), "Service")["exporter"]
    assert address.hostname == f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    assert [address.port] == [port["port"] for port in service["spec"]["ports"]]
    assert (address.scheme, address.path) == ("http", "/metrics")
    labels = of_kind(overlay("keda"), "Deployment")["exporter"]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()


def test_training_scales_to_zero_and_one_worker_stays_for_sweeps(scaled: tuple[str, Object]) -> None:
    queue, spec = scaled
    assert spec["minReplicaCount"] == {"training": 0, "short": 1}[queue]
    assert spec["maxReplicaCount"] > 1
    target = of_kind(overlay("keda"), "Deployment")[spec["scaleTargetRef"]["name"]]
    assert target["spec"]["template"]["spec"]["containers"][0]["args"][-1] == queue
    assert "replicas" not in target["spec"], "`kubectl apply` would undo what KEDA did"
    down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 120}]
    # One worker ends before the next is chosen.
    assert (
        down["policies"][0]["periodSeconds"]
        > target["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    )
