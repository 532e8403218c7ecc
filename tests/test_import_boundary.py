"""What submits, and what loads before the pool's process starts, stays free of TensorFlow."""

import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "matplotlib", "sklearn")


@pytest.mark.parametrize(
    ("modules", "forbidden"),
    [
        ("jobs jobs.client jobs.cli jobs.cli_options jobs.local jobs.terminal", (*HEAVY, "celery", "numpy")),
        (
            "worker.cli worker.gpus worker.app worker.execute worker.sweep worker.failure worker.report.page worker.report.index",
            HEAVY,
        ),
        ("worker.data.images worker.data.pictures worker.data.text", HEAVY),
        ("jobs.cli", (*HEAVY, "celery", "numpy", "pydantic", "redis", "rich")),
    ],
)
def test_importing_loads_none_of(modules: str, forbidden: tuple[str, ...]) -> None:
    code = (
        "import importlib, sys\n"
        f"for name in {modules.split()!r}: importlib.import_module(name)\n"
        f"print([name for name in {forbidden!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
