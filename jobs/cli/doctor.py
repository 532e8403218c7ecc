"""Diagnoses the installation and suggests fixes.

It changes nothing, except that it makes a folder in the results folder and removes it again. It sends nothing
unless it is asked to.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jobs.cli import doctor_redis
from jobs.cli.doctor_jobs import job_checks
from jobs.cli.doctor_notify import notify_checks
from jobs.cli.doctor_redis import PATIENCE_SECONDS
from jobs.dataset_files import stored_dataset
from jobs.errors import InvalidSetting, MissingPart, RedisUnreachable, StoreUnreachable
from jobs.ledger.ledger import Ledger
from jobs.ledger.store_of_ledger import other_store, remedy
from jobs.local.file_system_check import broken_promises, clock_skew
from jobs.local.mounts import mount_of
from jobs.local.results_check import publish_nothing
from jobs.models import all_parameters, datasets
from jobs.settings import Settings
from jobs.store.open_results import open_results
from jobs.store.store_id import ID_FILE, UNREADABLE

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


def examine(settings: Settings, load_tensorflow: bool = False, notify: bool = False) -> list[Check]:
    """Run every check, even after one has failed.

    Args:
        settings: say where everything is.
        load_tensorflow: whether TensorFlow is loaded to see its GPUs, which takes seconds.
        notify: whether a test message is sent to each address in the settings.

    Raises:
        InvalidSetting: Redis belongs to a cluster, or the file that should hold its password cannot be read.
    """
    installed = importlib.util.find_spec("tensorflow") is not None
    return [
        *redis_checks(settings, installed),
        *results_checks(settings),
        *store_checks(settings),
        *(Check(*found) for found in job_checks(settings)),
        *tensorflow_checks(installed, load_tensorflow),
        *(data_checks(settings) if installed else ()),
        *(Check(*found) for found in notify_checks(settings, notify)),
    ]


def redis_checks(settings: Settings, worker: bool = False) -> list[Check]:
    """Check Redis: see `jobs.cli.doctor_redis`.

    Args:
        settings: say where it is.
        worker: whether workers run on this machine.

    Raises:
        InvalidSetting: it belongs to a cluster, or the file that should hold the password cannot be read.
    """
    return [Check(*found) for found in doctor_redis.redis_checks(settings, worker)]


def results_checks(settings: Settings) -> Iterator[Check]:
    """Check that the results folder takes files, has room, and is on a file system that Quartet can use."""
    root = settings.results_dir.absolute()
    try:
        publish_nothing(root)
    except OSError as error:
        yield Check(
            "results folder",
            False,
            f"{root}: {error.strerror or error}",
            "make it writable for this user, or set QUARTET_RESULTS_DIR",
        )
        return
    yield Check("results folder", True, f"{root} accepts files and renames folders")
    free = shutil.disk_usage(root).free / 1e9
    least = settings.min_free_gb
    fix = f"free at least {least:g} GB, below which workers take no job"
    yield Check("free space", free >= least, f"{free:.1f} GB", fix)
    yield from file_system_checks(root)


def file_system_checks(root: Path) -> Iterator[Check]:
    """Check that the file system of the results folder keeps each promise that Quartet relies on.

    Args:
        root: the results folder, which takes files.
    """
    mount = mount_of(root)
    kind = mount.kind if mount else "its file system"
    try:
        broken = list(broken_promises(root))
        skew = clock_skew(root)
    except OSError as error:
        fix = f"see whether {root} is still mounted, and remove what was left there as .trial-*"
        yield Check("file system", False, f"{kind}: {error.strerror or error}", fix)
        return
    yield from (Check(found.promise, False, f"{kind}: {found.finding}", found.fix) for found in broken)
    if not broken:
        clock = f"; its clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}" if skew else ""
        yield Check("file system", True, f"{kind} renames, syncs, locks and shows files as it should{clock}")


def store_checks(settings: Settings) -> Iterator[Check]:
    """Check that the store is the one to which the workers of this Redis publish."""
    try:
        results = open_results(settings)
        other = other_store(Ledger(settings.redis_address(), answer_seconds=PATIENCE_SECONDS), results)
        found = results.id()
    except (InvalidSetting, MissingPart, StoreUnreachable) as error:
        yield Check("store", False, str(error), error.hint or "see QUARTET_STORE and QUARTET_RESULTS_DIR")
        return
    except (RedisUnreachable, OSError):  # which other checks say
        return
    if other is None and found == UNREADABLE:
        fix = "remove the file, and the first worker gives the store a new id"
        yield Check("store", False, f"{ID_FILE} in {results.name} holds no store id", fix)
        return
    fine = f"has the id {found}" if found else "has no id yet; the first worker gives it one"
    yield Check("store", other is None, other or f"{results.name} {fine}", remedy(results))


_ASK_TENSORFLOW = """
import json, os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
build = tf.sysconfig.get_build_info()
gpus = [tf.config.experimental.get_device_details(g).get("device_name", g.name)
        for g in tf.config.list_physical_devices("GPU")]
print(json.dumps({"version": tf.__version__, "cuda": build.get("cuda_version"), "gpus": gpus}))
"""


def tensorflow_checks(installed: bool, load: bool) -> Iterator[Check]:
    """Check TensorFlow and the GPU, if this machine can run jobs at all.

    Args:
        installed: whether TensorFlow is.
        load: whether it is loaded; without that, its version and the driver are checked.
    """
    if not installed:
        yield Check("tensorflow", True, "not installed; this machine can submit jobs but not run them")
        return
    if not load:
        finding = f"{_version('tensorflow') or 'installed'}; `quartet doctor --tensorflow` loads it"
        yield Check("tensorflow", True, finding)
        yield from gpu_checks(_installed_cuda(), None)
        return
    done = _output([sys.executable, "-c", _ASK_TENSORFLOW], TENSORFLOW_PATIENCE_SECONDS)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        yield Check("tensorflow", False, last, "reinstall it: `pip install 'quartet[worker]'`")
        return
    about: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    yield Check("tensorflow", True, f"{about['version']}, built for CUDA {about['cuda'] or 'none'}")
    yield from gpu_checks(str(about["cuda"] or ""), about["gpus"])


def _installed_cuda() -> str:
    """The version of the CUDA that was installed with TensorFlow, empty for none."""
    names = ["nvidia-cuda-runtime", *(f"nvidia-cuda-runtime-cu{major}" for major in OLDEST_DRIVER)]
    return next(filter(None, map(_version, names)), "")


def _version(package: str) -> str:
    """The version of an installed package, empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def gpu_checks(cuda: str, seen: list[str] | None) -> Iterator[Check]:
    """Check the NVIDIA driver and the GPU.

    Args:
        cuda: the version that TensorFlow was built for, empty for none.
        seen: names of the GPUs that TensorFlow sees; None where it was not loaded.
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
    if seen is not None:
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
    """Check the data folder. A dataset that is not there yet is no fault: the first job downloads it."""
    folder, known = settings.data_dir, datasets()
    kinds = [kind for kind in all_parameters() if kind.takes_data() and kind.datasets]
    defaults = dict.fromkeys(kind.default_data() for kind in kinds)
    built_in = [name for name, dataset in known.items() if dataset.offline]
    stored = {name: stored_dataset(dataset, folder) for name, dataset in known.items()}
    here = [name for name, found in stored.items() if found.here in ("yes", "differs")]
    damaged = {name: found.problem for name, found in stored.items() if found.here == "damaged"}
    differing = [f"{name}: {found.problem}" for name, found in stored.items() if found.here == "differs"]
    missing = [name for name in defaults if name not in {*built_in, *here, *damaged}]
    yield Check(
        "data",
        not damaged,
        f"in {folder}: {', '.join(here) or 'none'}; built in: {', '.join(built_in) or 'none'}"
        + (f"; not as published: {', '.join(differing)}" if differing else "")
        + (f"; downloaded when first read: {', '.join(missing)}" if missing else "")
        + (f"; damaged: {', '.join(damaged.values())}" if damaged else ""),
        _fix_of_data(damaged),
    )
    place = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    yield Check(
        "data folder",
        os.access(place, os.R_OK | os.W_OK | os.X_OK) or not missing,
        f"{folder} " + ("exists" if folder.is_dir() else "will be created by the first download"),
        f"make {place} writable for this user, or set QUARTET_DATA_DIR",
    )


def _fix_of_data(damaged: Iterable[str]) -> str:
    return f"remove the damaged files, then {' && '.join(f'quartet data get {name}' for name in damaged)}"
