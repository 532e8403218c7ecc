"""The namespace of a Quartet: two that share one Redis and database have one each."""

import re

FIELD = "QUARTET_NAMESPACE"
ACCEPTS = "up to 40 lower-case letters, digits and hyphens, other than quartet"


def is_namespace(text: str) -> bool:
    """Whether a text may be one.

    None has a character that is special in a pattern of Redis' rights. `quartet` is none, since the keys of a
    Quartet without a namespace begin so.
    """
    return re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,39})", text) is not None and text != "quartet"


def checked_namespace(text: str) -> str:
    """The setting `namespace`, for pydantic.

    Raises:
        ValueError: it is not valid.
    """
    if text and not is_namespace(text):
        raise ValueError(ACCEPTS)
    return text
