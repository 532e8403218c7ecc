"""Which grey levels the numbers of a person's images stand for, as no file says what white is.

What holds 0 to 1, 0 to 16 or 0 to 255 in a type with room for more would be black if the type decided. So the
numbers do: the smallest usual range that holds them all.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidData
from jobs.wording import counted

INTEGER_RANGES = (1, 3, 7, 16, 255, 1023, 4095, 65_535)
"""The largest value of 1, 2, 3, 8, 10, 12 and 16 bits; 16, of scikit-learn's digits, holds 4 bits."""

REAL_RANGES = (1, 16, 255, 1023, 4095, 65_535)

SLACK = 0.1
"""Share of a range by which real numbers may leave it, as they do after an image was resized."""

DARKEST = 0.25
"""Of a range but the first: real numbers that stay below this share of it may as well be of another one."""

EXPECTED = "integers from 0 to 255 or real numbers from 0 to 1"


@dataclass(frozen=True)
class ValueRange:
    """What black and white are among some numbers.

    Attributes:
        black: the number that becomes grey level 0, as does each below it.
        white: the number that becomes grey level 255, as does each above it.
        notes: sentences about it, if it is not the one that anybody would expect.
    """

    black: float
    white: float
    notes: tuple[str, ...] = ()

    def levels(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Convert numbers of any shape into grey levels, image by image, so that little memory is needed."""
        if values.dtype.kind == "b":
            return values.astype(np.uint8) * np.uint8(255)
        if (self.black, self.white) == (0, 255) and values.dtype.kind in "iu":
            return values.astype(np.uint8, copy=False)
        levels = np.empty(values.shape, np.uint8)
        for image, level in zip(values, levels, strict=True):
            kind = np.float64 if image.dtype.itemsize > 4 else np.float32
            share = (image.astype(kind) - kind(self.black)) / kind(self.white - self.black)
            level[...] = np.rint(np.clip(share, 0, 1) * 255)
        return levels


def integer_range(largest: int, most: int = 65_535) -> int:
    """The smallest usual range of integers that holds a number.

    Args:
        largest: of all numbers, 0 to `most`.
        most: what the file's own format means by white, for numbers that are all 0.
    """
    if largest == 0:
        return most
    return next(white for white in INTEGER_RANGES if largest <= white)


def range_of(places: dict[str, NDArray[Any]]) -> ValueRange:
    """The range of grey levels that arrays of one file have in common.

    Args:
        places: file and array, for messages -> numbers of any shape, at least one.

    Raises:
        InvalidData: values of another type, out of every range, or not finite.
    """
    extremes = [_extremes(place, array) for place, array in places.items() if array.dtype.kind != "b"]
    if not extremes:
        return ValueRange(0, 1)
    place, real = next(iter(places)), any(array.dtype.kind == "f" for array in places.values())
    lowest, highest = min(low for low, _ in extremes), max(high for _, high in extremes)
    found = _real_range(lowest, highest) if real else _integer_range(lowest, highest)
    if found is None:
        kind = "real numbers" if real else "integers"
        raise InvalidData(
            place,
            expected=EXPECTED,
            given=f"{kind} from {lowest:g} to {highest:g}",
            hint="scale them, and clip what lies outside",
        )
    return found


def check_type(place: str, dtype: np.dtype[Any]) -> None:
    """Refuse an array of anything but integers, real numbers and booleans.

    Args:
        place: file and array, for messages.
        dtype: of the array.

    Raises:
        InvalidData: it is of another type.
    """
    if dtype.kind not in "iufb":
        raise InvalidData(place, expected=EXPECTED, given=f"values of type {dtype.name}")


def _extremes(place: str, array: NDArray[Any]) -> tuple[float, float]:
    check_type(place, array.dtype)
    lowest, highest = float(array.min()), float(array.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise InvalidData(place, expected=EXPECTED, given="values that are not finite (NaN or infinity)")
    return lowest, highest


def _integer_range(lowest: float, highest: float) -> ValueRange | None:
    if lowest < 0 or highest > INTEGER_RANGES[-1]:
        return None
    white = integer_range(int(highest), most=255)
    return ValueRange(0, white, () if white == 255 else (_read_as("integers", lowest, highest, 0, white),))


def _real_range(lowest: float, highest: float) -> ValueRange | None:
    if -1 - SLACK <= lowest < -SLACK and highest <= 1 + SLACK:
        black, white = -1, 1
    else:
        fitting = (white for white in REAL_RANGES if highest <= white * (1 + SLACK))
        black, white = 0, next(fitting, 0)
        if lowest < -SLACK * white or (white > 1 and highest < DARKEST * min(white, 16)):
            return None
    if not white:
        return None
    notes = [] if (black, white) == (0, 1) else [_read_as("real numbers", lowest, highest, black, white)]
    if lowest < black or highest > white:
        notes.append(
            f"The images have values from {lowest:g} to {highest:g}; those outside of {black} to {white:,} "
            "were clipped."
        )
    return ValueRange(black, white, tuple(notes))


def _read_as(kind: str, lowest: float, highest: float, black: int, white: int) -> str:
    return (
        f"The images are {kind} from {lowest:g} to {highest:g}, which were read as {black} (black) to "
        f"{white:,} (white)."
    )


def deep_note(files: int, of: int, bits: int, largest: int, white: int) -> str:
    """A sentence about image files whose numbers use a small part of what their format has room for.

    Args:
        files: how many there are of them.
        of: how many files were read.
        bits: of a number in them, 8 or 16.
        largest: of all their numbers.
        white: the number that became white.
    """
    which = counted(files, "image file") if files < of else "The image file" if of == 1 else "The image files"
    return (
        f"{which} of {bits} bits {'has' if files == 1 else 'have'} no number above {largest:,}: 0 was read "
        f"as black and {white:,} as white."
    )
