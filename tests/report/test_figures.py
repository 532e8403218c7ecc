"""Figures as files and as images in a page: SVG, PNG."""

import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure as Drawing
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from worker.report.figure_files import write_drawing
from worker.report.theme import new_drawing, themed


@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_figure_with_odd_text_is_a_whole_svg(tmp_path: Path) -> None:
    with themed():
        drawing = new_drawing(3, 2)
        drawing.suptitle("nul \x00, escape \x1b, -- > <b> & 🎻")
        image = write_drawing(drawing, tmp_path / "figures", "odd")
    root = ElementTree.fromstring((tmp_path / "figures" / "odd.svg").read_bytes())
    assert root.tag.endswith("svg")
    assert (image.width, image.height) == (288, 192)
    assert "prefers-color-scheme:dark" in (tmp_path / "figures" / "odd.svg").read_text()


def test_a_drawing_of_very_many_points_is_embedded_as_pixels(tmp_path: Path) -> None:
    with themed():
        drawing = new_drawing(3, 2)
        drawing.add_subplot().scatter(range(20_000), range(20_000))
        image = write_drawing(drawing, tmp_path, "many")
    assert not image.turns_dark
    assert image.source.startswith("data:image/png;base64,")


def chart() -> Drawing:
    drawing = new_drawing(4, 3)
    axes = drawing.add_subplot(xlabel="epoch", ylabel="loss, nats per pixel")
    axes.plot(range(9), [1 / (epoch + 1) for epoch in range(9)], marker="o", label="training")
    axes.grid(visible=True, axis="y")
    drawing.legend(loc="outside upper center")
    return drawing


def test_a_png_has_the_very_pixels_and_the_size_that_matplotlib_would_save(tmp_path: Path) -> None:
    with themed():
        write_drawing(chart(), tmp_path, "loss")
        saved = io.BytesIO()
        chart().savefig(saved, format="png")
    with Image.open(tmp_path / "loss.png") as written, Image.open(saved) as expected:
        np.testing.assert_array_equal(np.asarray(written.convert("RGBA")), np.asarray(expected))
        assert written.info["dpi"] == expected.info["dpi"]
    assert (tmp_path / "loss.png").stat().st_size < len(saved.getvalue())


class CountingLayout(ConstrainedLayoutEngine):
    """Counts how often a drawing is laid out."""

    layouts = 0

    def execute(self, fig: Drawing) -> None:
        """Lay it out."""
        self.layouts += 1
        super().execute(fig)


def test_a_figure_is_laid_out_once_for_both_files(tmp_path: Path) -> None:
    with themed():
        drawing, counted = chart(), CountingLayout()
        drawing.set_layout_engine(counted)
        write_drawing(drawing, tmp_path, "loss")
    assert counted.layouts == 1
