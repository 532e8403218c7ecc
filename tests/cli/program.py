"""The program `quartet` as a process of its own, as a person starts it."""

import os
import subprocess
import sys
from pathlib import Path

from jobs.settings import Settings

QUARTET = str(Path(sys.executable).with_name("quartet"))
TRAIN = ("autoencoder", "train", "--data", "digits", "--epochs", "2")


def environment(settings: Settings, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "QUARTET_REDIS_URL": settings.redis_address(),
        "QUARTET_RESULTS_DIR": str(settings.results_dir),
        "QUARTET_STORE": settings.store,
        "QUARTET_DATA_DIR": str(settings.data_dir),
        "QUARTET_STATE_DIR": str(settings.state_dir),
        **more,
    }


def quartet(
    settings: Settings, *arguments: str, code: int = 0, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run it and check its exit code."""
    done = subprocess.run(
        [QUARTET, *arguments], env=environment(settings, **more), capture_output=True, text=True, timeout=180
    )
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done
