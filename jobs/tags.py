"""What a tag of a job may be: a word by which jobs are found together."""

from collections.abc import Iterable
from typing import Any

MOST_TAGS = 20
LONGEST_TAG = 40
TAG_IN_WORDS = f"1 to {LONGEST_TAG} printable characters, no space or comma, and no + or - at the start"


def is_tag(value: object) -> bool:
    """Whether a value can be a tag."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= LONGEST_TAG
        and value.isprintable()
        and not {" ", ","} & set(value)
        and value[0] not in "+-"
    )


def as_list(tags: object) -> list[Any]:
    """Tags as a list: a single one, or what is no tag at all, as its only item."""
    return list(tags) if isinstance(tags, Iterable) and not isinstance(tags, str) else [tags]


def check_tag(value: object) -> str:
    """A tag as it is.

    Raises:
        ValueError: it cannot be one; the text is to be read after `expected`.
    """
    if not isinstance(value, str) or not is_tag(value):
        raise ValueError(TAG_IN_WORDS)
    return value


def check_tags(tags: Iterable[object]) -> tuple[str, ...]:
    """Tags, each once.

    Raises:
        ValueError: one cannot be a tag, or there are too many; the text is to be read after `expected`.
    """
    found: dict[str, None] = {}
    for tag in tags:
        found[check_tag(tag)] = None
    if len(found) > MOST_TAGS:
        raise ValueError(f"at most {MOST_TAGS} tags")
    return tuple(found)
