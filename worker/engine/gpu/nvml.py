"""The GPUs of this machine, as NVIDIA's management library (NVML) reports them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pynvml

from jobs.errors import MissingPart


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
    """

    index: str
    uuid: str
    gpu_uuid: str
    name: str
    memory_used: int
    memory_total: int
    load: int | None
    driver: str


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
    in it count only where there are more cards than it names.

    Args:
        found: the cards that NVML reports.
        environment: holds the two variables.
    """
    runtime = environment.get("NVIDIA_VISIBLE_DEVICES", "all")
    if runtime in ("none", "void", ""):
        return []
    entries = runtime.split(",")
    names_uuids = any(not entry.replace(":", "").isdigit() for entry in entries)
    if runtime != "all" and (names_uuids or len(found) > len(entries)):
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
        yield Card(str(index), uuid, uuid, name, memory.used, memory.total, _load(gpu), driver)
        return
    for number in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, number)
        except pynvml.NVMLError_NotFound:
            continue
        memory = pynvml.nvmlDeviceGetMemoryInfo(part)
        part_uuid, part_name = pynvml.nvmlDeviceGetUUID(part), pynvml.nvmlDeviceGetName(part)
        yield Card(f"{index}:{number}", part_uuid, uuid, part_name, memory.used, memory.total, None, driver)


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
