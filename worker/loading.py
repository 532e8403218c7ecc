"""Loads TensorFlow and Keras, which takes seconds: once in each process, beside other things if need be."""

import os
import sys
import threading

from worker.side_by_side import threads_in_an_operation

NOT_NEEDED = ("sklearn", "matplotlib")
"""What Keras imports, where it is installed, for wrappers and galleries that no job uses."""

COMPILER = "--xla_cpu_prefer_vector_width=512"
"""XLA takes half of a processor's vectors unless told; where a processor has no such, this says nothing."""

_lock = threading.Lock()
_loaded = False


def begin_loading() -> None:
    """Load in a thread, so that the first job finds it done, or need not wait for all of it."""
    threading.Thread(target=load_keras, name="loading", daemon=True).start()


def loaded() -> bool:
    """Whether TensorFlow can be asked; while it is being loaded, it is there in part."""
    return _loaded


def load_keras() -> None:
    """Import TensorFlow and Keras, with few words, and without what takes a second of each worker's start.

    The packages that are left out can be imported afterwards.
    """
    global _loaded
    with _lock:
        if _loaded:
            return
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads_in_an_operation()))
        os.environ.setdefault("XLA_FLAGS", COMPILER)
        left_out = [name for name in NOT_NEEDED if name not in sys.modules]
        # To an import statement, None says that there is no such module.
        sys.modules.update(dict.fromkeys(left_out))  # type: ignore[arg-type]
        try:
            import keras  # noqa: F401
        finally:
            for name in left_out:
                del sys.modules[name]
        _loaded = True
