"""Renders pages and reads them back, as a browser would see them."""

from html.parser import HTMLParser
from pathlib import Path

from jobs.store.results import Results
from tests.support.report_folders import render_page
from worker.report.index_page import write_index


class Page(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def page_of(folder: Path) -> Page:
    render_page(folder)
    return Page(folder / "report.html")


def index_of(root: Path) -> Page:
    write_index(Results(root))
    return Page(root / "index.html")
