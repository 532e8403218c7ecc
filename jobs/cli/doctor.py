"""Diagnoses the installation and suggests fixes.

It changes nothing, except that it makes a folder in the results folder and removes it again.
"""

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

from jobs.errors import RedisUnreachable
from jobs.ledger.ledger import Ledger
from jobs.models import all_parameters, datasets
from jobs.redis_address import masked_url
from jobs.settings import Settings

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
    """One check; `fix` says what to do if it failed."""

    name: str
    passed: bool
    finding: str
    fix: str = ""


def examine(settings: Settings) -> list[Check]:
    """Run every check, even after one has failed.

    Raises:
        InvalidSetting: the file that should hold Redis' password cannot be read.
    """
    installed = importlib.util.find_spec("tensorflow") is not None
    return [
        *redis_checks(settings),
        *results_checks(settings),
        *tensorflow_checks(installed),
        *(data_checks(settings) if installed else ()),
    ]


def redis_checks(settings: Settings) -> Iterator[Check]:
    """Check that Redis answers and keeps what it is given, and that it knows workers of this version.

    Raises:
        InvalidSetting: the file that should hold the password cannot be read.
    """
    address = settings.redis_address()
    ledger = Ledger(address, answer_seconds=REDIS_PATIENCE_SECONDS)
    try:
        about = ledger.about()
        yield Check("redis", True, f"answers at {masked_url(address)}")
        yield from _redis_configuration(about)
        yield _password(address)
        yield from _workers(ledger.workers())
    except RedisUnreachable as error:
        yield Check("redis", False, str(error), error.hint or "start `quartet up`, or set QUARTET_REDIS_URL")


def _redis_configuration(about: dict[str, str]) -> Iterator[Check]:
    number = tuple(int(part) for part in re.findall(r"\d+", about["version"])[:2])
    oldest = ".".join(map(str, OLDEST_REDIS))
    yield Check("redis version", number >= OLDEST_REDIS, about["version"], f"install {oldest} or newer")
    yield Check(
        "append-only file",
        about["appendonly"] == "yes",
        f"appendonly is {about['appendonly']}",
        "start Redis with `--appendonly yes`; without it a restart loses the queue",
    )
    yield Check(
        "eviction",
        about["maxmemory-policy"] == "noeviction",
        f"maxmemory-policy is {about['maxmemory-policy']}",
        "set `maxmemory-policy noeviction`; with another one a full Redis drops jobs",
    )


def _password(address: str) -> Check:
    parts = urlsplit(address)
    if parts.scheme == "unix":
        return Check("password", True, "not needed on a private Unix socket")
    return Check(
        "password",
        bool(parts.password),
        "set" if parts.password else "not set",
        "give Redis a password (`requirepass`) and add it to QUARTET_REDIS_URL",
    )


def _workers(workers: dict[str, dict[str, str]]) -> Iterator[Check]:
    mine = version("quartet")
    names = ", ".join(sorted(workers)) or "none"
    yield Check("workers", bool(workers), names, "start workers with `quartet up --workers N`")
    others = {name: other for name, about in workers.items() if (other := about.get("quartet", "?")) != mine}
    yield Check(
        "versions",
        not others,
        f"client {mine}" + "".join(f", {name} {number}" for name, number in sorted(others.items())),
        "install the same version of Quartet everywhere",
    )


def results_checks(settings: Settings) -> Iterator[Check]:
    """Check that the results folder takes files and has room."""
    root = settings.results_dir.absolute()
    try:
        root.mkdir(parents=True, exist_ok=True)
        _rename_a_folder(root)
    except OSError as error:
        yield Check(
            "results folder",
            False,
            f"{root}: {error.strerror}",
            "make it writable for this user, or set QUARTET_RESULTS_DIR",
        )
        return
    yield Check("results folder", True, f"{root} accepts files and renames folders")
    free = shutil.disk_usage(root).free / 1e9
    yield Check("free space", free >= LEAST_FREE_GB, f"{free:.1f} GB", f"free at least {LEAST_FREE_GB:g} GB")


def _rename_a_folder(root: Path) -> None:
    """Make and rename a folder, as publishing a job does."""
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=root) as folder:
        first, second = Path(folder) / "a", Path(folder) / "b"
        first.mkdir()
        first.rename(second)
        descriptor = os.open(second, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


_ASK_TENSORFLOW = """
import json, os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
build = tf.sysconfig.get_build_info()
gpus = [tf.config.experimental.get_device_details(g).get("device_name", g.name)
        for g in tf.config.list_physical_devices("GPU")]
print(json.dumps({"version": tf.__version__, "cuda": build.get("cuda_version"), "gpus": gpus}))
"""


def tensorflow_checks(installed: bool) -> Iterator[Check]:
    """Check TensorFlow and the GPU, if this machine can run jobs at all.

    Args:
        installed: whether TensorFlow is.
    """
    if not installed:
        yield Check("tensorflow", True, "not installed; this machine can submit jobs but not run them")
        return
    done = _output([sys.executable, "-c", _ASK_TENSORFLOW], TENSORFLOW_PATIENCE_SECONDS)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        yield Check("tensorflow", False, last, "reinstall it: `pip install 'quartet[worker]'`")
        return
    about: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    yield Check("tensorflow", True, f"{about['version']}, built for CUDA {about['cuda'] or 'none'}")
    yield from gpu_checks(str(about["cuda"] or ""), about["gpus"])


def gpu_checks(cuda: str, seen: list[str]) -> Iterator[Check]:
    """Check the NVIDIA driver and the GPU.

    Args:
        cuda: the version that TensorFlow was built for, empty for none.
        seen: names of the GPUs that TensorFlow sees.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        yield Check("gpu", True, "no NVIDIA driver on this machine; jobs run on the CPU")
        return
    done = _output([program, "--query-gpu=driver_version", "--format=csv,noheader"], GPU_PATIENCE_SECONDS)
    driver = done.stdout.strip().partition("\n")[0].strip()
    if done.returncode or not driver:
        last = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        fix = "reinstall the driver, or restart the machine if it was just updated"
        yield Check("gpu driver", False, f"nvidia-smi reports no driver version: {last}", fix)
        return
    yield _driver(driver, cuda)
    yield Check(
        "gpu",
        bool(seen),
        f"TensorFlow sees {', '.join(seen) or 'no GPU'}",
        "install `tensorflow[and-cuda]`; start a container with access to the GPU",
    )


def _driver(driver: str, cuda: str) -> Check:
    major = cuda.partition(".")[0]
    needed = OLDEST_DRIVER.get(int(major)) if major.isdecimal() else None
    number = int(driver.partition(".")[0]) if driver.partition(".")[0].isdecimal() else 0
    return Check(
        "gpu driver",
        needed is None or number >= needed,
        f"{driver}" + (f"; CUDA {cuda} needs {needed} or newer" if needed else ""),
        f"install driver {needed} or newer",
    )


def _output(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """The output of a command that may hang; one that takes longer than `seconds` counts as failed."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {seconds:g} s")


def data_checks(settings: Settings) -> Iterator[Check]:
    """Check that the datasets that jobs read by default are in the data folder, or can be put there."""
    folder, known = settings.data_dir, datasets()
    kinds = [kind for kind in all_parameters() if kind.takes_data() and kind.datasets]
    defaults = dict.fromkeys(kind.default_data() for kind in kinds)
    built_in = [name for name, dataset in known.items() if dataset.offline]
    here = [name for name, dataset in known.items() if dataset.find(folder) is not None]
    missing = [name for name in defaults if name not in {*built_in, *here}]
    yield Check(
        "data",
        not missing,
        f"in {folder}: {', '.join(here) or 'none'}; built in: {', '.join(built_in) or 'none'}"
        + (f"; missing: {', '.join(missing)}" if missing else ""),
        " && ".join(f"quartet data get {name}" for name in missing),
    )
    place = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    yield Check(
        "data folder",
        os.access(place, os.R_OK | os.W_OK | os.X_OK) or not missing,
        f"{folder} " + ("exists" if folder.is_dir() else "will be created by the first download"),
        f"make {place} writable for this user, or set QUARTET_DATA_DIR",
    )
