"""The program `quartet`, as a person starts it: as a process of its own, or, in milliseconds, within this one."""

import io
import logging
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from jobs.cli.launch import main
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
    """Run it as a process of its own and check its exit code."""
    done = subprocess.run(
        [QUARTET, *arguments], env=environment(settings, **more), capture_output=True, text=True, timeout=180
    )
    return checked(done, code)


def quartet_here(
    settings: Settings, *arguments: str, code: int = 0, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run it within this process and check its exit code.

    A process takes half a second to load what this one has; what only a process shows (signals, a terminal,
    what is loaded) is for `quartet`.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in environment(settings, **more).items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["quartet", *arguments])
        # What is logged goes where it does without pytest's handlers.
        patch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(err)])
        with pytest.raises(SystemExit) as end:
            main()
    printed, said = (stream.buffer.getvalue().decode() for stream in (out, err))
    return checked(subprocess.CompletedProcess(arguments, end.value.code or 0, printed, said), code)


def checked(done: subprocess.CompletedProcess[str], code: int) -> subprocess.CompletedProcess[str]:
    """Check how it ended."""
    assert done.returncode == code, (done.args, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done
