"""What images look like at a glance, so that none that means little goes through a network in silence."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jobs.wording import counted
from worker.images.pixels import PIXELS, Pixels, grounds

STANDS_OUT = 16
"""Grey levels between a pixel and its image's ground."""

FEWEST_PIXELS = 8
"""That stand out in an image with something in it; the thinnest digit of MNIST has 34."""

LEAST_CONTRAST = 64
"""Grey levels between the darkest and the brightest pixel of an image."""

MINORITY = 0.2
"""Of images, the largest share that may look otherwise where all are said to look alike."""

NAMED = 3
"""Images that a note lists."""

TABLE_FILE, REMARK = "images.csv", "remark"
"""Where a job that sends images through has a remark on each odd one, so that those not listed are found."""

DARK_ON_LIGHT, LIGHT_ON_DARK, MIXED = "dark on light", "light on dark", "mixed"
OTHER = {DARK_ON_LIGHT: LIGHT_ON_DARK, LIGHT_ON_DARK: DARK_ON_LIGHT}

_AT_ONCE = 4_096


def dark_on_light(images: Pixels) -> NDArray[np.bool_]:
    """Whether each of some images uint8 (n, 28, 28) is darker than its ground, on the whole: (n,)."""
    dark: NDArray[np.bool_] = images.reshape(len(images), PIXELS).mean(axis=1, dtype=np.float32) < grounds(
        images
    )
    return dark


def polarity(images: Pixels) -> str:
    """How most images uint8 (n, 28, 28) look, by a thousand: DARK_ON_LIGHT, LIGHT_ON_DARK or MIXED."""
    images = images[:: -(-len(images) // 1_000)]
    share = float(dark_on_light(images).mean())
    if MINORITY <= share <= 1 - MINORITY:
        return MIXED
    return LIGHT_ON_DARK if share < MINORITY else DARK_ON_LIGHT


def contrary(images: Pixels, usual: str) -> NDArray[np.bool_]:
    """Whether each of some images looks otherwise than those that a network was trained on, and is not empty.

    Args:
        images: uint8 (n, 28, 28).
        usual: the polarity of the training images.

    Returns:
        (n,); none where the training images look different among themselves.
    """
    if usual not in OTHER:
        return np.zeros(len(images), bool)
    odd: NDArray[np.bool_] = dark_on_light(images) == (usual == LIGHT_ON_DARK)
    odd[odd] = ~nearly_empty(images[odd])
    return odd


def remarks(images: Pixels, usual: str) -> list[str]:
    """What is odd about each of some images uint8 (n, 28, 28), nothing for most; for a table."""
    odd, faint, empty = contrary(images, usual), _faint(images), nearly_empty(images)
    return [
        "nearly empty"
        if is_empty
        else ", ".join([OTHER.get(usual, "")] * is_odd + ["little contrast"] * is_faint)
        for is_odd, is_faint, is_empty in zip(odd.tolist(), faint.tolist(), empty.tolist(), strict=True)
    ]


def contrary_notes(images: Pixels, usual: str, names: Sequence[str] = ()) -> tuple[str, bool] | None:
    """A sentence about images that look otherwise than those that a network was trained on.

    Args:
        images: uint8 (n, 28, 28).
        usual: the polarity of the training images.
        names: n names, or none.

    Returns:
        The sentence, and whether it is about more than a small part of them; None where there is none.
    """
    odd = contrary(images, usual)
    count = int(np.count_nonzero(odd))
    if not count:
        return None
    return (
        f"{_so_many(count, len(images))} {'looks' if count == 1 else 'look'} {OTHER[usual]}, while the model "
        f"was trained on images that are {usual}: what it makes of {'it' if count == 1 else 'them'} says "
        f"little until {'it is' if count == 1 else 'they are'} inverted{_named(odd, names)}."
    ), count > MINORITY * len(images)


def nearly_empty(images: Pixels) -> NDArray[np.bool_]:
    """Whether hardly a pixel of each image uint8 (n, 28, 28) stands out from its ground: (n,)."""
    empty = np.empty(len(images), bool)
    for first in range(0, len(images), _AT_ONCE):
        some = images[first : first + _AT_ONCE]
        ground = grounds(some).astype(np.int16)[:, np.newaxis, np.newaxis]
        difference = np.abs(some.astype(np.int16) - ground)
        empty[first : first + _AT_ONCE] = (difference > STANDS_OUT).sum(axis=(1, 2)) < FEWEST_PIXELS
    return empty


def empty_notes(images: Pixels, names: Sequence[str] = (), noun: str = "image") -> list[str]:
    """Sentences about images uint8 (n, 28, 28) in which there is little or nothing to see.

    Args:
        images: uint8 (n, 28, 28).
        names: n names, or none.
        noun: what one of them is called.
    """
    notes = []
    darkest, brightest = int(images.min()), int(images.max())
    empty = nearly_empty(images)
    if count := int(np.count_nonzero(empty)):
        notes.append(
            f"{_so_many(count, len(images), noun)} {'is' if count == 1 else 'are'} empty or nearly so: fewer "
            f"than {FEWEST_PIXELS} of {PIXELS} pixels stand out from the background{_named(empty, names)}."
        )
    faint = _faint(images) & ~empty
    if brightest - darkest < LEAST_CONTRAST and count < len(images):
        notes.append(
            f"The {noun}s have little contrast: their grey levels range from {darkest} to {brightest} of "
            "255. It was not changed."
        )
    elif count := int(np.count_nonzero(faint)):
        notes.append(
            f"{_so_many(count, len(images), noun)} {'has' if count == 1 else 'have'} little contrast, fewer "
            f"than {LEAST_CONTRAST} of 255 grey levels{_named(faint, names)}. It was not changed."
        )
    return notes


def _faint(images: Pixels) -> NDArray[np.bool_]:
    """Whether each image uint8 (n, 28, 28) has little contrast, one that is nearly empty included: (n,)."""
    levels = images.reshape(len(images), PIXELS)
    faint: NDArray[np.bool_] = levels.max(axis=1) - levels.min(axis=1) < LEAST_CONTRAST
    return faint


def _so_many(count: int, of: int, noun: str = "image") -> str:
    """How many of how many, as a sentence begins: `The image`, `All 3 images`, `2 of 13 images`."""
    if count == of:
        return f"The {noun}" if of == 1 else f"All {counted(of, noun)}"
    return f"{count:,} of {counted(of, noun)}"


def _named(chosen: NDArray[np.bool_], names: Sequence[str]) -> str:
    """The first names of those chosen, in brackets; nothing where there are no names or but one image."""
    if len(names) < 2:
        return ""
    found = np.flatnonzero(chosen)
    named = ", ".join(names[index] for index in found[:NAMED])
    others = len(found) - NAMED
    return f" ({named}{f' and {others:,} more: see {REMARK} in {TABLE_FILE}' if others > 0 else ''})"
