"""One GPU for each worker: taken before Celery's pool starts, described in every job's record."""

import ctypes
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jobs.settings import Settings
from worker import gpu_lock, nvml
from worker.loading import loaded

HELD_VARIABLE = "QUARTET_HELD_GPU"
"""Tells the pool's process, as JSON, which card its worker holds: name, UUID, driver, worker's pid."""

POLL_SECONDS = 1.0
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def take(settings: Settings, worker: str, waiting: Callable[[str], None]) -> gpu_lock.Hold | None:
    """Take the GPU that this worker will compute on, and show TensorFlow that one alone.

    Waits while all are held, and calls `waiting` each second with who holds them. Returns None where
    the worker computes on the processor: the setting says so, or there is no GPU, or none is left by
    the masks around us.

    Raises:
        MissingPart: NVIDIA's driver does not answer.
        InvalidSetting: no lock can be made in the setting `gpu_lock_dir`.
    """
    if settings.gpu == "none":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        return None
    folder = settings.gpu_lock_dir.absolute()
    hold_one = gpu_lock.hold_alone if settings.gpu == "exclusive" else gpu_lock.hold_shared
    while True:
        cards = nvml.visible(nvml.cards())
        if not cards:
            return None
        hold = hold_one(cards, folder, worker)
        if hold is not None:
            break
        waiting(_all_held(cards, folder))
        time.sleep(POLL_SECONDS)
    card = hold.card
    os.environ["CUDA_VISIBLE_DEVICES"] = card.uuid
    held = {"name": card.name, "uuid": card.uuid, "driver": card.driver, "pid": os.getpid()}
    os.environ[HELD_VARIABLE] = json.dumps(held)
    return hold


def _all_held(cards: list[nvml.Card], folder: Path) -> str:
    """`all 2 GPUs are held, by worker@a and worker@b`."""
    names = [str(holder["worker"]) for card in cards for holder in gpu_lock.holders(card, folder)]
    count = "the only GPU is" if len(cards) == 1 else f"all {len(cards)} GPUs are"
    return f"{count} held" + (f", by {' and '.join(sorted(names))}" if names else "")


def end_with_worker() -> None:
    """In the pool's process: end when the worker's main process ends, for that holds the GPU's lock.

    Otherwise a job whose worker was killed would go on computing on a card that counts as free.
    """
    if HELD_VARIABLE not in os.environ or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != json.loads(os.environ[HELD_VARIABLE])["pid"]:
        os._exit(1)  # it ended before we asked


def prepare() -> None:
    """Let TensorFlow take GPU memory as it needs it, not all of it at the start."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def describe() -> dict[str, Any]:
    """Kind and name of the device; nothing is loaded to find out, so `none` before TensorFlow is.

    A GPU that this worker holds comes with its UUID and driver; one that it holds and that TensorFlow
    cannot use is told as `unused_gpu`.
    """
    tensorflow = sys.modules.get("tensorflow") if loaded() else None
    if tensorflow is None:
        return {"kind": "none", "name": "no computation was started"}
    held: dict[str, Any] = json.loads(os.environ.get(HELD_VARIABLE, "{}"))
    held.pop("pid", None)
    gpus = tensorflow.config.list_physical_devices("GPU")
    if gpus:
        details = tensorflow.config.experimental.get_device_details(gpus[0])
        return {"kind": "gpu", "name": str(details.get("device_name", gpus[0].name))} | held
    processor = {"kind": "cpu", "name": processor_name()}
    return processor | {"unused_gpu": held} if held else processor


@cache
def processor_name() -> str:
    """The processor's name as the system gives it."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
