"""Fills templates with text that anyone may have written: all of it is escaped, so none of it can run."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from jobs.escape_control import escape_control
from jobs.wording import counted, size_text
from worker.report import formatting

_CODE = re.compile("`([^`\n]+)`")


def finalize(value: Any) -> Any:
    """Escape control characters in every value that a template prints; Jinja calls this.

    Markup passes unchanged, since its text has been through here before.
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        return escape_control(value)
    return value


def prose(text: str) -> Markup:
    """Escape a text and set `words between backticks` as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(finalize(text)))))


def page(template: str, **context: Any) -> bytes:
    """Fill a template for a whole page.

    Args:
        template: the name of a file in `worker/report/templates`.
        context: the template's variables.

    Returns:
        The page as UTF-8.
    """
    return fragment(template, **context).encode()


def fragment(template: str, **context: Any) -> Markup:
    """Fill a template for part of a page.

    Args:
        template: the name of a file in `worker/report/templates`.
        context: the template's variables.
    """
    return Markup(_ENVIRONMENT.get_template(template).render(context))


_ENVIRONMENT = Environment(
    loader=PackageLoader("worker.report"),
    auto_reload=False,  # templates do not change while a worker runs
    autoescape=True,
    finalize=finalize,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {
    "counted": counted,
    "number": formatting.number,
    "duration": formatting.duration,
    "size": size_text,
    "moment": formatting.moment,
    "prose": prose,
}
