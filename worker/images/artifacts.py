"""The files that image jobs leave for each other and for their reports."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.store.job_folder import JobFolder
from worker.context import JobContext
from worker.training.plain_arrays import open_arrays

IMAGES_FILE = "images.npz"
CODE_FILE = "code.npz"

SHOWN_IMAGES = 10
"""Examples in a figure of a report."""

_MOST_BYTES = 2**29
"""Of all arrays of `images.npz`: a job that sends 100,000 images through has 250 million, and names."""


def save_images(context: JobContext, **arrays: NDArray[Any]) -> None:
    """Write `images.npz`, which `saved_images` reads for the report.

    Args:
        context: of the job, whose folder it is written into.
        arrays: images uint8 (n, 28, 28), and whatever else the report shows, by name.
    """
    np.savez_compressed(context.folder / IMAGES_FILE, allow_pickle=False, **arrays)


def saved_images(folder: JobFolder) -> dict[str, NDArray[Any]]:
    """Read the arrays that `save_images` wrote.

    Raises:
        DamagedFolder: the file is something else.
        OSError: there is none, or it cannot be read.
    """
    with open_arrays(folder.path / IMAGES_FILE, _MOST_BYTES, "what a job wrote") as stored:
        return {name: stored.read_finite(name) for name in stored.names}
