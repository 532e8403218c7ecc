"""Lists where a job ran, with what code, and what it used of the machine, as `job.json` records them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.wording import size_text
from worker.report.formatting import number


@dataclass(frozen=True)
class Fact:
    """A line of the section on the environment; `detail` is secondary."""

    label: str
    value: str
    detail: str = ""


def shown_environment(job: Mapping[str, Any]) -> list[Fact]:
    """The device, what was used of it, the worker, the code and the versions.

    Args:
        job: the content of `job.json`; that of an earlier version has no `usage` and no `code`.
    """
    facts = [*_device(job["device"]), *_usage(job.get("usage") or {})]
    if job["worker"]:
        facts.append(Fact("worker", job["worker"], f"attempt {job['attempt']}" if job["attempt"] else ""))
    code = job.get("code") or {}
    if code:
        what = "changes with the model's code, the training code, TensorFlow, Keras and NumPy"
        facts.append(Fact("code", str(code["checksum"]), f"a checksum: it {what}"))
    return facts + [Fact(name, version) for name, version in job["versions"].items()]


def _device(device: Mapping[str, Any]) -> Iterator[Fact]:
    yield Fact("device", device["name"], device["kind"] if device["kind"] != "none" else "")
    if "uuid" in device:
        yield Fact("GPU", device["uuid"], f"driver {device['driver']}")
    if "unused_gpu" in device:
        gpu = device["unused_gpu"]
        why = "allocated to the worker, but TensorFlow could not use it"
        yield Fact("GPU", f"{gpu['name']}, {gpu['uuid']}", why)


def _usage(usage: Mapping[str, Any]) -> Iterator[Fact]:
    if "peak_memory_bytes" in usage:
        yield Fact("memory", size_text(usage["peak_memory_bytes"]), "at most, of the worker's process")
    if "cpu_cores" in usage:
        available = usage.get("cpu_cores_available")
        of_how_many = f" of {available}" if available else ""
        yield Fact(
            "CPU use", f"{number(usage['cpu_cores'], 1)}{of_how_many} cores", "mean of the last attempt"
        )
    if "gpu_load_percent" in usage:
        yield Fact("GPU use", f"{usage['gpu_load_percent']} %", "of the time, mean of the last attempt")
    if "gpu_peak_memory_bytes" in usage:
        yield Fact("GPU memory", size_text(usage["gpu_peak_memory_bytes"]), "at most, of TensorFlow")
