"""Text that anyone may have written: it is shown, and changes neither the page nor where its links lead."""

from pathlib import Path

import pytest

from jobs.escape_control import escape_control
from tests.report.pages import Page, index_of, page_of
from tests.support.report_folders import HOSTILE, hostile_record, write_folder
from worker.report.templating import finalize


def test_hostile_text_is_shown_and_changes_no_element_of_the_page(tmp_path: Path) -> None:
    hostile = page_of(write_folder(tmp_path / "hostile", hostile_record()))
    harmless = tuple(f"harmless {index}" for index in range(len(HOSTILE)))
    expected = page_of(write_folder(tmp_path / "harmless", hostile_record(harmless)))
    assert hostile.elements == expected.elements
    assert [(tag, name) for tag, name, _ in hostile.attributes] == [
        (tag, name) for tag, name, _ in expected.attributes
    ]
    assert "script" not in hostile.elements
    for text in HOSTILE:
        assert hostile.text.count(escape_control(text)) >= 8
    assert not [name for _, name, _ in hostile.attributes if name.startswith("on")]
    assert "\x00" not in hostile.source
    assert "\u202e" not in hostile.source
    assert "49" not in hostile.text.replace("2026", "")


def test_no_address_on_a_page_leads_out_of_the_results(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path, hostile_record(), {"javascript:alert(1)": "", '"><img src=x>.txt': "", "ünï 100%.csv": ""}
    )
    for page in (page_of(folder), index_of(tmp_path)):
        addresses = page.values("href") + page.values("src")
        assert all(address.startswith(("./", "../", "data:")) for address in addresses)
        assert any("default-src 'none'" in policy for policy in page.values("content"))
    links = Page(folder / "report.html").values("href")
    assert {"./javascript%3Aalert%281%29", "./%C3%BCn%C3%AF%20100%25.csv"} <= set(links)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain, tab\tand\nline", "plain, tab\tand\nline"),
        ("\x00\x1b", "[U+0000][U+001B]"),
        ("\x7f\x9f", "[U+007F][U+009F]"),
        ("\u202e\u2069", "[U+202E][U+2069]"),
        ("\ud800", "[U+D800]"),
        ("👩‍🚀 שלום", "👩‍🚀 שלום"),
    ],
)
def test_what_a_page_cannot_hold_is_escaped(given: str, shown: str) -> None:
    assert finalize(given) == shown
