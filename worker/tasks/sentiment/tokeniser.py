"""Finds the words of a review.

Ours, because Keras' `TextVectorization` keeps every review as Python text or one padded table, needs
TensorFlow to read, and does not treat apostrophes and `<br />` in this way.

The tokeniser reads HTML entities and backslash escapes as the characters that they stand for, converts a
text to lower case and Unicode's composed form (NFC), reads simple tags such as `<br />` as a space, and finds
words: runs of letters and digits of any script, with apostrophes inside (`don't` is one word; `’` counts as
`'`). Everything else separates words and is dropped. Languages without spaces between words are not split.

`token_block.py` finds the same words in many reviews at once.
"""

import re

from worker.datasets.composed_text import composed
from worker.tasks.sentiment.meant_text import as_meant

_TAG = re.compile(r"</?(?:br|hr|p|div|span|b|i|u|em|strong|ul|ol|li)\s*/?>")
_WORD = re.compile(r"[^\W_]++(?:'[^\W_]++)*+")


def words_of(text: str) -> list[str]:
    """The words of a text, in its order."""
    return _WORD.findall(plain_text(as_meant(text)))


def plain_text(text: str) -> str:
    """A text in lower case and composed form, with spaces for tags, and one kind of apostrophe."""
    text = text.lower()
    if not text.isascii():
        text = composed(text).replace("’", "'")
    return _TAG.sub(" ", text) if "<" in text else text
