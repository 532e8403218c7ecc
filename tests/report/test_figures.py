"""Figures as files and as images in a page: SVG, PNG, thumbnail."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from worker.report.figure_files import write_drawing, write_thumbnail
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


@pytest.mark.parametrize(("width", "height"), [(7.0, 4.0), (9.0, 1.0), (3.0, 9.0)])
def test_a_thumbnail_is_small_and_never_a_thin_strip(tmp_path: Path, width: float, height: float) -> None:
    with themed():
        write_drawing(new_drawing(width, height), tmp_path, "figure")
    write_thumbnail(tmp_path, "figure")
    with Image.open(tmp_path / "thumbnail.png") as image:
        assert image.width <= 320
        assert image.height <= 240
        assert 0.9 <= image.width / image.height <= 2.6
