"""`quartet doctor` finds what is wrong, suggests a fix, and never hangs."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from pydantic import SecretStr

from jobs.cli.doctor import (
    Check,
    data_checks,
    examine,
    gpu_checks,
    redis_checks,
    results_checks,
    tensorflow_checks,
)
from jobs.cli.tables import show_checks
from jobs.ledger.connection import connect
from jobs.ledger.ledger import Ledger
from jobs.local.redis_server import find_server
from jobs.settings import Settings
from tests.cli.program import QUARTET
from tests.support.processes import volume


def by_name(checks: Iterator[Check] | list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], str]]]:
    """Starts a real Redis on a port of its own, with these options; gives the process and its address."""
    started = []

    def start(*options: str, password: str = "") -> tuple[subprocess.Popen[bytes], str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [find_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
        if password:
            (tmp_path / "redis.conf").write_text(f"requirepass {password}\n")
            command.insert(1, str(tmp_path / "redis.conf"))
        process = subprocess.Popen([*command, "--save", "", *options], stdout=subprocess.DEVNULL)
        started.append(process)
        address = f"redis://{f':{password}@' if password else ''}127.0.0.1:{port}/0"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                connect(address).ping()
                return process, address
            except Exception:
                time.sleep(0.05)
        raise AssertionError("Redis did not start")

    yield start
    for process in started:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def at(settings: Settings, address: str) -> Settings:
    return settings.model_copy(update={"redis_url": SecretStr(address)})


def test_a_redis_that_keeps_its_jobs_and_has_a_worker_passes(settings: Settings, server: Callable) -> None:
    _, address = server(
        "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--maxmemory", "100mb", password="geheim"
    )
    Ledger(address).announce_worker("w1@here", {"quartet": version("quartet")}, 30)
    checks = by_name(redis_checks(at(settings, address)))
    assert [check.name for check in checks.values() if not check.passed] == []
    names = ["redis", "redis version", "append-only file", "eviction", "memory", "password", "rights"]
    assert list(checks) == [*names, "workers", "versions"]
    assert checks["rights"].finding == "all that a client needs"
    assert re.fullmatch(r"[0-9]%  ?of maxmemory, 105 MB, used", checks["memory"].finding)
    assert checks["workers"].finding == "w1@here"
    assert "geheim" not in str(checks)


def test_a_redis_that_forgets_evicts_and_lets_anyone_in_fails(settings: Settings, server: Callable) -> None:
    _, address = server("--appendonly", "no", "--maxmemory-policy", "allkeys-lru")
    Ledger(address).announce_worker("old@there", {"quartet": "0.0.1"}, 30)
    checks = by_name(redis_checks(at(settings, address)))
    wrong = {name: check for name, check in checks.items() if not check.passed}
    assert list(wrong) == ["append-only file", "eviction", "memory", "password", "versions"]
    assert "--appendonly yes" in wrong["append-only file"].fix
    assert wrong["eviction"].finding == "maxmemory-policy is allkeys-lru"
    assert "maxmemory is not set" in wrong["memory"].finding
    assert wrong["versions"].finding == f"client {version('quartet')}, old@there 0.0.1"
    assert all(check.fix for check in wrong.values())


def test_no_worker_fails(settings: Settings) -> None:
    checks = by_name(redis_checks(settings))
    assert (checks["workers"].passed, checks["workers"].finding) == (False, "none")
    assert "quartet up" in checks["workers"].fix


def test_a_redis_whose_owner_forbids_its_configuration_is_checked_all_the_same(
    settings: Settings, server: Callable
) -> None:
    _, address = server("--appendonly", "yes", "--rename-command", "CONFIG", "")
    checks = by_name(redis_checks(at(settings, address)))
    assert checks["append-only file"].passed


@pytest.mark.parametrize("given", ["", ":wrong@", "nobody:geheim@"])
def test_a_wrong_password_is_named_as_such_and_not_shown(
    settings: Settings, server: Callable, given: str
) -> None:
    _, address = server(password="geheim")
    wrong = address.replace(":geheim@", given)
    [check] = redis_checks(at(settings, wrong))
    assert not check.passed
    assert check.finding.endswith("does not accept the password")
    assert "geheim" not in check.finding
    assert "wrong" not in check.finding


@pytest.mark.chaos
@pytest.mark.parametrize("how", ["nobody listens", "frozen", "says nothing"])
def test_a_redis_that_does_not_answer_is_said_within_seconds(
    settings: Settings, server: Callable, how: str
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        if how == "frozen":
            process, address = server()
            process.send_signal(signal.SIGSTOP)
        elif how == "says nothing":
            silent.listen()
        began = time.monotonic()
        [check] = redis_checks(at(settings, address))
        assert time.monotonic() - began < 20
    assert not check.passed
    assert check.finding == f"Redis cannot be reached at {address}"
    assert "QUARTET_REDIS_URL" in check.fix


def test_a_results_folder_is_tried_and_left_as_it_was(settings: Settings) -> None:
    checks = by_name(results_checks(settings))
    assert [check.name for check in checks.values() if not check.passed] == []
    assert list(settings.results_dir.iterdir()) == []


def test_a_results_folder_that_is_a_file_fails(settings: Settings) -> None:
    settings.results_dir.write_text("")
    [check] = results_checks(settings)
    assert (check.passed, "QUARTET_RESULTS_DIR" in check.fix) == (False, True)


@pytest.mark.chaos
def test_a_results_volume_that_is_read_only_or_small_fails(settings: Settings) -> None:
    with volume(settings.results_dir, "size=8m"):
        small = by_name(results_checks(settings.model_copy(update={"min_free_gb": 1.0})))
        assert (small["free space"].passed, small["free space"].finding) == (False, "0.0 GB")
        subprocess.run(["mount", "-o", "remount,ro", str(settings.results_dir)], check=True)
        [check] = results_checks(settings)
        assert check.finding == f"{settings.results_dir}: Read-only file system"


def nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A driver that we do not have: only its program's answer is made up."""
    folder.mkdir()
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("script", "cuda", "seen", "wrong", "said"),
    [
        ("echo 550.54.15", "12.5.1", ["NVIDIA H100"], [], "550.54.15; CUDA 12.5.1 needs 525 or newer"),
        ("echo 470.82.01", "12.5.1", [], ["gpu driver", "gpu"], "470.82.01; CUDA 12.5.1 needs 525 or newer"),
        ("echo 550.54.15", "13.0", [], ["gpu driver", "gpu"], "550.54.15; CUDA 13.0 needs 580 or newer"),
        ("echo 550.54.15", "", [], ["gpu"], "550.54.15"),
        (
            "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18",
            "12.5.1",
            [],
            ["gpu driver"],
            "nvidia-smi reports no driver version: "
            "Failed to initialize NVML: Driver/library version mismatch",
        ),
    ],
)
def test_driver_and_cuda_must_fit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    cuda: str,
    seen: list[str],
    wrong: list[str],
    said: str,
) -> None:
    nvidia_smi(tmp_path / "bin", monkeypatch, script)
    checks = by_name(gpu_checks(cuda, seen))
    assert [check.name for check in checks.values() if not check.passed] == wrong
    assert checks["gpu driver"].finding == said
    assert all(check.fix for check in checks.values() if not check.passed)


def test_tensorflow_is_loaded_only_on_request(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def pretend(command: list[str], _: float) -> subprocess.CompletedProcess[str]:
        loaded.append(command)
        return subprocess.CompletedProcess(
            command, 0, '{"version": "2.21", "cuda": "12.5.1", "gpus": []}', ""
        )

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("jobs.cli.doctor._output", pretend)
    check = by_name(examine(settings))["tensorflow"]
    assert (check.passed, loaded) == (True, [])
    assert check.finding == f"{version('tensorflow')}; `quartet doctor --tensorflow` loads it"
    check = by_name(examine(settings, load_tensorflow=True))["tensorflow"]
    assert check.finding == "2.21, built for CUDA 12.5.1"
    assert [command[0] for command in loaded] == [sys.executable]


def test_without_tensorflow_the_driver_is_checked_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi(tmp_path / "bin", monkeypatch, "echo 470.82.01")
    monkeypatch.setattr("jobs.cli.doctor._version", {"nvidia-cuda-runtime-cu12": "12.5.82"}.get)
    _, driver = tensorflow_checks(installed=True, load=False)
    assert (driver.passed, driver.finding) == (False, "470.82.01; CUDA 12.5.82 needs 525 or newer")


def test_a_driver_that_hangs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path / "bin", monkeypatch, "exec sleep 60")
    monkeypatch.setattr("jobs.cli.doctor.GPU_PATIENCE_SECONDS", 0.2)
    [check] = gpu_checks("12.5", [])
    assert check.finding.endswith("no answer within 0.2 s")


def test_data_that_are_not_there_are_named_and_only_damaged_ones_fail(settings: Settings) -> None:
    check = by_name(data_checks(settings))["data"]
    assert check.passed, "the first job that reads them downloads them"
    assert check.finding.endswith("; downloaded when first read: mnist, imdb, shakespeare")
    settings.data_dir.mkdir()
    (settings.data_dir / "shakespeare.txt").write_text("To be, or not to be.")
    (settings.data_dir / "aclImdb").mkdir()
    zipfile.ZipFile(settings.data_dir / "mnist.npz", "w").close()
    check = by_name(data_checks(settings))["data"]
    assert check.passed
    assert "; not as published: mnist: mnist.npz has only " in check.finding, "as `quartet data` says"
    (settings.data_dir / "mnist.npz").write_bytes(b"PK\x03\x04 and nothing more")
    check = by_name(data_checks(settings))["data"]
    assert not check.passed
    assert "damaged: mnist.npz" in check.finding
    assert check.fix == "remove the damaged files, then quartet data get mnist"


def test_a_long_finding_is_folded_beside_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("jobs.cli.tables.line_width", lambda: 60)
    show_checks([Check("data", True, "word " * 20)])
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("ok   data              word")
    assert others
    assert all(line.startswith(" " * 23 + "word") for line in others)
    assert all(len(line) <= 60 for line in (first, *others))


def doctor(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | settings.environment()
    return subprocess.run(
        [QUARTET, "doctor", *arguments], env=environment, capture_output=True, text=True, timeout=200
    )


@pytest.mark.chaos
def test_the_command_ends_with_0_only_if_every_check_passes(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "shakespeare.txt").write_text("To be, or not to be.")
    (settings.data_dir / "aclImdb").mkdir()
    zipfile.ZipFile(settings.data_dir / "mnist.npz", "w").close()
    Ledger(settings.redis_address()).announce_worker("w1@here", {"quartet": version("quartet")}, 120)
    Ledger(settings.redis_address()).redis.config_set("appendonly", "yes")
    try:
        well = doctor(settings, "--json")
        found = json.loads(well.stdout)
        assert [check["name"] for check in found if not check["passed"]] == []
        assert well.returncode == 0
        assert {"tensorflow", "gpu", "data", "free space", "eviction"} <= {check["name"] for check in found}
    finally:
        Ledger(settings.redis_address()).redis.config_set("appendonly", "no")
    broken = at(settings, "redis://:geheim@127.0.0.1:1/0")
    ill = doctor(broken)
    assert ill.returncode == 1
    assert ill.stderr == "quartet: failed checks: redis\n"
    line = next(line for line in ill.stdout.splitlines() if line.startswith("FAIL"))
    assert line == "FAIL redis             Redis cannot be reached at redis://:***@127.0.0.1:1/0"
    # The rest is looked at though one thing is broken.
    assert all(
        f"ok   {name}" in ill.stdout for name in ("results folder", "free space", "tensorflow", "data")
    )
    assert "geheim" not in ill.stdout + ill.stderr
