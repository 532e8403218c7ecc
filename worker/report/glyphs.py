"""Which characters a figure can show: those of the installed fonts. Others are written by their code."""

import re
from functools import cache
from itertools import chain

from matplotlib.figure import Figure as Drawing
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text

FIRST = "DejaVu Sans"
"""Comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew and many symbols."""

FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK TC", "Source Han Sans SC",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Hiragino Sans GB", "Hiragino Sans",
    "PingFang SC", "Apple SD Gothic Neo", "Arial Unicode MS", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic",
    "Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Tamil", "Noto Sans Thai", "FreeSans", "Unifont",
)  # fmt: skip
"""Fonts for scripts that the first one lacks, where they are installed."""

_PLAIN = re.compile("[\t\n\r\x20-\x7e]*")


@cache
def families() -> tuple[str, ...]:
    """The first font, then the installed ones among the fallbacks."""
    installed = {font.name for font in fontManager.ttflist}
    return FIRST, *(name for name in FALLBACKS if name in installed)


def drawable(text: str) -> str:
    """A text in which characters without a glyph are their codes: `[U+65E5]`, of several `[U+65E5 …]`."""
    if _PLAIN.fullmatch(text):
        return text
    known = _known_characters()
    parts: list[str] = []
    lacking: list[str] = []
    for character in [*text, ""]:
        if character and ord(character) not in known and character not in "\t\n\r":
            lacking.append(character)
            continue
        if lacking:
            parts.append(f"[U+{ord(lacking[0]):04X}{' …' if len(lacking) > 1 else ''}]")
            lacking = []
        parts.append(character)
    return "".join(parts)


def make_drawable(drawing: Drawing) -> None:
    """Have all texts of a drawing written with the glyphs that there are."""
    for text in drawing.findobj(Text):
        written = text.get_text()
        if (shown := drawable(written)) != written:
            text.set_text(shown)


@cache
def _known_characters() -> frozenset[int]:
    paths = (findfont(FontProperties(family=name)) for name in families())
    return frozenset(chain.from_iterable(get_font(path).get_charmap() for path in paths))
