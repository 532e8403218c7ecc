"""Builds the fake NVML library, which stands in for NVIDIA's below the real `nvidia-ml-py`."""

import shutil
import subprocess
from pathlib import Path

from conftest import missing

SOURCE = Path(__file__).with_name("fake_nvml.c")


def build(folder: Path) -> Path:
    """Compile it into a folder and return that, for LD_LIBRARY_PATH."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        missing("no C compiler here, which the fake NVML library needs: install gcc")
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / "libnvidia-ml.so.1"
    command = [str(compiler), "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(library), str(SOURCE)]
    subprocess.run(command, check=True)
    return folder
