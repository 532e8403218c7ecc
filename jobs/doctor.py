"""What a person would have to check by hand, and how to mend what is wrong."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jobs.datasets import DATASETS, find
from jobs.errors import RedisUnreachable
from jobs.ledger import Ledger
from jobs.settings import Settings, masked_url

OLDEST_REDIS = (6, 2)
LEAST_FREE_GB = 1.0


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `mend` says what to do where it is not well."""

    name: str
    well: bool
    finding: str
    mend: str = ""


def examine(settings: Settings) -> list[Check]:
    """Look at everything; nothing is changed but a file made and removed in the results folder."""
    return [*_redis(settings), *_results(settings), *_tensorflow(), *_data(settings)]


def _redis(settings: Settings) -> Iterator[Check]:
    address = settings.redis_address()
    ledger = Ledger(address)
    try:
        about = ledger.about()
    except RedisUnreachable as error:
        yield Check("redis", False, str(error), "start one with `quartet up`, or set QUARTET_REDIS_URL")
        return
    yield Check("redis", True, f"answers at {masked_url(address)}")
    number = tuple(int(part) for part in about["version"].split(".")[:2])
    oldest = ".".join(map(str, OLDEST_REDIS))
    yield Check("redis version", number >= OLDEST_REDIS, about["version"], f"install {oldest} or newer")
    yield Check(
        "append-only file",
        about["appendonly"] == "yes",
        f"appendonly is {about['appendonly']}",
        "start Redis with `--appendonly yes`, or a restart loses the queue",
    )
    yield Check(
        "eviction",
        about["maxmemory-policy"] == "noeviction",
        f"maxmemory-policy is {about['maxmemory-policy']}",
        "set `maxmemory-policy noeviction`, or a full Redis drops jobs",
    )
    parts = urlsplit(address)
    needs_password = parts.scheme != "unix"
    yield Check(
        "password",
        not needs_password or bool(parts.password),
        "a socket of this user's own" if not needs_password else "set" if parts.password else "none is set",
        "give Redis a password (`requirepass`) and put it into QUARTET_REDIS_URL",
    )
    yield from _workers(ledger)


def _workers(ledger: Ledger) -> Iterator[Check]:
    mine = version("quartet")
    workers = ledger.workers()
    names = ", ".join(sorted(workers)) or "none"
    yield Check("workers", bool(workers), names, "start some: `quartet up --workers N`")
    others = {name: about["quartet"] for name, about in workers.items() if about["quartet"] != mine}
    yield Check(
        "versions",
        not others,
        f"client {mine}" + "".join(f", {name} {number}" for name, number in sorted(others.items())),
        "install the same version of Quartet everywhere",
    )


def _results(settings: Settings) -> Iterator[Check]:
    root = settings.results_dir.absolute()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=root) as folder:
            first, second = Path(folder) / "a", Path(folder) / "b"
            first.mkdir()
            first.rename(second)
            descriptor = os.open(second, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
    except OSError as error:
        yield Check(
            "results folder",
            False,
            f"{root}: {error.strerror}",
            "make it writable for this user, or set QUARTET_RESULTS_DIR",
        )
        return
    yield Check("results folder", True, f"{root} takes files and renames folders")
    free = shutil.disk_usage(root).free / 1e9
    yield Check(
        "free space", free >= LEAST_FREE_GB, f"{free:.1f} GB", f"make room: {LEAST_FREE_GB:g} GB at least"
    )


_ASK_TENSORFLOW = """
import json, os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
build = tf.sysconfig.get_build_info()
gpus = [tf.config.experimental.get_device_details(g).get("device_name", g.name)
        for g in tf.config.list_physical_devices("GPU")]
print(json.dumps({"version": tf.__version__, "cuda": build.get("cuda_version"), "gpus": gpus}))
"""


def _tensorflow() -> Iterator[Check]:
    if importlib.util.find_spec("tensorflow") is None:
        yield Check("tensorflow", True, "not installed here: this machine can submit, not work")
        return
    asked = subprocess.run([sys.executable, "-c", _ASK_TENSORFLOW], capture_output=True, text=True)
    if asked.returncode:
        last = (asked.stderr.strip().splitlines() or ["no message"])[-1]
        yield Check("tensorflow", False, last, "install it anew: `pip install 'quartet[worker]'`")
        return
    about: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    yield Check("tensorflow", True, f"{about['version']}, built for CUDA {about['cuda'] or 'none'}")
    driver = _gpu_driver()
    if driver is None:
        yield Check("gpu", True, "this machine has no NVIDIA driver; jobs run on the processor")
        return
    yield Check(
        "gpu",
        bool(about["gpus"]),
        f"driver {driver}; TensorFlow sees {', '.join(about['gpus']) or 'no GPU'}",
        "install `tensorflow[and-cuda]`, with a driver that is new enough for its CUDA",
    )


def _gpu_driver() -> str | None:
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    asked = subprocess.run(query, capture_output=True, text=True)
    return asked.stdout.splitlines()[0].strip() if asked.returncode == 0 and asked.stdout.strip() else None


def _data(settings: Settings) -> Iterator[Check]:
    here = [name for name in DATASETS if find(name, settings.data_dir) is not None]
    offline = [name for name, dataset in DATASETS.items() if dataset.offline]
    yield Check(
        "data", True, f"in {settings.data_dir}: {', '.join(here) or 'none'}; always: {', '.join(offline)}"
    )
