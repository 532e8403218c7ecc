"""Texts of figures in any script: in a font that has them, or by their codes, and without a warning."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.report import glyphs
from worker.report.figure_files import embed_drawing, write_drawing
from worker.report.glyphs import drawable
from worker.report.theme import new_drawing, themed


@pytest.fixture
def only_the_first_font(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(glyphs, "families", lambda: (glyphs.FIRST,))
    monkeypatch.setattr("worker.report.theme.families", glyphs.families)
    glyphs._known_characters.cache_clear()
    yield
    glyphs._known_characters.cache_clear()


@pytest.mark.usefixtures("only_the_first_font")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("digit é.png", "digit é.png"),
        ("日.png", "[U+65E5].png"),
        ("22 日本語 数.PNG", "22 [U+65E5 …] [U+6570].PNG"),
        ("שלום", "שלום"),
        ("a\nb", "a\nb"),
        ("", ""),
    ],
)
def test_characters_without_a_glyph_are_written_by_their_codes(text: str, shown: str) -> None:
    assert drawable(text) == shown


@pytest.mark.usefixtures("only_the_first_font")
def test_a_figure_with_such_a_text_is_drawn_without_a_warning(tmp_path: Path) -> None:
    with themed():
        drawing = new_drawing(3, 2)
        axes = drawing.add_subplot(xlabel="日本語")
        axes.plot([0, 1], label="数")
        axes.legend()
        axes.text(0, 0, "한국어")
        write_drawing(drawing, tmp_path, "figure")
        embed_drawing(drawing)
    assert axes.get_xlabel() == "[U+65E5 …]"


def test_an_installed_font_for_a_script_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [font.name for font in glyphs.fontManager.ttflist]
    monkeypatch.setattr(glyphs, "FALLBACKS", ("No Such Font", *names[:1]))
    glyphs.families.cache_clear()
    assert glyphs.families() == (glyphs.FIRST, names[0])
    glyphs.families.cache_clear()
