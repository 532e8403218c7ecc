"""Images of any size and any usual number type as 28 × 28 bytes, and notes about what was done to them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidData
from jobs.wording import counted

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 28
PIXELS = SIDE * SIDE
MAX_PIXELS = 50_000_000
"""The most pixels that one image may have; about what a good camera takes."""

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


def stack(place: str, array: NDArray[Any]) -> NDArray[Any]:
    """Bring an array that a person gave into the shape (images, height, width), its values as they are.

    Args:
        place: file and array, for messages.
        array: (n, height, width), (n, height, width, 1), or one image of (28, 28).

    Returns:
        (n, height, width), n being at least 1.

    Raises:
        InvalidData: another shape, no images, or too large ones.
    """
    if array.shape == (SIDE, SIDE):
        array = array[np.newaxis]
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    shape = f"shape ({', '.join(map(str, array.shape))})"
    if array.ndim != 3:
        flat = array.ndim == 2 and array.shape[1] == PIXELS
        raise InvalidData(
            place,
            expected="shape (images, height, width), grey levels only",
            given=shape,
            hint=f"reshape it to ({array.shape[0]}, {SIDE}, {SIDE})" if flat else None,
        )
    if array.size == 0:
        raise InvalidData(place, expected="at least one image", given=shape)
    _, height, width = array.shape
    if height * width > MAX_PIXELS:
        raise too_many_pixels(place, width, height)
    return array


def too_many_pixels(place: str, width: int, height: int) -> InvalidData:
    """Return the error for an image of more than `MAX_PIXELS` pixels.

    Args:
        place: the file, for the message.
        width: in pixels.
        height: in pixels.
    """
    return InvalidData(
        place, expected=f"at most {MAX_PIXELS:,} pixels in an image", given=f"{width:,} × {height:,}"
    )


def as_images(place: str, array: NDArray[Any]) -> tuple[Pixels, list[str]]:
    """Turn images of any size into images of 28 × 28 bytes.

    Args:
        place: file and array, for messages.
        array: (n, height, width): integers from 0 to 255, real numbers from 0 to 1, or booleans.

    Returns:
        uint8 (n, 28, 28), 0 to 255, and sentences about what was done.

    Raises:
        InvalidData: values of another type, out of range, or not finite.
    """
    notes = []
    levels = _grey_levels(place, array)
    brightest = int(levels.max())
    if brightest < 64:
        notes.append(
            f"The brightest pixel in {place} has grey level {brightest} of 255; contrast was not changed."
        )
    count, height, width = levels.shape
    if (height, width) != (SIDE, SIDE):
        from PIL import Image

        levels = np.stack([scaled_to_fit(Image.fromarray(image)) for image in levels])
    notes += resize_notes([(width, height)] * count)
    return levels, notes


def as_labels(place: str, array: NDArray[Any], count: int) -> tuple[Labels | None, list[str]]:
    """Turn an array that a person gave into one label for each image.

    Labels stand for digits, so any others than 0 to 9 are ignored, with a note.

    Args:
        place: file and array, for messages.
        array: integers (count,) or (count, 1).
        count: how many images there are.

    Returns:
        int64 (count,), or None, and sentences about what was done.

    Raises:
        InvalidData: not `count` integers.
    """
    if array.shape == (count, 1):
        array = array[:, 0]
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise InvalidData(
            place,
            expected=f"{counted(count, 'integer')}, one for each image",
            given=f"shape ({', '.join(map(str, array.shape))}) and type {array.dtype.name}",
        )
    if array.min() < 0 or array.max() > 9:
        return None, [
            f"Labels in {place} range from {array.min()} to {array.max()}; they were ignored, since only "
            "digits 0 to 9 serve as labels."
        ]
    return array.astype(np.int64), []


def scaled_to_fit(image: "Image") -> Pixels:
    """Scale a grey picture into 28 × 28, keeping its proportions, centred on black.

    Args:
        image: of Pillow's mode L, of any size.

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
    """Sentences about what `scaled_to_fit` did to images; none if all were 28 × 28.

    Args:
        sizes: (width, height) of each image, in pixels.
    """
    others = [size for size in sizes if size != (SIDE, SIDE)]
    if not others:
        return []
    width, height = others[0]
    if set(sizes) == {(width, height)}:
        text = f"Images were resized from {width} × {height} to {SIDE} × {SIDE}"
    else:
        text = f"Some images ({len(others):,} of {len(sizes):,}) were resized to {SIDE} × {SIDE}"
    square = all(width == height for width, height in others)
    return [f"{text}." if square else f"{text}, keeping their proportions, with black around them."]


def polarity_notes(images: Pixels) -> list[str]:
    """A sentence if images uint8 (n, 28, 28) look dark on light; they are not inverted."""
    mean = float(images.mean())
    if mean <= 127:
        return []
    return [
        f"The images look dark on light (mean grey level {mean:.0f} of 255), where light on dark is usual; "
        "they were not inverted."
    ]


def _grey_levels(place: str, array: NDArray[Any]) -> Pixels:
    """The array as bytes, checked without a second copy in floating point."""
    expected = "integers from 0 to 255 or real numbers from 0 to 1"
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "iuf":
        raise InvalidData(place, expected=expected, given=f"values of type {array.dtype.name}")
    lowest, highest = array.min(), array.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise InvalidData(place, expected=expected, given="values that are not finite (NaN or infinity)")
    real = array.dtype.kind == "f"
    if lowest < 0 or highest > (1 if real else 255):
        kind = "real numbers" if real else "integers"
        raise InvalidData(place, expected=expected, given=f"{kind} from {lowest:g} to {highest:g}")
    if not real:
        return array.astype(np.uint8, copy=False)
    levels = np.empty(array.shape, np.uint8)
    for image, level in zip(array, levels, strict=True):
        level[...] = np.rint(image * image.dtype.type(255))
    return levels
