"""Two training jobs that must have come to the same bits."""

import numpy as np

from jobs.store.job_folder import CHECKPOINT, JobFolder


def check_same_bits(mine: JobFolder, other: JobFolder) -> None:
    with np.load(mine.path / CHECKPOINT) as one, np.load(other.path / CHECKPOINT) as two:
        assert one.files == two.files
        for name in set(one.files) - {"history"}:
            np.testing.assert_array_equal(one[name], two[name])
        # The last column of the history is the seconds that an epoch took.
        np.testing.assert_array_equal(one["history"][:, :-1], two["history"][:, :-1])
