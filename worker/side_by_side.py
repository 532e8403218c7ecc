"""How a CPU's processors share a training's step: its parts are computed side by side.

The work of one operation on a batch is too little to be worth dividing among threads, as TensorFlow would do.
"""

import os

SIDE_BY_SIDE = 2


def usable_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_in_an_operation() -> int:
    """How many threads one operation gets: the share of one part in the processors."""
    return max(1, usable_processors() // SIDE_BY_SIDE)


def parts_side_by_side() -> int:
    """In how many parts a batch is best computed: one on a GPU."""
    import tensorflow as tf

    return 1 if tf.config.list_physical_devices("GPU") else SIDE_BY_SIDE


def equal_parts(batch: int) -> int:
    """The same for a batch whose parts have to be of one size."""
    parts = parts_side_by_side()
    return 1 if batch % parts else parts
