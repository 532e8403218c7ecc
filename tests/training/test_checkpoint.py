"""A checkpoint comes back as it was written, and anything else is refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest

from jobs.errors import DamagedFolder
from worker.training.checkpoint import Checkpoint
from worker.training.loss_points import LossPoint


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    row = {"epoch": 1, "loss": 0.25, "seconds": 1.5}
    variables, best = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7)], [np.ones(2, np.float32)]
    points = [LossPoint(0, 5, 10, 0.75, 3.75), LossPoint(0, 10, 10, 0.25, 5.0)]
    Checkpoint(1, 4, [row], variables, best, 2.5, points).write(path)
    found = Checkpoint.read(path)
    assert (found.epoch, found.step, found.history) == (1, 4, [row])
    assert (found.seconds, found.loss_points) == (2.5, points)
    assert Checkpoint.position(path) == (1, 4)
    for one, other in zip(found.variables + found.best_weights, variables + best, strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


def test_what_is_no_checkpoint_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    for content in (b"", b"PK\x03\x04", b"text"):
        path.write_bytes(content)
        with pytest.raises(DamagedFolder, match="this is not a checkpoint of Quartet"):
            Checkpoint.read(path)
    np.savez(path, position=np.array("{}"), history=np.array([object()], dtype=object))
    with pytest.raises(DamagedFolder, match="this is not a checkpoint of Quartet"):
        Checkpoint.read(path)
