"""Makes the dataset `pydoc`: English prose about the Python language, from `pydoc_data.topics`."""

import re
from textwrap import dedent

from jobs.errors import MissingPart

_FEWEST_WORDS = 8
_NOT_PROSE = re.compile(r"^\s*(>>>|\.\.\.|[*=+|-]{4})|\n {3}", re.MULTILINE)


def prose() -> str:
    """Return the paragraphs of all topics that are sentences, an empty line between them.

    Headings, tables, grammar and code are left out.

    Returns:
        About 290,000 characters; the text depends on the version of Python.

    Raises:
        MissingPart: this Python was installed without its documentation.
    """
    try:
        from pydoc_data.topics import topics
    except ModuleNotFoundError:
        raise MissingPart(
            "pydoc: this Python has no module pydoc_data", hint="install Python's whole standard library"
        ) from None
    paragraphs = (
        dedent(paragraph.strip("\n")).strip()
        for name in sorted(topics)
        for paragraph in re.split(r"\n\s*\n", topics[name])
    )
    return "\n\n".join(paragraph for paragraph in paragraphs if _is_prose(paragraph)) + "\n"


def _is_prose(paragraph: str) -> bool:
    return (
        len(paragraph.split()) >= _FEWEST_WORDS
        and (paragraph[0].isalpha() or paragraph[0] in "\"'(")
        and paragraph[-1] in ".:!?)"
        and not _NOT_PROSE.search(paragraph)
    )
