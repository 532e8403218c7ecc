"""What a person would have to check by hand, and how to mend what is wrong."""

import importlib.util
import json
import os
import re
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
from jobs.spec import PARAMETERS

OLDEST_REDIS = (6, 2)
LEAST_FREE_GB = 1.0
REDIS_PATIENCE_SECONDS = 5.0
TENSORFLOW_PATIENCE_SECONDS = 180.0
GPU_PATIENCE_SECONDS = 30.0

OLDEST_DRIVER = {11: 450, 12: 525, 13: 580}
"""The oldest Linux driver that runs programs built for a CUDA of this major version, whichever its minor one:
https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html"""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `mend` says what to do where it is not well."""

    name: str
    well: bool
    finding: str
    mend: str = ""


def examine(settings: Settings) -> list[Check]:
    """Look at everything; nothing is changed but a file made and removed in the results folder."""
    works_here = importlib.util.find_spec("tensorflow") is not None
    return [
        *redis_checks(settings),
        *results_checks(settings),
        *tensorflow_checks(works_here),
        *(data_checks(settings) if works_here else ()),
    ]


def redis_checks(settings: Settings) -> Iterator[Check]:
    """Redis: does it answer, and does it keep what it is given; the workers that it knows."""
    address = settings.redis_address()
    ledger = Ledger(address, answer_seconds=REDIS_PATIENCE_SECONDS)
    try:
        yield from _answering_redis(ledger, address)
    except RedisUnreachable as error:
        yield Check("redis", False, str(error), "start one with `quartet up`, or set QUARTET_REDIS_URL")


def _answering_redis(ledger: Ledger, address: str) -> Iterator[Check]:
    about = ledger.about()
    yield Check("redis", True, f"answers at {masked_url(address)}")
    number = tuple(int(part) for part in re.findall(r"\d+", about["version"])[:2])
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
    others = {name: said for name, about in workers.items() if (said := about.get("quartet", "?")) != mine}
    yield Check(
        "versions",
        not others,
        f"client {mine}" + "".join(f", {name} {number}" for name, number in sorted(others.items())),
        "install the same version of Quartet everywhere",
    )


def results_checks(settings: Settings) -> Iterator[Check]:
    """The results folder: does it take files, is there room."""
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


def tensorflow_checks(works_here: bool) -> Iterator[Check]:
    """TensorFlow and its GPU, if this machine works at all."""
    if not works_here:
        yield Check("tensorflow", True, "not installed here: this machine can submit, not work")
        return
    asked = _answer([sys.executable, "-c", _ASK_TENSORFLOW], TENSORFLOW_PATIENCE_SECONDS)
    if asked.returncode:
        last = (asked.stderr.strip().splitlines() or ["no message"])[-1]
        yield Check("tensorflow", False, last, "install it anew: `pip install 'quartet[worker]'`")
        return
    about: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    yield Check("tensorflow", True, f"{about['version']}, built for CUDA {about['cuda'] or 'none'}")
    yield from gpu_checks(str(about["cuda"] or ""), about["gpus"])


def gpu_checks(cuda: str, seen: list[str]) -> Iterator[Check]:
    """The driver and the GPU.

    Args:
        cuda: the version that TensorFlow was built for, empty for none.
        seen: names of the GPUs that TensorFlow sees.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        yield Check("gpu", True, "this machine has no NVIDIA driver; jobs run on the processor")
        return
    asked = _answer([program, "--query-gpu=driver_version", "--format=csv,noheader"], GPU_PATIENCE_SECONDS)
    driver = asked.stdout.strip().partition("\n")[0].strip()
    if asked.returncode or not driver:
        said = (asked.stderr.strip() or asked.stdout.strip() or "nothing").splitlines()[-1]
        mend = "install the driver anew, or restart the machine after its update"
        yield Check("gpu driver", False, f"nvidia-smi does not name one; it says: {said}", mend)
        return
    major = int(cuda.partition(".")[0]) if cuda.partition(".")[0].isdecimal() else None
    needed = OLDEST_DRIVER.get(major) if major is not None else None
    number = int(driver.partition(".")[0]) if driver.partition(".")[0].isdecimal() else 0
    yield Check(
        "gpu driver",
        needed is None or number >= needed,
        f"{driver}" + (f"; CUDA {cuda} needs {needed} or newer" if needed else ""),
        f"install driver {needed} or newer",
    )
    yield Check(
        "gpu",
        bool(seen),
        f"TensorFlow sees {', '.join(seen) or 'no GPU'}",
        "install `tensorflow[and-cuda]`; in a container, give it the GPU",
    )


def _answer(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a command that may hang; one that took longer has failed and says so."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {seconds:g} s")


def data_checks(settings: Settings) -> Iterator[Check]:
    """The datasets that a job reads when it names none."""
    folder = settings.data_dir
    needed = list(dict.fromkeys(kind.default_data for kind in PARAMETERS.values() if kind.takes_data))
    missing = [name for name in needed if find(name, folder) is None]
    here = [name for name in DATASETS if find(name, folder) is not None]
    offline = [name for name, dataset in DATASETS.items() if dataset.offline]
    yield Check(
        "data",
        not missing,
        f"in {folder}: {', '.join(here) or 'none'}; always: {', '.join(offline)}"
        + (f"; missing: {', '.join(missing)}" if missing else ""),
        " && ".join(f"quartet data get {name}" for name in missing),
    )
    place = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    yield Check(
        "data folder",
        os.access(place, os.R_OK | os.W_OK | os.X_OK) or not missing,
        f"{folder} " + ("is there" if folder.is_dir() else "will be made by the first download"),
        f"make {place} writable for this user, or set QUARTET_DATA_DIR",
    )
