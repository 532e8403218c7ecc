"""What deploy/kubernetes/ renders to: it fits the schemas, and has compose's limits and Quartet's settings."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from jobs.errors import InvalidSetting
from jobs.local.processes import SHUTDOWN_SECONDS
from jobs.settings import Settings
from tests.deploy.checks import check_schema, check_settings
from tests.deploy.rendering import OVERLAYS, ROOT, Object, of_kind, overlay, pods, rendered, settings
from tests.support.readme import blocks

each_overlay = pytest.mark.parametrize("name", OVERLAYS)


@pytest.fixture(scope="module")
def compose() -> Any:
    """The services of docker-compose.yml, each `${NAME:-default}` replaced by its default."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return YAML(typ="safe", pure=True).load(re.sub(r"\$\{\w+:[-?]([^}]*)\}", r"\1", text))["services"]


def test_every_overlay_fits_the_schemas_of_kubernetes_and_keda() -> None:
    assert OVERLAYS == ("cpu", "gpu", "keda")
    seen: list[Object] = []
    for name in OVERLAYS:
        seen += [each for each in overlay(name) if each not in seen]
    check_schema(seen)
    assert {each["metadata"].get("namespace", each["kind"]) for each in seen} == {"quartet", "Namespace"}


@pytest.mark.parametrize(("kind", "field"), [("StatefulSet", "replica"), ("ScaledObject", "minReplicas")])
def test_a_field_that_does_not_exist_would_be_noticed(kind: str, field: str) -> None:
    [each, *_] = of_kind(overlay("keda"), kind).values()
    with pytest.raises(jsonschema.ValidationError, match=field):
        check_schema([each | {"spec": each["spec"] | {field: 1}}])


@pytest.mark.parametrize(("number", "redis_inside", "disk"), [
    (0, True, {"emptyDir": {}}),
    (1, False, {"persistentVolumeClaim": {"claimName": "results"}}),
])  # fmt: skip
def test_what_the_page_shows_renders(number: int, redis_inside: bool, disk: Object, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    text = [text for kind, text in blocks(page) if kind == "yaml"][number]
    (tmp_path / "quartet").symlink_to(ROOT)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "kustomization.yaml").write_text(text, encoding="utf-8")
    objects = rendered(tmp_path / "site")
    unlike = [each for each in objects if each not in overlay("gpu")]
    check_schema(unlike)
    check_settings(settings(objects))
    assert ("redis" in of_kind(objects, "StatefulSet")) is redis_inside
    found = dict(pods(objects))
    for workload in ("worker-training", "worker-short", "exporter"):
        [container] = found[workload]["spec"]["containers"]
        assert re.fullmatch(r"registry.example/quartet-\w+:1\S*", container["image"])
    for workload in ("worker-training", "worker-short"):
        volumes = found[workload]["spec"]["volumes"]
        assert [each for each in volumes if each["name"] == "results"] == [{"name": "results"} | disk]


@each_overlay
def test_the_limits_are_those_of_compose(name: str, compose: Any) -> None:
    found = dict(pods(overlay(name)))
    services = {
        "worker-training": "worker",
        "worker-short": "worker-cpu",
        "exporter": "exporter",
        "redis": "redis",
    }
    for workload, service in services.items():
        [container] = found[workload]["spec"]["containers"]
        memory = container["resources"]["limits"]["memory"]
        assert memory.removesuffix("i").lower() == compose[service]["mem_limit"], workload
        if "stop_grace_period" in compose[service]:
            seconds = found[workload]["spec"]["terminationGracePeriodSeconds"]
            assert f"{seconds}s" == compose[service]["stop_grace_period"], workload
    training = found["worker-training"]["spec"]["terminationGracePeriodSeconds"]
    assert training >= Settings.defaults().stop_grace_seconds + SHUTDOWN_SECONDS
    assert found["worker-training"]["spec"]["shareProcessNamespace"] is compose["worker"]["init"] is True


def test_redis_starts_and_is_asked_as_in_compose(compose: Any) -> None:
    def words(script: str) -> list[str]:
        return [line.strip() for line in script.splitlines() if not line.lstrip().startswith("#")]

    [script] = [
        each["data"]["start.sh"]
        for each in of_kind(overlay("cpu"), "ConfigMap").values()
        if "start.sh" in each["data"]
    ]
    assert words(script) == words(compose["redis"]["entrypoint"][-1].replace("$$", "$"))
    redis = dict(pods(overlay("cpu")))["redis"]["spec"]
    [container] = redis["containers"]
    assert container["image"] == compose["redis"]["image"]
    user = redis["securityContext"]
    assert f"{user['runAsUser']}:{user['runAsGroup']}" == compose["redis"]["user"]
    asked = compose["redis"]["healthcheck"]["test"][-1].replace("$$", "$")
    assert container["readinessProbe"]["exec"]["command"] == ["sh", "-c", asked]


@each_overlay
def test_settings_exist_and_no_store_is_refused_with_a_sentence(name: str) -> None:
    given = settings(overlay(name))
    with pytest.raises(InvalidSetting, match=r"QUARTET_STORE: expected s3://.* got 'SET-ME'"):
        check_settings(given)
    check_settings(given | {"QUARTET_STORE": "s3://bucket/prefix"})
    for _, template in pods(overlay(name)):
        [container] = template["spec"]["containers"]
        check_settings({each["name"]: each["value"] for each in container.get("env", ())})


def test_the_page_restarts_all_that_reads_a_secret_when_it_changes() -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    [restarted] = re.findall(r"secret needs `kubectl -n quartet rollout restart (\S+)`", page)
    reading = {
        each["kind"].lower()
        for each in overlay("cpu")
        if any("secret" in volume for volume in _pod(each).get("volumes", ()))
    }
    assert set(restarted.split(",")) == reading == {"deployment", "statefulset"}


def _pod(each: Object) -> Object:
    template: Object = each.get("spec", {}).get("template", {})
    pod: Object = template.get("spec", {})
    return pod


def test_training_gets_a_gpu_and_short_jobs_get_none() -> None:
    found = {name: dict(pods(overlay(name))) for name in OVERLAYS}
    for name, workloads in found.items():
        for queue in ("training", "short"):
            [container] = workloads[f"worker-{queue}"]["spec"]["containers"]
            gpu = name != "cpu" and queue == "training"
            assert container["args"] == ["quartet-worker", "--queues", queue]
            assert container["image"] == f"quartet-worker-{'cuda' if gpu else 'cpu'}"
            assert container["resources"]["limits"].get("nvidia.com/gpu") == (1 if gpu else None)
            assert container["env"] == [{"name": "QUARTET_GPU", "value": "exclusive" if gpu else "none"}]
