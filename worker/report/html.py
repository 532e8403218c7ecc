"""Turns templates and whatever strangers wrote into pages: everything is escaped, nothing can run."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from jobs.visible import visible as visible_text
from worker.report import words

_CODE = re.compile("`([^`\n]+)`")


def visible(value: Any) -> Any:
    """Text with every character that a page cannot or should not hold shown as `[U+202E]`."""
    if isinstance(value, str) and not isinstance(value, Markup):  # Markup was made from visible text
        return visible_text(value)
    return value


def prose(text: str) -> Markup:
    """Escaped text in which `words between backticks` are set as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(visible(text)))))


def page(template: str, **context: Any) -> bytes:
    """Fill a template of `worker/report/templates`; the page as UTF-8."""
    return fragment(template, **context).encode()


def fragment(template: str, **context: Any) -> Markup:
    """Fill a template for a part of a page."""
    return Markup(_ENVIRONMENT.get_template(template).render(context))


_ENVIRONMENT = Environment(
    loader=PackageLoader("worker.report"),
    auto_reload=False,  # a template does not change under a running worker
    autoescape=True,
    finalize=visible,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {
    "number": words.number,
    "duration": words.duration,
    "size": words.size,
    "moment": words.moment,
    "prose": prose,
}
