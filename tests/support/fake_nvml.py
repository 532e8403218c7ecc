"""Puts the fake `pynvml` where Python finds it before NVIDIA's, which needs a driver and a GPU."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("fake_pynvml.py")


def build(folder: Path) -> Path:
    """Put it into a folder that everyone may read, and return that, for PYTHONPATH."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    module = folder / "pynvml.py"
    shutil.copyfile(SOURCE, module)
    module.chmod(0o644)
    return folder


def listed() -> list[dict[str, Any]]:
    """What `quartet gpus --json` prints in this environment."""
    command = [sys.executable, "-c", "from jobs.cli.main import main; main()", "gpus", "--json"]
    found: list[dict[str, Any]] = json.loads(subprocess.check_output(command, text=True))
    return found
