"""Loads TensorFlow and Keras once in each process, in a thread if need be, since it takes seconds."""

import gc
import os
import sys
import threading

from worker.training.cpu_parallel import XLA_FLAGS, threads_in_an_operation

NOT_NEEDED = ("sklearn", "matplotlib")
"""Packages that Keras imports where they are installed, for wrappers and galleries that no job uses."""

_lock = threading.Lock()
_loaded = False


def begin_loading() -> None:
    """Load in a thread, so that the first job waits less, or not at all."""
    threading.Thread(target=load_keras, name="loading", daemon=True).start()


def loaded() -> bool:
    """Whether TensorFlow is fully loaded; `sys.modules` has it as soon as loading begins."""
    return _loaded


def load_keras() -> None:
    """Import TensorFlow and Keras with little log output, without `NOT_NEEDED`, which takes a second.

    The packages that are left out can be imported afterwards. Python's garbage collector, which would take a
    fifth of the time to look through what is never garbage, waits, and leaves all of it alone from then on.
    """
    global _loaded
    with _lock:
        if _loaded:
            return
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads_in_an_operation()))
        os.environ.setdefault("XLA_FLAGS", XLA_FLAGS)
        left_out = [name for name in NOT_NEEDED if name not in sys.modules]
        # To an import statement, None means that there is no such module.
        sys.modules.update(dict.fromkeys(left_out))  # type: ignore[arg-type]
        gc.disable()
        try:
            import keras  # noqa: F401
        finally:
            gc.freeze()
            gc.enable()
            for name in left_out:
                del sys.modules[name]
        _loaded = True
