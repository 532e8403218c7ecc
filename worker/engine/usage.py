"""What an attempt used of the machine: memory, CPU and GPU."""

import json
import os
import resource
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jobs.errors import MissingPart
from worker.engine.gpu import device, nvml
from worker.engine.startup import loaded

SAMPLE_SECONDS = 1.0
"""Between two looks at the GPU's load."""

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # see proc_pid_clear_refs(5)


class Usage:
    """Measures what this process uses within a `with` block.

    The process also ends the previous job meanwhile, and keeps what it has compiled.
    """

    def __enter__(self) -> Self:
        """Begin."""
        self._began, self._cpu = time.monotonic(), time.process_time()
        self._loads: list[int] = []
        self._over = threading.Event()
        with suppress(OSError):  # the system has no such file
            _RESET.write_text(_RESET_PEAK)
        held = os.environ.get(device.HELD_VARIABLE)
        if held is not None:
            watch = threading.Thread(target=self._watch, args=[json.loads(held)["uuid"]], name="GPU use")
            watch.daemon = True
            watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._over.set()
        seconds = max(time.monotonic() - self._began, 1e-3)
        self.measured: dict[str, Any] = {
            "peak_memory_bytes": _peak_memory(),
            "cpu_cores": round((time.process_time() - self._cpu) / seconds, 2),
            "cpu_cores_available": len(os.sched_getaffinity(0))
            if sys.platform == "linux"
            else os.cpu_count(),
        }
        if self._loads:
            self.measured["gpu_load_percent"] = round(sum(self._loads) / len(self._loads))
        peak = _gpu_peak()
        if peak is not None:
            self.measured["gpu_peak_memory_bytes"] = peak

    def _watch(self, uuid: str) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            try:
                self._loads += [
                    card.load for card in nvml.cards() if card.uuid == uuid and card.load is not None
                ]
            except MissingPart:  # the driver may answer again
                continue


def _peak_memory() -> int:
    """Bytes of this process in memory, at most, since `Usage` began; on other systems than Linux, ever."""
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _gpu_peak() -> int | None:
    """Bytes that TensorFlow held on the GPU, at most, since this was last asked; None where it uses none."""
    tensorflow: Any = sys.modules.get("tensorflow") if loaded() else None
    if tensorflow is None or not tensorflow.config.list_physical_devices("GPU"):
        return None
    device.prepare()  # a job may have failed before it touched the GPU
    peak = int(tensorflow.config.experimental.get_memory_info("GPU:0")["peak"])
    tensorflow.config.experimental.reset_memory_stats("GPU:0")
    return peak
