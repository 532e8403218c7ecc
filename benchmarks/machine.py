"""The machine: what it is, which versions it runs, and how fast it multiplies matrices right now.

Run: `python -m benchmarks.machine`.
"""

import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from worker.gpu import processor_name

PACKAGES = ("tensorflow", "keras", "numpy", "celery", "redis", "torch")

GEMM_SIDE = 1_536
GEMV_SHAPE = (256, 512)
"""Half a megabyte: lies in a core's cache, as the weights of the character model do."""


@dataclass(frozen=True)
class Machine:
    """Where and when a row was measured.

    Attributes:
        processor: its name.
        cores: processors this process may use.
        versions: of Python and the packages that matter; empty for one that is not installed.
        gemm_gflops: float32 products of two matrices on all cores, in 10⁹ floating-point operations a second.
        gemm_gflops_core: the same on one core.
        gemv_gflops_core: float32 products of a vector and a matrix that lies in the cache, on one core.
        load: processes that wanted a core in the minute before: the row before this one makes two of them.
        gpu: the names of its NVIDIA GPUs, empty if there is none.
    """

    processor: str
    cores: int
    system: str
    versions: dict[str, str]
    gemm_gflops: float
    gemm_gflops_core: float
    gemv_gflops_core: float
    load: float
    gpu: str = ""


def measured() -> Machine:
    """Describe the machine and measure its rates, in about five seconds."""
    load = round(os.getloadavg()[0], 2)
    core = _gemm_gflops(1)
    return Machine(
        processor=processor_name(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        versions={"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        load=load,
        # Where others take the cores, two threads may be slower than one, which is no limit of the machine.
        gemm_gflops=max(core, _gemm_gflops(None)),
        gemm_gflops_core=core,
        gemv_gflops_core=_gemv_gflops(),
        gpu=_gpus(),
    )


def peak_memory_mb() -> float:
    """The most memory this process held at once, in 10⁶ bytes.

    Not `ru_maxrss` where it can be helped: on Linux that begins with the memory of the process that
    started this one.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e6


def _gpus() -> str:
    try:
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        return ", ".join(
            subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        )
    except (OSError, subprocess.CalledProcessError):
        return ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _gemm_gflops(threads: int | None) -> float:
    left, right = np.random.default_rng(0).standard_normal((2, GEMM_SIDE, GEMM_SIDE), np.float32)
    result = np.empty_like(left)
    with threadpool_limits(threads):
        seconds = _shortest(lambda: np.matmul(left, right, out=result), 30)
    return 2 * GEMM_SIDE**3 / seconds / 1e9


def _gemv_gflops() -> float:
    rows, columns = GEMV_SHAPE
    vector = np.ones((1, rows), np.float32)
    matrix = np.ones(GEMV_SHAPE, np.float32)
    result = np.empty((1, columns), np.float32)
    count = 2_000

    def many() -> None:
        for _ in range(count):
            np.matmul(vector, matrix, out=result)

    with threadpool_limits(1):
        return count * 2 * rows * columns / _shortest(many, 8) / 1e9


def _shortest(work: Callable[[], object], runs: int) -> float:
    """The least disturbed of several runs: a limit is what the machine can do, not what it usually does."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times[1:])


if __name__ == "__main__":
    print(json.dumps(asdict(measured()), indent=2))
