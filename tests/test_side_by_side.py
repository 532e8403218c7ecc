"""Parts of a step are computed side by side, with as many threads as there are processors for them."""

import os
import subprocess
import sys

import pytest

from worker.loading import COMPILER
from worker.side_by_side import equal_parts, parts_side_by_side, threads_in_an_operation


@pytest.mark.parametrize(("processors", "threads"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
def test_the_processors_are_shared_among_the_parts(
    processors: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)), raising=False)
    assert threads_in_an_operation() == threads


def test_a_gpu_computes_a_batch_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (parts_side_by_side(), equal_parts(64), equal_parts(63)) == (2, 2, 1)
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda _: ["GPU:0"])
    assert (parts_side_by_side(), equal_parts(64), equal_parts(63)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("variable", "ours", "own"),
    [
        ("TF_NUM_INTRAOP_THREADS", str(threads_in_an_operation()), "7"),
        ("XLA_FLAGS", COMPILER, "--xla_cpu_prefer_vector_width=128"),
    ],
)
def test_a_process_that_loads_keras_says_how_to_compute_unless_told_otherwise(
    variable: str, ours: str, own: str
) -> None:
    code = (
        "import os; from worker.loading import load_keras; load_keras()\n"
        "import tensorflow as tf; one = tf.function(lambda: tf.ones(()), jit_compile=True)\n"
        f"print(os.environ[{variable!r}], float(one()))"
    )
    environment = {name: value for name, value in os.environ.items() if name != variable}
    for told in ({}, {variable: own}):
        shown = subprocess.run(
            [sys.executable, "-c", code], env=environment | told, capture_output=True, text=True, check=True
        )
        assert shown.stdout.splitlines()[-1] == f"{told.get(variable, ours)} 1.0"
