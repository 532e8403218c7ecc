"""The device a worker computes on."""

import platform
import sys
from pathlib import Path
from typing import Any


def prepare() -> None:
    """Let TensorFlow take GPU memory as it needs it, not all of it at the start."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def describe() -> dict[str, Any]:
    """Kind and name of the device; nothing is loaded to find out, so `none` before TensorFlow is."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return {"kind": "none", "name": "no computation was started"}
    gpus = tensorflow.config.list_physical_devices("GPU")
    if gpus:
        details = tensorflow.config.experimental.get_device_details(gpus[0])
        return {"kind": "gpu", "name": str(details.get("device_name", gpus[0].name))}
    return {"kind": "cpu", "name": processor_name()}


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
