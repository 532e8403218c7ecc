"""Drawings as PNG: every pixel comes back."""

import io

import numpy as np
import pytest
from PIL import Image

from worker.report.png import png_of


@pytest.mark.parametrize(("alpha", "mode"), [(255, "RGB"), (7, "RGBA")])
def test_pixels_come_back_and_only_transparent_ones_bring_alpha(alpha: int, mode: str) -> None:
    pixels = np.random.default_rng(1).integers(256, size=(5, 9, 4)).astype(np.uint8)
    pixels[..., 3] = 255
    pixels[2, 3, 3] = alpha
    with Image.open(io.BytesIO(png_of(pixels, 160))) as image:
        assert image.mode == mode
        assert image.info["dpi"] == pytest.approx((160, 160), abs=0.02)
        np.testing.assert_array_equal(np.asarray(image.convert("RGBA")), pixels)
