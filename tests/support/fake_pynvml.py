"""A `pynvml` for machines without a GPU: what worker/engine/gpu/nvml.py uses of it, answered from variables.

FAKE_GPUS   one entry for each GPU: its slices (0: not partitioned, -1: cannot be), a colon, its load;
            "0:10,2:0" has two GPUs. Without the variable there is no driver at all
FAKE_ERROR  the code that nvmlInit fails with, such as 9, "driver not loaded"
FAKE_USE    a file with a line for each process that uses a GPU: the GPU's number, the process' id, megabytes, and
            `compute`, `graphics`, `both`, or `unlisted` for one of another container; `display` for a screen;
            `untold` where the driver lists no processes

Codes and texts: https://docs.nvidia.com/deploy/nvml-api/ and nvidia-ml-py.
"""

# ruff: noqa: N802, N801
import os
from types import SimpleNamespace
from typing import NamedTuple

NVML_DEVICE_MIG_ENABLE = 1
nvmlMemory_v2 = 0x2000028  # noqa: N816
MOST_SLICES = 7
TEXTS = {3: "Not Supported", 6: "Not Found", 9: "Driver Not Loaded", 12: "NVML Shared Library Not Found"}


class NVMLError(Exception):
    def __init__(self, code: int) -> None:
        self.value = code

    def __str__(self) -> str:
        return TEXTS.get(self.value, f"NVML Error with code {self.value}")


class NVMLError_NotSupported(NVMLError):
    def __init__(self) -> None:
        super().__init__(3)


class NVMLError_NotFound(NVMLError):
    def __init__(self) -> None:
        super().__init__(6)


class NVMLError_LibraryNotFound(NVMLError):
    def __init__(self) -> None:
        super().__init__(12)


class Device(NamedTuple):
    """A GPU, or one slice of it."""

    gpu: int
    slice: int | None = None


def _gpus() -> list[tuple[int, int]]:
    """(slices, load) of each GPU."""
    entries = (entry.split(":") for entry in os.environ["FAKE_GPUS"].split(",") if entry)
    return [(int(slices), int(load)) for slices, load in entries]


def nvmlInit() -> None:
    if "FAKE_GPUS" not in os.environ:
        raise NVMLError_LibraryNotFound
    if "FAKE_ERROR" in os.environ:
        raise NVMLError(int(os.environ["FAKE_ERROR"]))


def nvmlShutdown() -> None:
    pass


def nvmlSystemGetDriverVersion() -> str:
    return "999.1"


def nvmlDeviceGetCount() -> int:
    return len(_gpus())


def nvmlDeviceGetHandleByIndex(index: int) -> Device:
    return Device(index)


def nvmlDeviceGetMigMode(device: Device) -> list[int]:
    slices, _ = _gpus()[device.gpu]
    if slices < 0:
        raise NVMLError_NotSupported
    return [int(slices > 0)] * 2  # now, and after the next restart


def nvmlDeviceGetMaxMigDeviceCount(device: Device) -> int:  # noqa: ARG001
    return MOST_SLICES


def nvmlDeviceGetMigDeviceHandleByIndex(device: Device, index: int) -> Device:
    if index >= _gpus()[device.gpu][0]:
        raise NVMLError_NotFound
    return Device(device.gpu, index)


def nvmlDeviceGetName(device: Device) -> str:
    return "Fake GPU" if device.slice is None else "Fake GPU MIG 1g.10gb"


def nvmlDeviceGetUUID(device: Device) -> str:
    kind, number = ("GPU", 0) if device.slice is None else ("MIG", device.slice + 1)
    return f"{kind}-{device.gpu:08d}-0000-0000-0000-{number:012d}"


def nvmlDeviceGetMemoryInfo(device: Device, version: int | None = None) -> SimpleNamespace:
    total = 80_000_000_000 if device.slice is None else 10_000_000_000
    used = sum(megabytes for _, megabytes, _ in _use(device)) * 1_000_000
    # Only the second version tells what processes use from what the driver keeps.
    used += 0 if version == nvmlMemory_v2 else 1_000_000_000
    return SimpleNamespace(total=total, used=used, free=total - used)


def _use(device: Device) -> list[tuple[int, int, str]]:
    """(process, megabytes, kind) of each process that uses a GPU."""
    path = os.environ.get("FAKE_USE", "")
    if not os.path.exists(path):  # noqa: PTH110 - before pathlib is loaded
        return []
    with open(path) as file:  # noqa: PTH123
        lines = [line.split() for line in file]
    return [(int(pid), int(size), kind) for gpu, pid, size, kind in lines if int(gpu) == device.gpu]


def _processes(device: Device, kind: str) -> list[SimpleNamespace]:
    if any(each == "untold" for _, _, each in _use(device)):
        raise NVMLError_NotSupported
    return [
        SimpleNamespace(pid=pid, usedGpuMemory=size * 1_000_000)
        for pid, size, each in _use(device)
        if each in (kind, "both")
    ]


def nvmlDeviceGetComputeRunningProcesses(device: Device) -> list[SimpleNamespace]:
    return _processes(device, "compute")


def nvmlDeviceGetGraphicsRunningProcesses(device: Device) -> list[SimpleNamespace]:
    return _processes(device, "graphics")


def nvmlDeviceGetDisplayActive(device: Device) -> int:
    return int(any(kind == "display" for _, _, kind in _use(device)))


def nvmlDeviceGetUtilizationRates(device: Device) -> SimpleNamespace:
    if device.slice is not None:
        raise NVMLError_NotSupported
    return SimpleNamespace(gpu=_gpus()[device.gpu][1], memory=0)
