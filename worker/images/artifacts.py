"""The files that image jobs leave for each other and for their reports."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.store.job_folder import JobFolder
from worker.context import JobContext

IMAGES_FILE = "images.npz"
CODE_FILE = "code.npz"

SHOWN_IMAGES = 10
"""Examples in a figure of a report."""


def save_images(context: JobContext, **arrays: NDArray[Any]) -> None:
    """Write `images.npz`, which `saved_images` reads for the report.

    Args:
        context: of the job, whose folder it is written into.
        arrays: images uint8 (n, 28, 28), and whatever else the report shows, by name.
    """
    np.savez_compressed(context.folder / IMAGES_FILE, allow_pickle=False, **arrays)


def saved_images(folder: JobFolder) -> dict[str, NDArray[Any]]:
    """Read the arrays that `save_images` wrote."""
    with np.load(folder.path / IMAGES_FILE, allow_pickle=False) as stored:
        return dict(stored)
