"""What submits, and what loads before the pool's process starts, stays free of TensorFlow."""

import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "matplotlib", "sklearn")


def test_keras_is_loaded_without_what_no_job_needs_and_that_can_be_imported_later() -> None:
    code = (
        "import sys; from worker.loading import load_keras; load_keras()\n"
        "found = [name for name in ('sklearn', 'matplotlib') if name in sys.modules]\n"
        "import keras, matplotlib, sklearn.metrics\n"
        "print(found, keras.ops.ones(1).shape)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[] (1,)"


def test_a_training_does_without_scikit_learn() -> None:
    code = (
        "import sys; from worker.loading import load_keras; load_keras()\n"
        "from worker.tasks import autoencoder, denoiser, sentiment, textgen\n"
        "print('sklearn' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("modules", "forbidden"),
    [
        ("jobs jobs.client jobs.cli jobs.cli_options jobs.local jobs.terminal", (*HEAVY, "celery", "numpy")),
        (
            "worker.cli worker.gpus worker.app worker.execute worker.sweep worker.failure worker.report.page worker.report.index",
            HEAVY,
        ),
        ("worker.data.images worker.data.pictures worker.data.text worker.data.review_sources", HEAVY),
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
