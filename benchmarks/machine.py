"""The machine: what it is, which versions it runs, and how fast it multiplies matrices right now.

Run: `python -m benchmarks.machine`.
"""

import importlib.metadata
import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, replace

from benchmarks.products import RUNS
from benchmarks.sides import Side
from worker.engine.gpu.device import cpu_name
from worker.training.cpu_parallel import usable_processors

PACKAGES = ("tensorflow", "keras", "numpy", "celery", "redis", "torch")


@dataclass(frozen=True)
class Machine:
    """Where and when a row was measured.

    Attributes:
        processor: its name.
        cores: that this process may use.
        system: the operating system and the architecture.
        versions: of Python and the packages that matter; empty for one that is not installed.
        gemm_gflops: float32 products of two matrices on all cores, in 10⁹ floating-point operations a second.
        gemm_gflops_core: the same on one core.
        gemv_gflops_core: float32 products of a vector and a matrix that lies in the cache, on one core.
        load: processes that wanted a core in the minute before, those of the row before included.
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


def measured(runs: int = RUNS) -> Machine:
    """Describe the machine and measure its rates, in about ten seconds.

    Args:
        runs: of each measurement.
    """
    machine = described()
    with Side("benchmarks.products", runs=runs) as products:
        core, all_cores = (products.ask("gemm_gflops", threads=threads) for threads in (1, machine.cores))
        vector = products.ask("gemv_gflops")
    return replace(
        machine,
        # Where others take the cores, two threads may be slower than one, which is no limit of the machine.
        gemm_gflops=max(core, all_cores),
        gemm_gflops_core=core,
        gemv_gflops_core=vector,
    )


def described() -> Machine:
    """Describe the machine without measuring it. All rates are 1: short rows need no true ones."""
    return Machine(
        processor=cpu_name(),
        cores=usable_processors(),
        system=f"{platform.system()} {platform.machine()}",
        versions={"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        load=round(os.getloadavg()[0], 2),
        gemm_gflops=1.0,
        gemm_gflops_core=1.0,
        gemv_gflops_core=1.0,
        gpu=_gpus(),
    )


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


if __name__ == "__main__":
    print(json.dumps(asdict(measured()), indent=2))
