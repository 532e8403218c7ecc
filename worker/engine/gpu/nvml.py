"""The GPUs of this machine, as NVIDIA's management library (NVML) reports them."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pynvml

from jobs.errors import MissingPart

FIRST_NAMESPACE = 0xEFFFFFFC
"""PROC_PID_INIT_INO of Linux: the number of the namespace in which all processes have an id."""


@dataclass(frozen=True)
class Card:
    """One GPU, or one slice of a GPU that is partitioned (MIG).

    Attributes:
        index: `0`, or `0:1` for the second slice of the first GPU, in the order of the PCI bus.
        uuid: what `CUDA_VISIBLE_DEVICES` takes: `GPU-…`, or `MIG-…` for a slice.
        gpu_uuid: the UUID of the whole GPU; the same as `uuid` unless this is a slice.
        name: what NVIDIA calls it.
        memory_used, memory_total: in bytes.
        load: per cent of the last second in which it was busy; None where NVML does not report it.
        driver: version of NVIDIA's driver.
        processes: the ids of those that compute on it, of Quartet or not; not those that draw on a screen.
        unlisted_bytes: in use although no process is listed, as to a container those of others are not; 0
            where NVML does not tell, a screen may use them, or all processes are listed.
    """

    index: str
    uuid: str
    gpu_uuid: str
    name: str
    memory_used: int
    memory_total: int
    load: int | None
    driver: str
    processes: tuple[int, ...] = ()
    unlisted_bytes: int = 0


def cards() -> list[Card]:
    """Every GPU, or every slice of one, that this process may see; empty without an NVIDIA driver.

    Raises:
        MissingPart: there is a driver, but it does not answer.
    """
    try:
        with _library() as driver:
            return [card for index in range(pynvml.nvmlDeviceGetCount()) for card in _of_gpu(index, driver)]
    except pynvml.NVMLError_LibraryNotFound:
        return []
    except pynvml.NVMLError as error:
        raise MissingPart(
            f"NVIDIA's driver does not answer ({error})",
            hint="repair the driver, or set QUARTET_GPU=none to run on the CPU",
        ) from None


def visible(found: list[Card], environment: Mapping[str, str] = os.environ) -> list[Card]:
    """The cards of `found` that `CUDA_VISIBLE_DEVICES` and `NVIDIA_VISIBLE_DEVICES` leave visible.

    NVIDIA's container runtime has already applied its own variable, and renumbered what it left: numbers
    in it count only where there are more cards than it names. Empty and `void` tell that runtime to do
    nothing: what a container has then, it got by CDI, and may use. So it is with the name of a CDI device,
    and with the folder by which a container may get its cards.
    https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html

    Args:
        found: the cards that NVML reports.
        environment: holds the two variables.
    """
    runtime = environment.get("NVIDIA_VISIBLE_DEVICES", "all")
    if runtime == "none":
        return []
    entries = runtime.split(",")
    names_uuids = any(not entry.replace(":", "").isdigit() for entry in entries)
    lists_cards = runtime not in ("all", "void", "") and "=" not in runtime and not runtime.startswith("/")
    if lists_cards and (names_uuids or len(found) > len(entries)):
        found = _chosen(found, entries)
    mask = environment.get("CUDA_VISIBLE_DEVICES")
    return found if mask is None else _chosen(found, mask.split(","))


def _chosen(found: list[Card], entries: list[str]) -> list[Card]:
    """The cards in a list as CUDA reads it: numbers, UUIDs or their prefixes, up to the first wrong entry.

    https://docs.nvidia.com/cuda/cuda-programming-guide/05-appendices/environment-variables.html
    """
    chosen: list[Card] = []
    for entry in (text.strip() for text in entries):
        named = [card for card in found if entry and _is_named(card, entry)]
        if not named:
            break
        chosen += [card for card in named if card not in chosen]
    return chosen


def _is_named(card: Card, entry: str) -> bool:
    if entry.replace(":", "").isdigit():
        return entry in (card.index, card.index.partition(":")[0])
    return card.uuid.startswith(entry) or card.gpu_uuid.startswith(entry)


@contextmanager
def _library() -> Iterator[str]:
    pynvml.nvmlInit()
    try:
        yield pynvml.nvmlSystemGetDriverVersion()
    finally:
        pynvml.nvmlShutdown()


def _of_gpu(index: int, driver: str) -> Iterator[Card]:
    gpu = pynvml.nvmlDeviceGetHandleByIndex(index)
    name, uuid = pynvml.nvmlDeviceGetName(gpu), pynvml.nvmlDeviceGetUUID(gpu)
    if not _is_sliced(gpu):
        memory = pynvml.nvmlDeviceGetMemoryInfo(gpu)
        use = _use(gpu, gpu)
        yield Card(str(index), uuid, uuid, name, memory.used, memory.total, _load(gpu), driver, *use)
        return
    for number in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, number)
        except pynvml.NVMLError_NotFound:
            continue
        memory = pynvml.nvmlDeviceGetMemoryInfo(part)
        part_uuid, part_name = pynvml.nvmlDeviceGetUUID(part), pynvml.nvmlDeviceGetName(part)
        about = part_name, memory.used, memory.total, None, driver, *_use(part, gpu)
        yield Card(f"{index}:{number}", part_uuid, uuid, *about)


def _is_sliced(gpu: Any) -> bool:
    try:
        return bool(pynvml.nvmlDeviceGetMigMode(gpu)[0] == pynvml.NVML_DEVICE_MIG_ENABLE)
    except pynvml.NVMLError_NotSupported:
        return False


def _load(gpu: Any) -> int | None:
    try:
        return int(pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu)
    except pynvml.NVMLError_NotSupported:
        return None


def _use(device: Any, gpu: Any) -> tuple[tuple[int, ...], int]:
    """The processes that compute on a device, and the bytes in use if none is listed.

    Args:
        device: the GPU, or a slice of it.
        gpu: the GPU.
    """
    computing = _listed(pynvml.nvmlDeviceGetComputeRunningProcesses, device)
    # One that does both is a screen's: a display server, a browser.
    drawing = _listed(pynvml.nvmlDeviceGetGraphicsRunningProcesses, gpu)
    if computing is None or computing or drawing:
        found = sorted({*(computing or ())} - {*(drawing or ())})
        return tuple(process for process in found if _counts(process)), 0
    try:
        if _sees_all_processes() or pynvml.nvmlDeviceGetDisplayActive(gpu):
            return (), 0
        return (), pynvml.nvmlDeviceGetMemoryInfo(device, version=pynvml.nvmlMemory_v2).used
    except pynvml.NVMLError:  # an old driver, or it is not told
        return (), 0


def _listed(query: Callable[[Any], list[Any]], device: Any) -> list[int] | None:
    """The ids of the processes of a device; None where NVML does not list them."""
    try:
        return [process.pid for process in query(device)]
    except pynvml.NVMLError:  # a slice, Windows' subsystem for Linux, a virtual GPU
        return None


def _sees_all_processes() -> bool:
    """Whether this process is in the system's first namespace of process ids, not in a container's."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino == FIRST_NAMESPACE
    except OSError:
        return True


def _counts(process: int) -> bool:
    """Whether a listed process really computes: not one that has ended, nor NVIDIA's server of MPS."""
    try:
        # Its name is cut after 15 bytes, which may be within a character.
        name, _, state = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(") ")
    except OSError:  # of another container, or it ends at this moment
        return True
    return state[:1] not in ("Z", "X") and not name.partition("(")[2].startswith("nvidia-cuda-mps")
