"""Images of any size and any usual number type as 28 × 28 bytes, and what was done to them in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidData

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 28
MAX_PIXELS = 50_000_000
"""The most pixels that one image may have; a good camera makes about as many."""

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


def stack(where: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return an array that a person gave as (images, height, width), its values as they are.

    Args:
        where: file and array, for messages.
        array: (n, height, width), (n, height, width, 1), or one image of 28 × 28.

    Raises:
        InvalidData: another shape, no images, or absurdly large ones.
    """
    if array.shape == (SIDE, SIDE):
        array = array[np.newaxis]
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim != 3:
        flat = array.ndim == 2 and array.shape[1] == SIDE * SIDE
        hint = f"; reshape it to ({array.shape[0]}, {SIDE}, {SIDE})" if flat else ""
        raise InvalidData(
            f"{where} has shape {_shape(array)}; allowed: (images, height, width), grey levels only{hint}"
        )
    if array.size == 0:
        raise InvalidData(f"{where} has shape {_shape(array)}, no image at all; allowed: at least one image")
    if array.shape[1] * array.shape[2] > MAX_PIXELS:
        raise InvalidData(
            f"{where} has images of {array.shape[2]:,} × {array.shape[1]:,} pixels, which is absurdly large; "
            f"allowed: {MAX_PIXELS:,} pixels each"
        )
    return array


def as_images(where: str, array: NDArray[Any]) -> tuple[Pixels, list[str]]:
    """Turn (images, height, width) into images of 28 × 28.

    Args:
        where: file and array, for messages.
        array: whole numbers from 0 to 255, real numbers from 0 to 1, or booleans.

    Returns:
        uint8 (n, 28, 28), 0 to 255, and sentences on what was done.

    Raises:
        InvalidData: values of another type, out of range, or not finite.
    """
    notes = []
    levels = _grey_levels(where, array)
    brightest = int(levels.max())
    if brightest < 64:
        notes.append(f"The brightest pixel of {where} is {brightest} of 255; nothing was stretched.")
    count, height, width = levels.shape
    if (height, width) != (SIDE, SIDE):
        from PIL import Image

        levels = np.stack([fit(Image.fromarray(image)) for image in levels])
    notes += resize_notes([(width, height)] * count)
    return levels, notes


def as_labels(where: str, array: NDArray[Any], count: int) -> tuple[Labels | None, list[str]]:
    """Turn an array that a person gave into one label for each image.

    Labels are used as digits, so others than 0 to 9 are left out, with a note.

    Returns:
        int64 (count,), or None, and sentences on what was done.

    Raises:
        InvalidData: not `count` whole numbers.
    """
    if array.shape == (count, 1):
        array = array[:, 0]
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise InvalidData(
            f"{where} has shape {_shape(array)} and type {array.dtype.name}; "
            f"allowed: {count:,} whole numbers, one for each image"
        )
    if array.min() < 0 or array.max() > 9:
        return None, [
            f"Labels in {where} run from {array.min()} to {array.max()}; only digits 0 to 9 are used as "
            "labels, so they were left out."
        ]
    return array.astype(np.int64), []


def fit(image: "Image") -> Pixels:
    """Scale a grey picture into 28 × 28, keeping its proportions, centred on black.

    Returns:
        uint8 (28, 28).
    """
    from PIL.Image import Resampling

    longest = max(image.size)
    width, height = (max(1, round(SIDE * length / longest)) for length in image.size)
    # Pillow's bicubic filter widens with the scale, so that shrinking does not alias.
    scaled = np.asarray(image.resize((width, height), Resampling.BICUBIC))
    fitted = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    fitted[top : top + height, left : left + width] = scaled
    return fitted


def resize_notes(sizes: Sequence[tuple[int, int]]) -> list[str]:
    """Say what `fit` did to images of these sizes (width, height); nothing if all were 28 × 28."""
    others = [size for size in sizes if size != (SIDE, SIDE)]
    if not others:
        return []
    width, height = others[0]
    if set(sizes) == {(width, height)}:
        text = f"Images were resized from {width} × {height} to {SIDE} × {SIDE}"
    else:
        text = f"{len(others):,} of {len(sizes):,} images were resized to {SIDE} × {SIDE}"
    square = all(width == height for width, height in others)
    return [f"{text}." if square else f"{text}, keeping their proportions, with black around them."]


def polarity_notes(images: Pixels) -> list[str]:
    """Say so if the images look dark on light, unlike MNIST's; they are not inverted."""
    mean = float(images.mean())
    if mean <= 127:
        return []
    return [
        f"The images look dark on light (mean grey level {mean:.0f} of 255); MNIST is light on dark; "
        "nothing was inverted."
    ]


def _grey_levels(where: str, array: NDArray[Any]) -> Pixels:
    """The array as bytes, checked without a second copy in floating point."""
    allowed = "allowed: whole numbers from 0 to 255, or real numbers from 0 to 1"
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "iuf":
        raise InvalidData(f"{where} has values of type {array.dtype.name}; {allowed}")
    lowest, highest = array.min(), array.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise InvalidData(f"{where} has values that are not finite (NaN or infinity); {allowed}")
    real = array.dtype.kind == "f"
    if lowest < 0 or highest > (1 if real else 255):
        kind = "real" if real else "whole"
        raise InvalidData(f"{where} has {kind} numbers from {lowest:g} to {highest:g}; {allowed}")
    if not real:
        return array.astype(np.uint8, copy=False)
    levels = np.empty(array.shape, np.uint8)
    for image, level in zip(array, levels, strict=True):
        level[...] = np.rint(image * image.dtype.type(255))
    return levels


def _shape(array: NDArray[Any]) -> str:
    return f"({', '.join(str(length) for length in array.shape)})"
