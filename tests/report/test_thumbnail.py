"""The small picture of a job: legible at its size, on a light and on a dark ground."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray
from PIL import Image

from worker.report.theme import DARK_MODE, INK, PAPER, new_drawing, themed
from worker.report.thumbnail import HEIGHT, WIDTH, write_thumbnail

GROUNDS = (PAPER, DARK_MODE[PAPER])


def pixels_of(drawing: Drawing, folder: Path) -> NDArray[np.uint8]:
    write_thumbnail(drawing, folder)
    with Image.open(folder / "thumbnail.png") as image:
        assert image.width <= WIDTH
        assert image.height <= HEIGHT
        return np.asarray(image.convert("RGBA"))


def chart() -> Drawing:
    with themed():
        drawing = new_drawing(
            7,
            4,
        )
        axes = drawing.add_subplot()
        axes.plot(range(50), range(50), label="training", linewidth=0.8)
        axes.plot(range(50), range(50, 0, -1), color=INK, label="validation")
        axes.bar([10], [30], color=INK, edgecolor=PAPER)
        axes.set(title="A long title", xlabel="epoch", ylabel="loss")
        axes.text(10, 10, "words")
        axes.legend()
    return drawing


def luminance(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.where(colours <= 0.03928, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


def contrast(pixels: NDArray[np.uint8], ground: str) -> NDArray[np.float64]:
    """Of each opaque pixel with the ground."""
    behind = np.array([int(ground[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    pair = np.stack(
        np.broadcast_arrays(luminance(pixels[pixels[..., 3] == 255][:, :3] / 255), luminance(behind))
    )
    return (pair.max(axis=0) + 0.05) / (pair.min(axis=0) + 0.05)


@pytest.mark.parametrize("ground", GROUNDS, ids=["light", "dark"])
def test_all_of_a_chart_stands_out_from_a_light_and_a_dark_ground(tmp_path: Path, ground: str) -> None:
    pixels = pixels_of(chart(), tmp_path)
    assert pixels.shape == (HEIGHT, WIDTH, 4)
    assert tuple(pixels[3, -3]) == (255, 255, 255, 0) or pixels[3, -3, 3] == 0, "its ground is the page's"
    assert np.quantile(contrast(pixels, ground), 0.02) >= 2.5


def test_a_chart_fills_its_thumbnail_with_thick_lines_and_no_words(tmp_path: Path) -> None:
    pixels = pixels_of(chart(), tmp_path)
    drawn = pixels[..., 3] > 128
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert rows[-1] - rows[0] > 0.85 * HEIGHT
    assert columns[-1] - columns[0] > 0.85 * WIDTH
    column = drawn[:, WIDTH // 2]
    runs = np.diff(np.flatnonzero(np.diff(column.astype(int), prepend=0, append=0)))[::2]
    assert (runs >= 5).sum() >= 1, "a third of this is what a list shows"
    with themed():
        wordless = new_drawing(7, 4)
        wordless.add_subplot().set(title="A long title", xlabel="epoch", ylabel="loss")
    assert (pixels_of(wordless, tmp_path)[..., 3] > 0).mean() < 0.03


def grid(rows: int, columns: int) -> Drawing:
    canvas = np.zeros((rows * 30 - 2, columns * 30 - 2, 4), np.uint8)
    for row in range(rows):
        for column in range(columns):
            canvas[row * 30 : row * 30 + 28, column * 30 : column * 30 + 28] = 255
    with themed():
        drawing = new_drawing(4, 8)
        drawing.add_subplot().imshow(canvas)
    return drawing


@pytest.mark.parametrize(
    ("rows", "columns", "shown_rows", "shown_columns"), [(20, 5, 3, 5), (3, 5, 3, 5), (1, 30, 1, 2)]
)
def test_images_are_shown_large_and_whole_without_the_names_beside_them(
    tmp_path: Path, rows: int, columns: int, shown_rows: int, shown_columns: int
) -> None:
    pixels = pixels_of(grid(rows, columns), tmp_path)
    side = pixels.shape[1] / (shown_columns * 30 - 2) * 28
    assert side >= 55, "a third of this is what a list shows"
    gaps = np.diff(pixels[:, 5, 3].astype(int) > 0)
    assert np.count_nonzero(gaps) in (2 * shown_rows - 2, 2 * shown_rows - 1)
    assert pixels[0, 0, 3] == 255


def test_a_drawing_that_cannot_be_made_small_leaves_no_thumbnail_and_no_error(tmp_path: Path) -> None:
    with themed():
        drawing = new_drawing()
        axes = drawing.add_subplot()
    axes.get_children = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    write_thumbnail(drawing, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_drawing_has_a_thumbnail(tmp_path: Path) -> None:
    assert pixels_of(new_drawing(3, 9), tmp_path).shape == (HEIGHT, WIDTH, 4)
