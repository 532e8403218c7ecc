"""New codes have the distribution of the old ones."""

import numpy as np
import pytest

from worker.images.code_distribution import CodeDistribution


def test_codes_are_drawn_as_they_were_seen() -> None:
    rng = np.random.default_rng(0)
    codes = np.concatenate([rng.normal(3, 0.1, (500, 32)), rng.normal(6, 0.2, (500, 32))])
    labels = np.repeat([4, 7], 500)
    drawn, digits = CodeDistribution.fit(codes.astype(np.float32), labels).draw(2_000, rng)
    assert digits[:4].tolist() == [4, 7, 4, 7]
    assert drawn[digits == 4].mean() == pytest.approx(3, abs=0.02)
    assert drawn[digits == 7].std(axis=0).mean() == pytest.approx(0.2, abs=0.02)
    alone = CodeDistribution.fit(codes[:1].astype(np.float32), None)
    np.testing.assert_allclose(alone.draw(2, rng)[0], codes[[0, 0]], rtol=1e-6)
