"""The HTML that cards are made of. Whatever a stranger wrote is escaped and clipped; there is no script.

A notebook's page is dark or light by its own theme, which no media query knows. So all colours are those of
the text around a card, or stand out from both grounds.
"""

import html
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from jobs.escape_control import escape_control, escape_line

MOST_CHARACTERS = 300
"""Of one text in a card."""

COLOURS = {
    "waiting": "#8a8f98",
    "queued": "#8a8f98",
    "running": "#3d86d6",
    "succeeded": "#2c9a63",
    "ended": "#2c9a63",
    "failed": "#dd4b4b",
    "cancelled": "#a06fc4",
    "stopped": "#a06fc4",
}
"""Of the dot beside a state: each stands out from white and from black by 3:1 at least."""

FAINT = "rgba(128, 128, 128, .35)"

STYLE = f"""<style>
.quartet-card {{ display: flex; flex-wrap: wrap; gap: 14px; max-width: 720px; margin: 4px 0;
  padding: 10px 14px; border: 1px solid {FAINT}; border-radius: 8px; color: inherit;
  font: 13px/1.5 system-ui, sans-serif }}
.quartet-card > div {{ flex: 1 1 260px; min-width: 0; overflow-wrap: anywhere }}
.quartet-card > img {{ flex: none; width: 120px; height: 90px; object-fit: contain }}
.quartet-card .dot {{ display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 6px }}
.quartet-card .result {{ font-size: 18px }}
.quartet-card .faint {{ opacity: .72 }}
.quartet-card .said {{ border-left: 3px solid #c98a10; padding-left: 8px; margin: 4px 0;
  white-space: pre-wrap }}
.quartet-card .error {{ border-color: #dd4b4b }}
.quartet-card .track {{ height: 6px; margin: 6px 0; border-radius: 3px; background: {FAINT} }}
.quartet-card .track > div {{ height: 100%; border-radius: 3px; background: #3d86d6 }}
.quartet-card a {{ color: inherit; text-decoration: underline }}
.quartet-card summary {{ cursor: pointer }}
.quartet-card .wide {{ overflow-x: auto; overflow-wrap: normal }}
.quartet-card table {{ border-collapse: collapse; margin: 4px 0; background: none;
  font: inherit; color: inherit }}
.quartet-card :is(td, th) {{ padding: 1px 14px 1px 0; text-align: left; background: none; border: 0 }}
.quartet-card .number {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }}
</style>"""


def escaped(value: object, most: int = MOST_CHARACTERS) -> str:
    """A text on one line, harmless in HTML and in a quoted attribute.

    Args:
        value: whatever was found.
        most: characters; a longer text ends in `…`.
    """
    return html.escape(_clipped(escape_line(str(value)[: 4 * most]), most))


def said(value: object, kind: str = "") -> str:
    """A warning, or an error with its line breaks; empty where there is none."""
    text = _clipped(escape_control(str(value or "")[: 8 * MOST_CHARACTERS]), 2 * MOST_CHARACTERS)
    return f'<div class="said {kind}">{html.escape(text)}</div>' if text.strip() else ""


def block(content: str, kind: str = "") -> str:
    """A line of a card; none where there is no content."""
    return f'<div class="{kind}">{content}</div>' if content else ""


def state_text(state: str) -> str:
    """A state with its dot."""
    colour = COLOURS.get(state, COLOURS["queued"])
    return f'<span class="dot" style="background: {colour}"></span><b>{escaped(state)}</b>'


def bar(share: float | None) -> str:
    """How far something is, from 0 to 1; nothing where that is not known."""
    if share is None:
        return ""
    percent = 100 * min(1.0, max(0.0, share))
    about = f'role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent:.0f}"'
    return f'<div class="track" {about}><div style="width: {percent:.1f}%"></div></div>'


def link(path: Path, text: str) -> str:
    """A link to a file: relative where it lies below the notebook, since a browser follows no other one."""
    place, here = Path(os.path.abspath(path)), Path.cwd()  # noqa: PTH100 - a link is not to be resolved
    below = place.is_relative_to(here)
    address = quote(place.relative_to(here).as_posix()) if below else place.as_uri()
    return f'<a href="{html.escape(address)}" target="_blank" rel="noopener">{escaped(text)}</a>'


def table(header: Iterable[str], rows: Iterable[Iterable[str]], numbers: int) -> str:
    """A table.

    Args:
        header: the names of the columns; none for a table without.
        rows: their cells, as text.
        numbers: the number of the first column of numbers, from 0.
    """

    def line(cells: Iterable[str], tag: str) -> str:
        kinds = ("" if place < numbers else ' class="number"' for place in range(10**6))
        found = (
            f"<{tag}{kind}>{escaped(cell, 80)}</{tag}>" for kind, cell in zip(kinds, cells, strict=False)
        )
        return f"<tr>{''.join(found)}</tr>"

    names = list(header)
    lines = f"{line(names, 'th') if names else ''}{''.join(line(cells, 'td') for cells in rows)}"
    return f'<div class="wide"><table>{lines}</table></div>'


def details(summary: str, content: str) -> str:
    """What is shown on demand."""
    return f"<details><summary>{escaped(summary)}</summary>{content}</details>" if content else ""


def card(content: str, picture: str | None = None) -> str:
    """A whole card.

    Args:
        content: its lines, as HTML.
        picture: the address of a small picture.
    """
    image = f'<img src="{picture}" alt="">' if picture else ""
    return f'<div class="quartet-card">{STYLE}{image}<div>{content}</div></div>'


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
