"""Images of any size as 28 × 28 bytes, and notes about what was done to them."""

from collections import Counter
from dataclasses import dataclass, field
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

MAX_SIDE = 100_000
"""The most pixels in a row or a column: to shrink a longer one takes a filter of many times its size."""

MAX_IMAGES = 5_000_000
"""The most images in an array: as 28 × 28 bytes each they take 4 GB."""

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
    return array.reshape(check_shape(place, array.shape))


def check_shape(place: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Check the shape of an array as `stack` does.

    Args:
        place: file and array, for messages.
        shape: of the array.

    Returns:
        (images, height, width).

    Raises:
        InvalidData: as `stack` does.
    """
    given = f"shape ({', '.join(map(str, shape))})"
    if shape == (SIDE, SIDE):
        shape = (1, *shape)
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if len(shape) != 3:
        flat = len(shape) == 2 and shape[1] == PIXELS
        raise InvalidData(
            place,
            expected="shape (images, height, width), grey levels only",
            given=given,
            hint=f"reshape it to ({shape[0]}, {SIDE}, {SIDE})" if flat else None,
        )
    count, height, width = shape
    if not count * height * width:
        raise InvalidData(place, expected="at least one image", given=given)
    if height * width > MAX_PIXELS or max(height, width) > MAX_SIDE:
        raise too_many_pixels(place, width, height)
    if count > MAX_IMAGES:
        raise InvalidData(place, expected=f"at most {counted(MAX_IMAGES, 'image')}", given=f"{count:,}")
    return count, height, width


def too_many_pixels(place: str, width: int, height: int) -> InvalidData:
    """Return the error for an image of more than `MAX_PIXELS` pixels, or of `MAX_SIDE` in a row or a column.

    Args:
        place: the file, for the message.
        width: in pixels.
        height: in pixels.
    """
    most = (MAX_PIXELS, "an image") if width * height > MAX_PIXELS else (MAX_SIDE, "a row or a column")
    return InvalidData(
        place, expected=f"at most {most[0]:,} pixels in {most[1]}", given=f"{width:,} × {height:,}"
    )


def as_images(levels: Pixels) -> tuple[Pixels, list[str]]:
    """Scale images of one size to 28 × 28.

    Args:
        levels: uint8 (n, height, width).

    Returns:
        uint8 (n, 28, 28), and sentences about what was done.
    """
    if levels.shape[1:] == (SIDE, SIDE):
        return levels, []
    from PIL import Image

    scaled = Scaled()
    images = np.empty((len(levels), SIDE, SIDE), np.uint8)
    for level, fitted in zip(levels, images, strict=True):
        fitted[...] = scaled_to_fit(Image.fromarray(level), scaled)
    return images, scaled.notes()


@dataclass
class Scaled:
    """What `scaled_to_fit` did to some images.

    Attributes:
        sizes: (width, height) of those that were scaled -> how many had this size.
        total: how many images there were.
        surrounded: the grey levels that were put around images, 0 and 255.
    """

    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    total: int = 0
    surrounded: set[int] = field(default_factory=set)

    def notes(self) -> list[str]:
        """Sentences about it; none if all images were 28 × 28."""
        if not self.sizes:
            return []
        (width, height), count = self.sizes.most_common(1)[0]
        if count == self.total:
            text = f"Images were resized from {width} × {height} to {SIDE} × {SIDE}"
        else:
            resized = self.sizes.total()
            text = f"Some images ({resized:,} of {self.total:,}) were resized to {SIDE} × {SIDE}"
        around = {
            (): "",
            (0,): ", keeping their proportions, with black around them",
            (255,): ", keeping their proportions, with white around them",
            (0, 255): ", keeping their proportions, with black around dark ones and white around light ones",
        }
        return [f"{text}{around[tuple(sorted(self.surrounded))]}."]


def scaled_to_fit(image: "Image", scaled: Scaled | None = None, around: int | None = None) -> Pixels:
    """Scale a grey picture into 28 × 28, keeping its proportions, centred on black or white.

    Args:
        image: of Pillow's mode L, of any size.
        scaled: gets to know what was done.
        around: the grey level to centre it on, 0 or 255; without it, the one that the picture's edge is
            nearer to.

    Returns:
        uint8 (28, 28).
    """
    from PIL.Image import Resampling

    longest = max(image.size)
    width, height = (max(1, round(SIDE * length / longest)) for length in image.size)
    # Pillow's bicubic filter widens with the scale, so that shrinking does not alias.
    small = np.asarray(image.resize((width, height), Resampling.BICUBIC))
    if scaled is not None:
        scaled.total += 1
        if image.size != (SIDE, SIDE):
            scaled.sizes[image.size] += 1
    if small.shape == (SIDE, SIDE):
        return small
    if around is None:
        around = 255 if grounds(small[np.newaxis])[0] >= 128 else 0
    if scaled is not None:
        scaled.surrounded.add(around)
    fitted = np.full((SIDE, SIDE), around, np.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    fitted[top : top + height, left : left + width] = small
    return fitted


def grounds(images: Pixels) -> Pixels:
    """The grey level of each image's ground, (n,): the median of its outermost pixels.

    Args:
        images: uint8 (n, height, width).
    """
    ring = np.concatenate([images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1)
    middle = ring.shape[1] // 2  # np.median takes three times as long
    levels: Pixels = np.partition(ring, middle, axis=1)[:, middle]
    return levels
