"""What submits, and what loads before the pool's process starts, stays free of TensorFlow.

`make check` holds who imports whom as the code is written; these tests hold what really is loaded.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERAS = ("tensorflow", "keras")
HEAVY = (*KERAS, "matplotlib", "sklearn")


def modules(*patterns: str) -> list[str]:
    """The modules that some patterns of paths mean, all of which are there."""
    found = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    assert found
    names = [path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in found]
    return [name.removesuffix(".__init__") for name in names]


CLIENT = modules("jobs/**/*.py", "worker/tasks/*/spec.py", "worker/tasks/*/metrics.py")
MAIN_PROCESS = [
    "worker.cli",
    "worker.engine.gpu.__main__",
    *modules("worker/engine/*.py", "worker/datasets/*.py", "worker/report/job_page.py"),
    "worker.report.index_page",
]
READERS = [
    "worker.images.datasets",
    "worker.images.inference_inputs",
    "worker.tasks.textgen.text",
    "worker.tasks.sentiment.sources",
]
REPORTS = modules("worker/report/*.py", "worker/tasks/*/report.py", "worker/tasks/*/figures.py")


def loaded_by(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("names", "forbidden"),
    [
        (CLIENT, (*HEAVY, "celery", "kombu", "numpy", "scipy")),
        (MAIN_PROCESS, HEAVY),
        (READERS, HEAVY),
        (REPORTS, KERAS),
        (["jobs.cli.main"], (*HEAVY, "celery", "numpy", "pydantic", "redis", "rich")),
    ],
    ids=["client", "main process", "readers", "reports", "quartet --help"],
)
def test_importing_loads_nothing_heavy(names: list[str], forbidden: tuple[str, ...]) -> None:
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print([name for name in {forbidden!r} if name in sys.modules])"
    )
    assert loaded_by(code) == "[]"


@pytest.mark.quality
def test_keras_is_loaded_without_what_no_job_needs_and_that_can_be_imported_later() -> None:
    code = (
        "import sys; from worker.engine.startup import load_keras; load_keras()\n"
        "found = [name for name in ('sklearn', 'matplotlib') if name in sys.modules]\n"
        "import keras, matplotlib, sklearn.metrics\n"
        "print(found, keras.ops.ones(1).shape)"
    )
    assert loaded_by(code) == "[] (1,)"


@pytest.mark.quality
def test_training_needs_no_scikit_learn() -> None:
    code = (
        "import importlib, sys; from worker.engine.startup import load_keras; load_keras()\n"
        f"for name in {modules('worker/tasks/*/task.py')!r}: importlib.import_module(name)\n"
        "print('sklearn' in sys.modules)"
    )
    assert loaded_by(code) == "False"
