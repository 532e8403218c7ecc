"""Parts of a batch are computed in parallel, with as many threads as there are cores for them."""

import os
import subprocess
import sys

import pytest

from worker.training.cpu_parallel import XLA_FLAGS, equal_parts, parallel_parts, threads_in_an_operation


@pytest.mark.parametrize(("processors", "threads"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
def test_the_cores_are_shared_among_the_parts(
    processors: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)), raising=False)
    assert threads_in_an_operation() == threads


def test_a_gpu_computes_a_batch_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (parallel_parts(), equal_parts(64), equal_parts(63)) == (2, 2, 1)
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda _: ["GPU:0"])
    assert (parallel_parts(), equal_parts(64), equal_parts(63)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("variable", "ours", "own"),
    [
        ("TF_NUM_INTRAOP_THREADS", str(threads_in_an_operation()), "7"),
        ("XLA_FLAGS", XLA_FLAGS, "--xla_cpu_prefer_vector_width=128"),
    ],
)
@pytest.mark.quality
def test_a_process_that_loads_keras_sets_threads_and_compiler_flags_unless_they_are_set(
    variable: str, ours: str, own: str
) -> None:
    code = (
        "import os; from worker.engine.startup import load_keras; load_keras()\n"
        "import tensorflow as tf; one = tf.function(lambda: tf.ones(()), jit_compile=True)\n"
        f"print(os.environ[{variable!r}], float(one()))"
    )
    environment = {name: value for name, value in os.environ.items() if name != variable}
    for given in ({}, {variable: own}):
        shown = subprocess.run(
            [sys.executable, "-c", code], env=environment | given, capture_output=True, text=True, check=True
        )
        assert shown.stdout.splitlines()[-1] == f"{given.get(variable, ours)} 1.0"
