"""What a report shows of `generate` of the image models."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.wording import counted
from worker.images.class_names import class_name
from worker.images.drawings import named_rows, reading_order
from worker.images.parameters import without_suffix
from worker.report.blocks import Blocks, Figure

MOST_SHOWN = 20

LONGEST_NAME = 13
"""Letters that fit under an image."""


def generation_blocks(
    images: Mapping[str, NDArray[Any]],
    rows: Mapping[str, NDArray[np.uint8]],
    title: str,
    caption: str,
    *,
    interpolated: str = "",
    encoded: str = "",
) -> Blocks:
    """Show the images that went through the network, an interpolation and samples, as far as there are any.

    Args:
        images: the arrays of `images.npz`.
        rows: what to show of each image that went through: name -> uint8 (k, 28, 28).
        title: of the figure with these rows.
        caption: of that figure.
        interpolated: what was done to the ends of an interpolation first: `with noise`; nothing if nothing.
        encoded: what was done to the training images before their codes were computed, likewise.
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
        yield _interpolation(images, interpolated)
    if len(images["samples"]):
        classes = tuple(map(str, images.get("sample_classes", ())))
        yield _samples(images["samples"], images["sample_digits"], classes, encoded)


def _interpolation(images: Mapping[str, NDArray[Any]], done: str) -> Figure:
    ends, decoded = images["interpolation_ends"], images["interpolation"]
    last = len(decoded) - 1
    seen = images["interpolation_inputs"] if done else ends[:0]
    shown = MOST_SHOWN - len(ends) - len(seen)
    places = np.linspace(0, last, min(len(decoded), shown)).round().astype(int)
    omitted = len(decoded) - len(places)
    strip = np.concatenate([ends[:1], seen[:1], decoded[places], seen[1:], ends[1:]])
    names = [f"{100 * place / last:.0f} %" for place in places]
    if done:
        names = [done, *names, done]
    beside = f"; beside them is what the network took, the same {done}" if done else ""
    return Figure(
        "interpolation",
        "From one image to another",
        f"The first and the last image are given{beside}. Between them are decoded codes on the straight "
        "line from the first image's code (0 %) to the last one's (100 %)."
        + (f" {omitted:,} of {counted(len(decoded), 'point')} are not shown." if omitted else ""),
        f"{counted(len(strip), 'image')} in reading order: one image turns into another.",
        reading_order(strip, captions=["given", *names, "given"]),
    )


def _samples(
    samples: NDArray[np.uint8], digits: NDArray[np.int64], classes: tuple[str, ...], done: str
) -> Figure:
    shown = samples[:MOST_SHOWN]
    by_digit, noun = bool((digits >= 0).all()), "class" if classes else "digit"
    fitted, drawn = (
        (f"each {noun}'s training images", f", {noun} by {noun} in turn,")
        if by_digit
        else ("training images", "")
    )
    names = [_shortened(class_name(digit, classes)) for digit in digits[:MOST_SHOWN].tolist()]
    return Figure(
        "samples",
        "Samples of the code",
        f"A Gaussian was fitted to the codes of {fitted}{done and f' {done}'}. New codes were drawn from "
        f"it{drawn} and clipped at 0 from below. Decoded, they are images that are not in the data."
        f"{_first_of(len(samples))}",
        f"{counted(len(shown), 'decoded random code')} in reading order.",
        reading_order(shown, captions=names if by_digit else []),
    )


def _shortened(name: str) -> str:
    """A name as it fits under an image; its end is kept, since names in a folder often begin alike."""
    name = without_suffix(name)
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[-half:]}"


def _first_of(count: int) -> str:
    return f" The first {MOST_SHOWN} of {count:,} are shown." if count > MOST_SHOWN else ""
