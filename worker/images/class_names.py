"""What the labels of images stand for, where they are no digits."""

import string

MOST_CLASSES = 100
"""Labels are numbers below this; the most that a figure can tell apart, and more."""

_BALANCED = string.digits + string.ascii_uppercase + "abdefghnqrt"

EMNIST_CLASSES = {
    # Cohen et al. (2017), https://arxiv.org/abs/1702.05373: letters are numbered from 1.
    "emnist-letters": ("", *string.ascii_uppercase),
    "emnist-byclass": tuple(string.digits + string.ascii_uppercase + string.ascii_lowercase),
    "emnist-bymerge": tuple(_BALANCED),
    "emnist-balanced": tuple(_BALANCED),
}
"""Names by label, of the sets whose labels are no digits, by what their files' names begin with."""


def numbered(name: str) -> bool:
    """Whether a class is named by its number, `0` or `17`."""
    return name.isascii() and name.isdecimal() and str(int(name)) == name and int(name) < MOST_CLASSES


def class_name(label: int, classes: tuple[str, ...]) -> str:
    """What a label stands for; the number itself where it has no name."""
    return classes[label] if 0 <= label < len(classes) and classes[label] else str(label)
