"""What a command of `quartet` takes as a whole process."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from jobs.settings import Settings


class WholeCommand(NamedTuple):
    """What one run took and printed.

    Attributes:
        seconds: from its start to its end.
        processor: seconds that its processes used.
        printed: on standard output.
    """

    seconds: float
    processor: float
    printed: str


def whole_command(settings: Settings, *arguments: str) -> WholeCommand:
    """Run `quartet` in a process of its own.

    Args:
        settings: for the process.
        arguments: of the command line.
    """
    command = [str(Path(sys.executable).with_name("quartet")), *arguments]
    began, used = time.perf_counter(), _processor_seconds()
    printed = subprocess.run(
        command,
        check=True,
        env=os.environ | settings.environment(),
        cwd=settings.state_dir,
        capture_output=True,
        text=True,
    ).stdout
    return WholeCommand(time.perf_counter() - began, _processor_seconds() - used, printed)


def _processor_seconds() -> float:
    """What the processes used that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
