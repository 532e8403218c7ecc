"""Whether the results volume has room for another job."""

import shutil
import time
from pathlib import Path

from jobs.settings import Settings

LOOK_SECONDS = 1.0
"""Between two looks at the volume."""

_seen: dict[tuple[Path, float], tuple[float, str | None]] = {}
"""By volume and setting: when it was looked at, and what was lacking."""


def lacking_room(settings: Settings) -> str | None:
    """What a worker waits for before it takes a job, to be read after `waits`; None if there is room.

    It costs nothing to ask often: the volume is looked at once a second.

    Args:
        settings: of this worker.
    """
    key = (settings.results_dir, settings.min_free_gb)
    looked, lacking = _seen.get(key, (-LOOK_SECONDS, None))
    if time.monotonic() - looked >= LOOK_SECONDS:
        lacking = _look(settings)
        _seen[key] = (time.monotonic(), lacking)
    return lacking


def free_bytes(settings: Settings) -> int | None:
    """The free space of the results volume; None where that cannot be looked at.

    Args:
        settings: of this worker.
    """
    root = settings.results_dir.absolute()
    place = next((folder for folder in (root, *root.parents) if folder.exists()), root)
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None


def _look(settings: Settings) -> str | None:
    root, found = settings.results_dir.absolute(), free_bytes(settings)
    if found is None:  # a job that is taken says what is wrong with the volume
        return None
    free = found / 1e9
    if free >= settings.min_free_gb:
        return None
    needed = f"{settings.min_free_gb:g} GB, QUARTET_MIN_FREE_GB"
    return f"for room on the results volume {root}: {free:.1f} GB are free, and it takes jobs from {needed}"
