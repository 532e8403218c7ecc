"""What a report shows of `generate` of both image models."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.report.image_figures import named_rows, reading_order
from worker.report.parts import Figure, Parts

MOST_SHOWN = 40


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
        named_rows({name: row[:MOST_SHOWN] for name, row in rows.items()}),
    )
    if len(images["interpolation"]):
        yield _interpolation(images["interpolation_ends"], images["interpolation"])
    if len(images["samples"]):
        yield _samples(images["samples"], images["sample_digits"])


def _interpolation(ends: NDArray[np.uint8], between: NDArray[np.uint8]) -> Figure:
    places = np.arange(len(between))
    if len(between) > MOST_SHOWN:
        places = np.unique(np.linspace(0, len(between) - 1, MOST_SHOWN).round().astype(int))
    strip = np.concatenate([ends[:1], between[places], ends[1:]])
    shares = [f"{place / (len(between) - 1):.0%}" for place in places]
    left_out = len(between) - len(places)
    return Figure(
        "interpolation",
        "From one image to another",
        "The first and the last image are given. Between them, codes on the straight line from the one's "
        "code (0 %) to the other's (100 %) are decoded."
        + (f" {left_out:,} are left out here." if left_out else ""),
        f"{len(strip)} images in reading order that turn from one digit into another.",
        reading_order(strip, columns=5, captions=["given", *shares, "given"]),
    )


def _samples(samples: NDArray[np.uint8], digits: NDArray[np.int64]) -> Figure:
    shown = samples[:MOST_SHOWN]
    labelled = bool((digits >= 0).all())
    source = (
        "the Gaussian fitted to the codes of each digit in turn" if labelled else "a Gaussian fitted to codes"
    )
    return Figure(
        "samples",
        "Samples of the code",
        f"Codes drawn at random from {source} of training images, set to 0 where below, and decoded: digits "
        f"that nobody wrote.{_first_of(len(samples))}",
        f"{len(shown)} decoded random codes in reading order, most of them like digits.",
        reading_order(
            shown,
            columns=5,
            captions=[str(digit) for digit in digits[:MOST_SHOWN]] if labelled else (),
        ),
    )


def _first_of(count: int) -> str:
    return f" The first {MOST_SHOWN} of {count:,} are shown." if count > MOST_SHOWN else ""
