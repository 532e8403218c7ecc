"""What the kubelet asks: commands and addresses that exist, and no restart of a worker whose Redis is away."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.cli.exporter import exporter_command
from tests.deploy.rendering import OVERLAYS, overlay, pods
from worker.health import state_file


@pytest.mark.parametrize(
    ("redis_silent", "loop_silent", "alive", "ready"),
    [(0, 0, True, True), (300, 0, True, False), (0, 300, False, False)],
    ids=["well", "Redis is away", "stuck"],
)
def test_a_worker_is_restarted_when_it_is_stuck_and_not_when_redis_is_away(
    tmp_path: Path, redis_silent: float, loop_silent: float, alive: bool, ready: bool
) -> None:
    now = time.monotonic()
    state = {"pid": os.getpid(), "folder": "", "waits": "", "stopping": False}
    state |= {"alive": now, "redis": now - redis_silent, "loop": now - loop_silent}
    path = state_file(tmp_path, f"worker@{os.uname().nodename}")
    path.parent.mkdir()
    path.write_text(json.dumps(state))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "QUARTET_STATE_DIR": str(tmp_path)}
    for name in ("worker-training", "worker-short"):
        [container] = dict(pods(overlay("gpu")))[name]["spec"]["containers"]
        assert container["startupProbe"]["exec"] == container["livenessProbe"]["exec"]
    for probe, passes in (("livenessProbe", alive), ("readinessProbe", ready)):
        command = container[probe]["exec"]["command"]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode == 0) is passes, done.stderr


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_exporter_is_asked_where_it_listens_for_what_needs_no_redis(name: str) -> None:
    [container] = dict(pods(overlay(name)))["exporter"]["spec"]["containers"]
    [port] = [each.default for each in exporter_command.params if each.name == "port"]
    assert container["ports"] == [{"name": "metrics", "containerPort": int(port)}]
    assert container["args"] == ["quartet", "exporter", "--host", "0.0.0.0"]
    for probe in ("livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/", "port": "metrics"}
