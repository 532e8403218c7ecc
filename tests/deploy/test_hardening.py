"""Pods may do little, write to few places, and talk to few others; few of them are stopped at once."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rendering import OVERLAYS, ROOT, of_kind, overlay, pods, selects, settings

each_overlay = pytest.mark.parametrize("name", OVERLAYS)


@each_overlay
def test_pods_are_restricted_and_write_nowhere_but_in_volumes(name: str) -> None:
    [namespace] = of_kind(overlay(name), "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    found = dict(pods(overlay(name)))
    assert found.keys() == {"worker-training", "worker-short", "exporter", "redis"}
    for template in found.values():
        pod = template["spec"]
        user = pod["securityContext"]
        assert user["runAsNonRoot"] is True
        assert user["runAsUser"] >= 999
        assert user["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()
        kinds = {kind for volume in pod["volumes"] for kind in volume.keys() - {"name"}}
        assert kinds <= {"emptyDir", "configMap", "secret", "persistentVolumeClaim"}
        [container] = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert not any("hostPort" in port for port in container.get("ports", ()))
        assert all("value" in each for each in container.get("env", ())), "a password is a file"


@each_overlay
def test_workers_have_a_volume_for_each_folder_of_the_image(name: str) -> None:
    dockerfile = (ROOT / "Dockerfile.gpu").read_text(encoding="utf-8")
    folders = dict(re.findall(r"QUARTET_(\w+_DIR)=(\S+)", dockerfile))
    assert len(folders) == 4
    secret = settings(overlay(name))["QUARTET_REDIS_PASSWORD_FILE"]
    for workload, template in pods(overlay(name)):
        [container] = template["spec"]["containers"]
        mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert {"/tmp", secret} <= mounts, workload
        if workload.startswith("worker"):
            for folder in folders.values():
                assert any(Path(folder).is_relative_to(mount) for mount in mounts), folder


@each_overlay
def test_only_workers_and_exporter_reach_redis_and_nothing_else_is_open(name: str) -> None:
    policies = [each["spec"] for each in of_kind(overlay(name), "NetworkPolicy").values()]
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies
    found = {workload: template["metadata"]["labels"] for workload, template in pods(overlay(name))}

    def allowed(direction: str, workload: str) -> list[tuple[Any, set[Any]]]:
        """The other sides that a workload may talk to, each with its ports."""
        other = {"ingress": "from", "egress": "to"}[direction]
        return [
            (peer, {port["port"] for port in rule["ports"]})
            for policy in policies
            if selects(policy["podSelector"], found[workload])
            for rule in policy.get(direction, ())
            for peer in rule.get(other, [None])
        ]

    [(clients, ports)] = allowed("ingress", "redis")
    assert ports == {6379}
    assert [workload for workload, labels in found.items() if selects(clients["podSelector"], labels)] == [
        "exporter",
        "worker-short",
        "worker-training",
    ]
    for client in ("exporter", "worker-short", "worker-training"):
        assert any(
            peer
            and selects(peer.get("podSelector", {"matchLabels": {"no": "pod"}}), found["redis"])
            and ports == {6379}
            for peer, ports in allowed("egress", client)
        ), client
    for worker in ("worker-short", "worker-training"):
        assert allowed("ingress", worker) == []
        assert (None, {443}) in allowed("egress", worker)
    [(watchers, ports)] = allowed("ingress", "exporter")
    assert ports == {9468}
    assert selects(watchers["namespaceSelector"], {"kubernetes.io/metadata.name": "keda"})
    # Whoever leaves the cluster is a worker; everyone may ask for names.
    assert {frozenset(ports) for _, ports in allowed("egress", "exporter")} == {
        frozenset({53}),
        frozenset({6379}),
    }


@each_overlay
def test_an_eviction_or_an_upgrade_stops_one_worker_at_a_time(name: str) -> None:
    budgets = of_kind(overlay(name), "PodDisruptionBudget").values()
    for workload, deployment in of_kind(overlay(name), "Deployment").items():
        if workload.startswith("worker"):
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            picked = [each["spec"] for each in budgets if selects(each["spec"]["selector"], labels)]
            assert [each["maxUnavailable"] for each in picked] == [1], workload
            # Else no node could be drained while Redis is away, when no worker is ready.
            assert [each["unhealthyPodEvictionPolicy"] for each in picked] == ["AlwaysAllow"], workload
            assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
