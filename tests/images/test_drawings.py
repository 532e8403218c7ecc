"""Images in a report: what a file of a figure holds of them."""

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

from worker.images.drawings import named_rows
from worker.report.figure_files import write_drawing
from worker.report.theme import themed


def test_an_svg_holds_the_pixels_of_images_as_they_are(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(256, size=(3, 28, 28)).astype(np.uint8)
    with themed():
        write_drawing(named_rows({"original": images}), tmp_path, "rows")
    svg = (tmp_path / "rows.svg").read_text()
    [embedded] = re.findall(r"base64,\s*([^\"]+)\"", svg)
    with Image.open(io.BytesIO(base64.b64decode(embedded))) as image:
        np.testing.assert_array_equal(np.asarray(image)[:, :28, 0], images[0])
    assert "image-rendering:pixelated" in svg
