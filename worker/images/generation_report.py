"""What a report shows of `generate` of the image models."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.wording import counted
from worker.images.drawings import named_rows, reading_order
from worker.report.blocks import Blocks, Figure

MOST_SHOWN = 20

LONGEST_NAME = 13
"""Letters that fit under an image."""


def generation_blocks(
    images: Mapping[str, NDArray[Any]], rows: Mapping[str, NDArray[np.uint8]], title: str, caption: str
) -> Blocks:
    """Show the images that went through the network, an interpolation and samples, as far as there are any.

    Args:
        images: the arrays of `images.npz`.
        rows: what to show of each image that went through: name -> uint8 (k, 28, 28).
        title: of the figure with these rows.
        caption: of that figure.
    """
    count = len(images["output"])
    yield Figure(
        "images",
        title,
        f"{caption}{_first_of(count)}",
        f"{counted(min(count, MOST_SHOWN), 'image')} in columns, from top to bottom: {', '.join(rows)}.",
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
    omitted = len(decoded) - len(places)
    strip = np.concatenate([ends[:1], decoded[places], ends[1:]])
    return Figure(
        "interpolation",
        "From one image to another",
        "The first and the last image are given. Between them are decoded codes on the straight line from "
        "the first image's code (0 %) to the last one's (100 %)."
        + (f" {omitted:,} of {counted(len(decoded), 'point')} are not shown." if omitted else ""),
        f"{counted(len(strip), 'image')} in reading order: one image turns into another.",
        reading_order(
            strip, captions=["given", *(f"{100 * place / last:.0f} %" for place in places), "given"]
        ),
    )


def _samples(samples: NDArray[np.uint8], digits: NDArray[np.int64]) -> Figure:
    shown = samples[:MOST_SHOWN]
    by_digit = bool((digits >= 0).all())
    fitted, drawn = (
        ("each digit's training images", ", digit by digit in turn,") if by_digit else ("training images", "")
    )
    return Figure(
        "samples",
        "Samples of the code",
        f"A Gaussian was fitted to the codes of {fitted}. New codes were drawn from it{drawn} and clipped at "
        f"0 from below. Decoded, they are images that are not in the data.{_first_of(len(samples))}",
        f"{counted(len(shown), 'decoded random code')} in reading order, most of them like digits.",
        reading_order(shown, captions=[str(digit) for digit in digits[:MOST_SHOWN]] if by_digit else []),
    )


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _first_of(count: int) -> str:
    return f" The first {MOST_SHOWN} of {count:,} are shown." if count > MOST_SHOWN else ""
