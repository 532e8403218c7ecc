"""What a report shows of `generate` of both image models."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.report.image_figures import named_rows, reading_order
from worker.report.parts import Figure, Parts

MOST_SHOWN = 20

LONGEST_NAME = 13
"""Letters that fit under an image."""


def generation_parts(
    images: Mapping[str, NDArray[Any]], rows: Mapping[str, NDArray[np.uint8]], title: str, caption: str
) -> Parts:
    """The images that went through the network, an interpolation and samples, as far as there are any.

    Args:
        images: the arrays of `images.npz`.
        rows: what to show of each image that went through, by name.
        title: of the figure with these rows.
        caption: of that figure.
    """
    count = len(images["output"])
    yield Figure(
        "images",
        title,
        f"{caption}{_first_of(count)}",
        f"{min(count, MOST_SHOWN)} images in columns, from above: {', '.join(rows)}.",
        named_rows(
            {name: row[:MOST_SHOWN] for name, row in rows.items()},
            captions=[_shortened(str(name)) for name in images["names"][:MOST_SHOWN]],
        ),
    )
    if len(images["interpolation"]):
        yield _interpolation(images["interpolation_ends"], images["interpolation"])
    if len(images["samples"]):
        yield _samples(images["samples"], images["sample_digits"])


def _interpolation(ends: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> Figure:
    last = len(decoded) - 1
    places = np.linspace(0, last, min(len(decoded), MOST_SHOWN - 2)).round().astype(int)
    left_out = len(decoded) - len(places)
    strip = np.concatenate([ends[:1], decoded[places], ends[1:]])
    return Figure(
        "interpolation",
        "From one image to another",
        "The first and the last image are given. Between them, codes on the straight line from the one's "
        "code (0 %) to the other's (100 %) are decoded."
        + (f" {left_out:,} of them are left out here." if left_out else ""),
        f"{len(strip)} images in reading order: one image turns into another.",
        reading_order(
            strip, captions=["given", *(f"{100 * place / last:.0f} %" for place in places), "given"]
        ),
    )


def _samples(samples: NDArray[np.uint8], digits: NDArray[np.int64]) -> Figure:
    shown = samples[:MOST_SHOWN]
    if (digits >= 0).all():
        source, captions = "one for each digit, in turn", [str(digit) for digit in digits[:MOST_SHOWN]]
    else:
        source, captions = "one for all", []
    return Figure(
        "samples",
        "Samples of the code",
        f"Gaussians were fitted to the codes of training images, {source}. Codes drawn from them, with 0 for "
        f"what is below 0, are decoded: images that nobody made.{_first_of(len(samples))}",
        f"{len(shown)} decoded random codes in reading order, most of them like digits.",
        reading_order(shown, captions=captions),
    )


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _first_of(count: int) -> str:
    return f" The first {MOST_SHOWN} of {count:,} are shown." if count > MOST_SHOWN else ""
