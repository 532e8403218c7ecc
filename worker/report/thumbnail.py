"""Draws the small picture of a job for lists: no words, a transparent ground, colours for light and dark.

A copy of a whole figure would be illegible at this size, and white in the dark. So the first images are shown
as large as they fit, and a chart is drawn anew: its lines and bars alone, thicker.
"""

import io
import logging
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Drawing
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from PIL import Image

from jobs.store.atomic_files import whole_file
from worker.report.theme import INK, MUTED, PAPER, RULE

log = logging.getLogger(__name__)

THUMBNAIL = "thumbnail.png"
WIDTH, HEIGHT = 320, 240
"""Pixels; lists show it at a third of that, or at two thirds on a fine screen."""

MIDDLE = "#7c8593"
"""Stands out from light and dark ground, in place of a colour that becomes another one in the dark."""

_CHANGED = {INK: MIDDLE, MUTED: MIDDLE, RULE: MIDDLE, PAPER: "none"}
_LINE = 3.2
_DOTS_PER_INCH = 160
_NARROWEST = 3 / 5
"""Of the height: a taller image is cut after a row of pictures."""


def write_thumbnail(drawing: Drawing, folder: Path) -> None:
    """Write `thumbnail.png`, at most `WIDTH` by `HEIGHT` pixels; none of a drawing that cannot be made small.

    Args:
        drawing: a figure of the job. It is changed, so write it before.
        folder: with the figures; it is there.

    Raises:
        OSError: the folder cannot be written.
    """
    images = [image for axes in drawing.axes for image in axes.get_images()]
    try:
        content = _enlarged(images[0]) if images else _redrawn(drawing)
    except Exception:  # whatever a model has drawn, its report is whole without this
        log.info("there is no thumbnail of this figure", exc_info=True)
        return
    with whole_file(folder / THUMBNAIL, durable=False) as file:
        file.write(content)


def _enlarged(image: AxesImage) -> bytes:
    """The beginning of an image, as large as fits."""
    pixels = np.asarray(image.to_rgba(np.asarray(image.get_array()), bytes=True))
    height, width = pixels.shape[:2]
    if height > width * HEIGHT / WIDTH:
        pixels = pixels[: _last_gap(pixels, round(width * HEIGHT / WIDTH))]
    elif width > 2 * height:
        pixels = pixels[:, : _last_gap(pixels.swapaxes(0, 1), 2 * height)]
    height, width = pixels.shape[:2]
    factor = min(WIDTH / width, HEIGHT / height)
    small = Image.fromarray(pixels).resize(
        (max(1, round(width * factor)), max(1, round(height * factor))), Image.Resampling.NEAREST
    )
    content = io.BytesIO()
    small.save(content, "png")
    return content.getvalue()


def _last_gap(pixels: Any, most: int) -> int:
    """Where to cut rows of pictures: at the last empty row of pixels up to `most`, or there."""
    empty = np.flatnonzero(~pixels[: most + 1, :, 3].any(axis=1))
    late = empty[empty >= most * _NARROWEST]
    return int(late[-1]) if late.size else most


def _redrawn(drawing: Drawing) -> bytes:
    """The first chart of a drawing without its words, as large as fits."""
    drawing.set_size_inches(WIDTH / _DOTS_PER_INCH, HEIGHT / _DOTS_PER_INCH)
    drawing.set_layout_engine("none")
    for legend in (*drawing.legends, *drawing.texts):
        legend.remove()
    chart, *others = drawing.axes or [drawing.add_subplot()]
    for axes in others:
        axes.remove()
    chart.set_position((0.04, 0.04, 0.93, 0.93))
    _clear_words(chart)
    for artist in chart.get_children():
        if isinstance(artist, Line2D | Patch | Collection):
            _set_colours(artist)
    content = io.BytesIO()
    drawing.savefig(content, format="png", dpi=_DOTS_PER_INCH, transparent=True, metadata={"Software": None})
    return content.getvalue()


def _clear_words(chart: Axes) -> None:
    legend = chart.get_legend()
    for artist in (*chart.texts, *([legend] if legend else [])):
        artist.remove()
    for title in ("left", "center", "right"):
        chart.set_title("", loc=title)
    chart.set(xlabel="", ylabel="")
    chart.set(xticks=[], yticks=[])
    chart.minorticks_off()
    chart.grid(visible=False)
    for name, spine in chart.spines.items():
        spine.set(visible=spine.get_visible() and name in ("left", "bottom"), color=MIDDLE, linewidth=1.2)


def _set_colours(artist: Artist) -> None:
    """Thicken lines, and replace the colours that are made for one ground alone."""
    if isinstance(artist, Line2D):
        artist.set_color(_changed(artist.get_color()))
        artist.set_linewidth(max(_LINE, artist.get_linewidth()) if artist.get_linewidth() else 0)
    elif isinstance(artist, Patch):
        artist.set(facecolor=_changed(artist.get_facecolor()), edgecolor=_changed(artist.get_edgecolor()))
    elif isinstance(artist, Collection) and artist.get_array() is None:
        artist.set_facecolor([_changed(colour) for colour in artist.get_facecolor()])
        artist.set_edgecolor([_changed(colour) for colour in artist.get_edgecolor()])


def _changed(colour: Any) -> Any:
    return _CHANGED.get(to_hex(colour), colour)
