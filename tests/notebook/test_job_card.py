"""A card shows what a job is, whatever a stranger wrote into it, in a light and in a dark notebook."""

import re
import struct
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.job import Job
from jobs.notebook.job_card import job_card
from jobs.notebook.markup import COLOURS, STYLE
from jobs.notebook.pictures import MOST_THUMBNAIL_BYTES
from tests.notebook.conftest import png, publish
from tests.support.ended_jobs import claimed
from tests.support.report_folders import HOSTILE

TAGS = {"div", "style", "img", "span", "b", "a", "details", "summary", "table", "tr", "td", "th"}
ATTRIBUTES = {"class", "style", "src", "alt", "href", "target", "rel", "role",
              "aria-valuemin", "aria-valuemax", "aria-valuenow"}  # fmt: skip
ADDRESSES = ("data:image/png;base64,", "file:///", "results/")


class Harmless(HTMLParser):
    """Refuses every element, attribute and address that is not of a card."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.links = "", []  # type: ignore[var-annotated]
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert {name for name, _ in attrs} <= ATTRIBUTES
        found = dict(attrs)
        for name in ("src", "href"):
            if name in found:
                assert str(found[name]).startswith(ADDRESSES), found[name]
                self.links.append(str(found[name]))
        if tag != "img":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += data


def read(card: str) -> Harmless:
    found = Harmless()
    found.feed(card)
    found.close()
    assert not found._open
    return found


def test_a_card_has_state_result_picture_warnings_numbers_and_a_link(client: Client) -> None:
    best = {"label": "PSNR", "value": "9.1", "unit": "dB"}
    job = publish(client, headline=best, warnings=["worse than the mean image"])
    card = read(job._repr_html_())
    for text in ("succeeded", "autoencoder train", "mine", "PSNR 9.1 dB", "worse than the mean image",
                 "digits", "63.2 s", job.id, "validation_bce", "0.123457"):  # fmt: skip
        assert text in card.text, text
    picture, report = card.links
    assert picture.startswith("data:image/png;base64,")
    assert report.endswith(f"{job.id}/report.html")


def test_what_strangers_wrote_is_shown_as_text_and_clipped(client: Client) -> None:
    job = publish(client)
    for text in (*HOSTILE, "x" * 10**6):
        check_harmless(job, text)


def check_harmless(job: Job, text: str) -> None:
    odd = {"label": text, "value": text, "unit": text}
    job = replace(
        job, name=text, error=text, headline=odd, warnings=(text,) * 9, tags=(text,), sweep=text,
        metrics={text: 1.0}, model=text,
    )  # fmt: skip
    card = job_card(job, {"stage": text}, text)
    read(card)
    assert len(card) < 20_000
    assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069\ud800-\udfff]", card)
    read(job_card(replace(job, state="running"), {"stage": text}, text))


def test_what_is_no_small_picture_is_left_out(client: Client) -> None:
    job = publish(client)
    picture = job.folder.path / "figures" / "thumbnail.png"
    huge_when_read = struct.pack(">8sI4sII", png()[:8], 13, b"IHDR", 2**15, 2**15)
    large_file = png() + bytes(MOST_THUMBNAIL_BYTES)
    for content in (b"", b"<svg onload=alert(1)>", png()[:20], huge_when_read, large_file):
        picture.write_bytes(content)
        assert "<img" not in job._repr_html_()


def test_a_link_out_of_the_folder_is_no_picture(client: Client, tmp_path: Path) -> None:
    job = publish(client)
    (tmp_path / "secret.png").write_bytes(png())
    picture = job.folder.path / "figures" / "thumbnail.png"
    picture.unlink()
    picture.symlink_to(tmp_path / "secret.png")
    assert "<img" not in job._repr_html_()
    (job.folder.path / "figures").rename(tmp_path / "elsewhere")
    (job.folder.path / "figures").symlink_to(tmp_path / "elsewhere")
    assert "<img" not in job._repr_html_()
    assert len(job.figures) == 0


def test_the_link_to_a_report_below_the_notebook_is_relative(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job = publish(client)
    assert read(job._repr_html_()).links[1] == f"results/{job.id}/report.html"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read(job._repr_html_()).links[1] == Path(str(job.report)).as_uri()


def test_a_card_of_a_job_that_was_looked_at_before_shows_how_it_is_now(client: Client) -> None:
    job = client.submit("denoiser", "train", data="digits")
    assert "queued" in read(job._repr_html_()).text
    claim = claimed(client, job)
    client.ledger.progress(claim, {"epoch": 1, "epochs": 4, "step": 0, "steps": 10})
    card = job._repr_html_()
    assert "running" in read(card).text
    assert "epoch 1/4 done" in card
    assert 'aria-valuenow="25"' in card


def test_all_colours_fit_light_and_dark() -> None:
    fixed = re.findall(r"(?:color|background)[a-z-]*: *([^;} ]+)", STYLE)
    assert set(fixed) <= {"inherit", "none", "rgba(128,", "#3d86d6", "#dd4b4b"}

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in (*COLOURS.values(), "#c98a10", "#3d86d6"):
        # WCAG 2.2's contrast of what is no text: with white, and with the darkest ground of notebooks.
        assert 1.05 / (luminance(colour) + 0.05) >= 2.8, colour
        assert (luminance(colour) + 0.05) / (luminance("#111111") + 0.05) >= 3, colour
