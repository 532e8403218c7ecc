"""How a CPU computes a training step: the batch is split into parts that its cores compute in parallel.

Ours, because TensorFlow divides single operations among threads, and one operation of these small networks
has too little work to be worth dividing.
"""

import os

PARTS = 2
"""Parts of a batch on a CPU."""

XLA_FLAGS = "--xla_cpu_prefer_vector_width=512"
"""By default XLA uses half the width of a CPU's vectors; a CPU without 512-bit vectors ignores this flag."""


def usable_processors() -> int:
    """How many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_in_an_operation() -> int:
    """How many threads one operation gets: the cores divided by the parts of a batch."""
    return max(1, usable_processors() // PARTS)


def parallel_parts() -> int:
    """How many parts a batch is best split into: one on a GPU, `PARTS` on a CPU."""
    import tensorflow as tf

    return 1 if tf.config.list_physical_devices("GPU") else PARTS


def equal_parts(batch: int) -> int:
    """How many parts of one size a batch is best split into.

    Args:
        batch: examples in it.

    Returns:
        `parallel_parts()`, or 1 where the batch cannot be divided by it.
    """
    parts = parallel_parts()
    return 1 if batch % parts else parts
