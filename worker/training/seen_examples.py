"""Which examples a training job learned from, so that an evaluation can say which of its own are among them.

A training job keeps a digest of each training example in its folder, and of each validation example, by which
it chose what to keep; an evaluation looks its own up.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.store.job_folder import JobFolder
from worker.training.plain_arrays import open_arrays

FILE = "training_examples.npz"
MOST_BYTES = 1 << 28

FEWEST_UNSEEN = 20
"""Fewer examples that a model was not trained on have no number of their own."""

Digests = NDArray[np.uint64]


def digests_of(examples: Iterable[bytes]) -> Digests:
    """A digest of each example: (examples,). Two that differ share one by a chance of 2 ** -64.

    Args:
        examples: each as bytes, in a form in which equal examples are equal: decoded, normalised.
    """
    joined = b"".join(hashlib.blake2b(example, digest_size=8).digest() for example in examples)
    return np.frombuffer(joined, np.dtype("<u8")).astype(np.uint64)


def write_seen(folder: Path, digests: Digests, validation: Digests | None = None) -> None:
    """Write the digests of all training examples and, apart from them, of all validation examples.

    Args:
        folder: the staging folder of the training job.
        digests: of the training examples, as `digests_of` returns them.
        validation: of the validation examples; None where they are not kept.

    Raises:
        OSError: the volume is full, read-only or gone.
    """
    arrays = {"digests": digests} if validation is None else {"digests": digests, "validation": validation}
    # Not compressed: nothing about digests can be.
    np.savez(folder / FILE, allow_pickle=False, **{name: np.unique(some) for name, some in arrays.items()})


def seen_before(source: JobFolder, digests: Digests) -> NDArray[np.bool_] | None:
    """Whether each example is among those that a model was trained on.

    Args:
        source: the folder of the training job.
        digests: of the examples, as `digests_of` returns them.

    Returns:
        (examples,); None if the training job kept no digests, as before version 0.2.

    Raises:
        DamagedFolder: the file is there and cannot be read.
    """
    return _among(source, "digests", digests)


def validated_before(source: JobFolder, digests: Digests) -> NDArray[np.bool_] | None:
    """Whether each example is among a model's validation examples, and not among its training examples.

    Args:
        source: the folder of the training job.
        digests: of the examples, as `digests_of` returns them.

    Returns:
        (examples,); None if the training job kept no digests of its validation examples, as before version
        0.2.

    Raises:
        DamagedFolder: the file is there and cannot be read.
    """
    seen, validated = (_among(source, name, digests) for name in ("digests", "validation"))
    return None if seen is None or validated is None else validated & ~seen


def _among(source: JobFolder, name: str, digests: Digests) -> NDArray[np.bool_] | None:
    """Whether each digest is in an array of a training job; None where it has none of that name."""
    try:
        with open_arrays(source.path / FILE, MOST_BYTES, "a list of digests") as arrays:
            if name != "digests" and name not in arrays.names:
                return None
            known = arrays.read(name)
            if known.ndim != 1 or known.dtype != np.uint64:
                raise ValueError("other digests")
            return np.isin(digests, known)
    except FileNotFoundError:
        return None
