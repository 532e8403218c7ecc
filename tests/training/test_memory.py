"""A training job that could not fit into memory is refused in one sentence."""

import pytest

from jobs.errors import InvalidJob
from worker.training.memory import check_memory


def test_what_fits_is_accepted_and_what_does_not_gets_one_sentence() -> None:
    check_memory("batch_size and length", 16e9)
    with pytest.raises(InvalidJob) as caught:
        check_memory("batch_size, window, layers and units", 31.2e9)
    assert str(caught.value) == (
        "batch_size, window, layers and units: expected at most 16 GB for a training step, got about 31 GB"
    )
