"""One GPU for each worker: taken before Celery's pool starts, described in every job's record."""

import ctypes
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jobs.settings import Settings
from jobs.wording import alternatives
from worker.engine.gpu import locks, nvml, outsiders
from worker.engine.startup import loaded

HELD_VARIABLE = "QUARTET_HELD_GPU"
"""The card that the worker holds, as JSON for the pool's process: name, UUID, driver, the worker's pid."""

POLL_SECONDS = 1.0
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def take(settings: Settings, worker: str, on_wait: Callable[[str], None]) -> locks.Hold | None:
    """Take the GPU that this worker will run on, waiting for one if need be; hide all others from TensorFlow.

    Args:
        settings: of this worker; `gpu`, `gpu_others` and `gpu_lock_dir` are used.
        worker: the name of this worker.
        on_wait: called every second while all are held or used, with who holds or uses them.

    Returns:
        The card, held until this process ends. None where the worker runs on the CPU: the setting says
        so, there is no GPU, or `CUDA_VISIBLE_DEVICES` and the like leave none.

    Raises:
        MissingPart: NVIDIA's driver does not answer.
        InvalidSetting: no lock can be made in the setting `gpu_lock_dir`.
    """
    if settings.gpu == "none":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        return None
    folder = settings.gpu_lock_dir.absolute()
    exclusive = settings.gpu == "exclusive"
    hold_one = locks.hold_alone if exclusive else locks.hold_shared
    while True:
        cards = nvml.visible(nvml.cards())
        if not cards:
            return None
        used = _used_outside(cards, folder) if exclusive and settings.gpu_others == "wait" else []
        left = [card for card in cards if card not in used]
        hold = hold_one(left, folder, worker)
        if hold is not None:
            break
        on_wait(_why_none(left, used, folder))
        time.sleep(POLL_SECONDS)
    card = hold.card
    os.environ["CUDA_VISIBLE_DEVICES"] = card.uuid
    held = {"name": card.name, "uuid": card.uuid, "driver": card.driver, "pid": os.getpid()}
    os.environ[HELD_VARIABLE] = json.dumps(held)
    return hold


def _used_outside(cards: list[nvml.Card], folder: Path) -> list[nvml.Card]:
    """The cards that are used although no worker holds them.

    What a worker left that ended a moment ago is gone by the next look.
    """
    return [card for card in cards if outsiders.is_used(card) and not locks.holders(card, folder)]


def _why_none(left: list[nvml.Card], used: list[nvml.Card], folder: Path) -> str:
    """`GPU 0 is used by process 4711, which is no worker of Quartet; the other GPU is held by worker@a`."""
    parts = [outsiders.in_words(card, card.processes) for card in used]
    names = [str(holder["worker"]) for card in left for holder in locks.holders(card, folder)]
    if used:
        count = "the other GPU is" if len(left) == 1 else f"the other {len(left)} GPUs are"
    else:
        count = "the only GPU is" if len(left) == 1 else f"all {len(left)} GPUs are"
    if left:
        by = f" by {alternatives(sorted(names), last='and')}" if names else ""
        parts.append(f"{count} held{by}")
    return "; ".join(parts)


def end_with_worker() -> None:
    """In the pool's process: end when the worker's main process ends, which holds the GPU's lock.

    Otherwise a job whose worker was killed would keep using a card that counts as free.
    """
    if HELD_VARIABLE not in os.environ or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != json.loads(os.environ[HELD_VARIABLE])["pid"]:
        os._exit(1)  # the main process ended before the signal was set


def prepare() -> None:
    """Let TensorFlow take GPU memory as it needs it, instead of all at once."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def of_worker() -> str:
    """The name of the GPU that this worker holds, else `CPU`."""
    held: dict[str, Any] = json.loads(os.environ.get(HELD_VARIABLE, "{}"))
    return str(held.get("name", "CPU"))


def of_worker_with_uuid() -> str:
    """`NVIDIA A100 (GPU-…)`, the GPU that this worker holds, else `none`."""
    held: dict[str, Any] = json.loads(os.environ.get(HELD_VARIABLE, "{}"))
    return f"{held['name']} ({held['uuid']})" if held else "none"


def describe() -> dict[str, Any]:
    """The device of this process' jobs; nothing is loaded to find out, so `none` before TensorFlow is.

    Returns:
        `kind` (`gpu`, `cpu` or `none`) and `name`. A GPU that this worker holds comes with its `uuid` and
        `driver`; one that it holds and TensorFlow cannot use is named as `unused_gpu`.
    """
    tensorflow = sys.modules.get("tensorflow") if loaded() else None
    if tensorflow is None:
        return {"kind": "none", "name": "none used"}
    held: dict[str, Any] = json.loads(os.environ.get(HELD_VARIABLE, "{}"))
    held.pop("pid", None)
    gpus = tensorflow.config.list_physical_devices("GPU")
    if gpus:
        details = tensorflow.config.experimental.get_device_details(gpus[0])
        return {"kind": "gpu", "name": str(details.get("device_name", gpus[0].name))} | held
    cpu = {"kind": "cpu", "name": cpu_name()}
    return cpu | {"unused_gpu": held} if held else cpu


def in_words(device: Mapping[str, Any]) -> str:
    """`the GPU NVIDIA A100`.

    Args:
        device: what `describe` returned once TensorFlow was loaded.
    """
    return f"the {'GPU' if device['kind'] == 'gpu' else 'CPU'} {device['name']}"


@cache
def cpu_name() -> str:
    """The CPU's name as the system gives it."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
