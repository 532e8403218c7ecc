"""On real MNIST the autoencoder reaches its published numbers with the defaults."""

import os
from pathlib import Path

import pytest

from benchmarks.image_quality import TARGETS, trained

DATA = os.environ.get("QUARTET_TEST_DATA", "")


@pytest.mark.quality
@pytest.mark.timeout(600)
@pytest.mark.skipif(
    not (Path(DATA) / "mnist.npz").is_file(), reason="QUARTET_TEST_DATA names no folder with mnist.npz"
)
def test_defaults_reach_the_published_numbers() -> None:
    rows = list(trained("autoencoder", Path(DATA)))
    assert [row.epochs for row in rows] == [10, 20, 50]
    for row in rows:
        assert row.holds, (row, TARGETS["autoencoder", row.epochs])
