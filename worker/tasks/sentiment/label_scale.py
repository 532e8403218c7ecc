"""What the labels of a file mean: pos and neg, 1 and 0, stars, or those that a job lists."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from jobs.wording import alternatives, is_number, shown
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.reviews import LABELS

MOST_VALUES = 30
"""Different labels of a file that are looked at, to tell a scale by."""

_SHOWN_LEFT_OUT = 5

_MOST_REMEMBERED = 1_000
"""Labels as they are written whose meaning is remembered."""

_SCALES = (
    (range(-1, 2), "--positive 1 --negative -1"),
    (range(5), "--positive 3,4 --negative 0,1"),
    (range(1, 6), "--positive 4,5 --negative 1,2"),
    (range(1, 11), "--positive 7,8,9,10 --negative 1,2,3,4"),
)


@dataclass(frozen=True)
class Scale:
    """What the labels of a file mean.

    Attributes:
        meaning: 1 for positive and 0 for negative, by the label as `plain_label` returns it.
        between: labels that are left out; None where all others are.
        note: how the scale was found, to be read after a file's name; empty where nothing was guessed.
    """

    meaning: Mapping[str, int]
    between: frozenset[str] | None = frozenset()
    note: str = ""

    def labels_of(self, label: int) -> str:
        """Those that mean positive or negative, as one text."""
        return ", ".join(name for name, meaning in self.meaning.items() if meaning == label)


USUAL = Scale(LABELS)
"""pos and neg, positive and negative, 1 and 0, true and false."""

STARS = Scale(
    {"4": 1, "5": 1, "1": 0, "2": 0},
    frozenset(("3",)),
    "4 and 5 stars are read as positive, 1 and 2 as negative, since its ratings go from 1 to 5",
)

ONE_AND_TWO = Scale(
    {"2": 1, "1": 0}, note="the label 2 is read as positive and 1 as negative, since it has no others"
)


def listed_scale(options: FileOptions) -> Scale:
    """The scale that a job lists; all other labels are left out."""
    listed = dict.fromkeys(map(plain_label, options.positive), 1)
    return Scale(listed | dict.fromkeys(map(plain_label, options.negative), 0), None)


def scale_of_ratings(values: Collection[str], *, whole: bool) -> Scale | None:
    """What ratings mean, where their values leave no doubt.

    Args:
        values: those that occur, as `plain_label` returns them.
        whole: whether they are all; if not, others may follow.

    Returns:
        The scale; None where it is in doubt.
    """
    if set(values) <= {"1", "2", "3", "4", "5"} and (not whole or {"1", "5"} <= set(values)):
        return STARS if set(values) != {"1"} else USUAL
    return USUAL if set(values) <= LABELS.keys() else None


def scale_of_prefixes(values: Collection[str]) -> Scale:
    """What fastText's labels mean: 1 and 2 as in the well-known sets, or else as they are usual."""
    return ONE_AND_TWO if "2" in values and set(values) <= {"1", "2"} else USUAL


def plain_label(value: object) -> str:
    """A label in lower case, without spaces around it; a whole number without a fraction: `4` for `4.0`."""
    text = str(value).strip().lower()
    if len(text) < 20 and not text.isalpha() and is_number(text):
        number = float(text)
        return str(int(number)) if number.is_integer() else text
    return text


def is_of_a_scale(plain: str) -> bool:
    """Whether a label is a number, other than one for a missing value, as `plain_label` returns it."""
    return is_number(plain) and not plain.lstrip("+-").isalpha()


def hint_on(values: Collection[str]) -> str:
    """The options that would say what labels mean, an example made of those that occur."""
    plain = {value for value in values if len(value) <= 30}
    positive, negative = ([each for each in sorted(plain) if LABELS.get(each) == label] for label in (1, 0))
    numbers = {int(each) for each in plain if each.removeprefix("-").isdecimal() and len(each) < 9}
    example = "--positive 4,5 --negative 1,2"
    if len(numbers) < len(plain):
        if positive and negative:
            example = f"--positive {','.join(positive)} --negative {','.join(negative)}"
    elif len(numbers) == 2:
        example = f"--positive {max(numbers)} --negative {min(numbers)}"
    elif numbers:
        example = next((options for scale, options in _SCALES if numbers <= set(scale)), example)
    return f"--positive and --negative say which labels count, such as {example}; others are left out"


class LabelReader:
    """Reads the labels of a file, and counts those that are left out."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._known: dict[str, int] = {}
        self._left_out: dict[str, int] = {}
        self.left_out = 0

    @property
    def known(self) -> Mapping[str, int]:
        """Labels as the file writes them, those that were read so far."""
        return self._known

    def read(self, value: object) -> int | None:
        """1 for positive, 0 for negative, None for one that is left out.

        Raises:
            ValueError: it is none of the scale.
        """
        plain = "" if isinstance(value, list | dict) else plain_label(value)
        label = self._scale.meaning.get(plain)
        if label is None:
            if self._scale.between is not None and plain not in self._scale.between:
                raise ValueError(plain)
            self.left_out += 1
            if plain in self._left_out or len(self._left_out) <= _SHOWN_LEFT_OUT:
                self._left_out[plain] = self._left_out.get(plain, 0) + 1
        elif isinstance(value, str) and len(self._known) < _MOST_REMEMBERED:
            self._known[value] = label
        return label

    def shown_left_out(self) -> str:
        """The labels that were left out, the first few, each with its count: `3 (1,204), '' (7)`."""
        told = [f"{shown(plain, 32)} ({count:,})" for plain, count in self._left_out.items()]
        return ", ".join(told[:_SHOWN_LEFT_OUT] + ["…"] * (len(told) > _SHOWN_LEFT_OUT))


def expected_label(scale: Scale) -> str:
    """What a label may be, for a message."""
    if scale is USUAL:
        return "a label (pos, neg, positive, negative, 1, 0, true, false)"
    return f"a label ({alternatives([*scale.meaning, *(scale.between or ())])})"
