"""Loads TensorFlow and Keras for a job."""

import os
import sys

NOT_NEEDED = ("sklearn", "matplotlib")
"""What Keras imports, where it is installed, for wrappers and galleries that no job uses."""


def load_keras() -> None:
    """Import TensorFlow and Keras, with few words, and without what takes a second of each worker's start.

    The packages that are left out can be imported afterwards.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    left_out = [name for name in NOT_NEEDED if name not in sys.modules]
    # To an import statement, None says that there is no such module.
    sys.modules.update(dict.fromkeys(left_out))  # type: ignore[arg-type]
    try:
        import keras  # noqa: F401
    finally:
        for name in left_out:
            del sys.modules[name]
