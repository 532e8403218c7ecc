"""The report page and the index: what they show, what they refuse to load, what cannot break them."""

import json
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from report_folders import (
    HOSTILE,
    JOB_ID,
    SHORT_TRAINING,
    hostile_record,
    job_record,
    trained_folder,
    write_folder,
)

from jobs.folder import JobFolder, Results
from jobs.spec import PARAMETERS, JobSpec
from worker import indexing
from worker.report import words
from worker.report.drawings import write_drawing, write_thumbnail
from worker.report.html import visible
from worker.report.index import MOST_ROWS, write_index
from worker.report.loss_curve import loss_curve
from worker.report.metrics import shown_metrics
from worker.report.page import headline, render
from worker.report.style import look, new_drawing
from worker.report.tables import shown_cells


class Page(HTMLParser):
    """The elements, attributes and text of a page, as a browser would see them."""

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
    render(folder)
    return Page(folder / "report.html")


def index_of(root: Path) -> Page:
    write_index(Results(root))
    return Page(root / "index.html")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_folder(tmp_path_factory.mktemp("results"))


# --- a page with results --------------------------------------------------------------


def test_a_training_shows_its_numbers_curve_files_and_how_to_do_it_again(trained: Path) -> None:
    page = Page(trained / "report.html")
    shown = shown_metrics("autoencoder", JobFolder(trained).metrics)
    assert len(shown) >= 1
    for metric in shown:
        assert metric.metric.label in page.text
        assert metric.text in page.text
    assert "Loss by epoch" in page.text
    assert "quartet submit autoencoder train --data digits" in page.text
    assert {value for value in page.values("href") if value.startswith("./")} >= {
        "./model.keras",
        "./history.csv",
        "./metrics.json",
        "./MANIFEST.sha256",
    }


def test_every_figure_is_embedded_described_and_written_twice(trained: Path) -> None:
    page = Page(trained / "report.html")
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    described = [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]
    assert len(sources) == len(described) >= 2
    assert all(source.startswith("data:image/") for source in sources)
    assert all(described)
    names = {path.stem for path in (trained / "figures").glob("*.svg")}
    assert len(names) == len(sources)
    assert names | {"thumbnail"} == {path.stem for path in (trained / "figures").glob("*.png")}


def test_a_report_is_the_same_each_time_it_is_made(trained: Path) -> None:
    before = {path: path.read_bytes() for path in (trained / "figures").iterdir()}
    page = (trained / "report.html").read_bytes()
    render(trained)
    assert {path: path.read_bytes() for path in (trained / "figures").iterdir()} == before
    assert (trained / "report.html").read_bytes() == page


def test_the_headline_is_the_first_metric_that_was_measured(trained: Path) -> None:
    from worker.tasks import autoencoder

    metrics = JobFolder(trained).metrics
    best = headline("autoencoder", metrics)
    first = next(metric for metric in autoencoder.METRICS if metric.name in metrics)
    assert best == {
        "label": first.label,
        "value": pytest.approx(metrics[first.name], abs=10**-first.digits),
        "unit": first.unit,
    }
    assert headline("autoencoder", {}) is None


def test_a_cancelled_job_shows_what_its_files_allow(trained: Path, tmp_path: Path) -> None:
    record = JobFolder(trained).job | {"state": "cancelled"}
    files = {"history.csv": (trained / "history.csv").read_text(), "metrics.json": '{"bce": 0.1234}'}
    page = page_of(write_folder(tmp_path, record, files))
    assert "0.1234" in page.text
    assert "Loss by epoch" in page.text
    assert "cancelled: what needs the files it had not yet written is missing" in page.text


def test_a_job_that_succeeded_without_its_files_is_an_error(trained: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, JobFolder(trained).job)
    with pytest.raises(FileNotFoundError):
        render(folder)
    assert not (folder / "report.html").exists()


# --- a page without results -----------------------------------------------------------


def test_a_failed_job_shows_its_error_and_the_end_of_its_log(tmp_path: Path) -> None:
    error = "data: /data/mine.npz has no `x_train`; allowed: x_train, x_test"
    record = job_record(SHORT_TRAINING, state="failed", error=error, log_end="first line\nlast line")
    page = page_of(write_folder(tmp_path, record))
    assert "/data/mine.npz has no x_train; allowed" in page.text
    assert "first line\nlast line" in page.text
    assert "img" not in page.elements


def test_failed_jobs_and_the_index_need_neither_tensorflow_nor_matplotlib(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, hostile_record())
    code = (
        "import sys; from pathlib import Path; from jobs.folder import Results\n"
        "from worker.report import index, page\n"
        f"page.render(Path({str(folder)!r})); index.write_index(Results(Path({str(tmp_path)!r})))\n"
        "print([name for name in ('tensorflow', 'keras', 'matplotlib', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", PARAMETERS.values(), ids=lambda kind: f"{kind.model} {kind.action}")
def test_every_parameter_is_shown_with_its_help_and_its_default_marked(kind: type, tmp_path: Path) -> None:
    source = {"from": JOB_ID} if kind.source == "needed" else {}
    given = {"text": ["good"]} if kind is PARAMETERS["sentiment", "generate"] else {}
    spec = JobSpec.make(kind.model, kind.action, parameters=given, **source)
    page = page_of(write_folder(tmp_path, job_record(spec, state="failed", error="none")))
    for name, field in kind.model_fields.items():
        assert name in page.text
        assert field.description.replace("`", "") in page.text
        if field.json_schema_extra and "unit" in field.json_schema_extra and field.default is not None:
            assert field.json_schema_extra["unit"] in page.text
    assert page.text.count("default") >= len(kind.model_fields) - len(given)
    assert (f"../{JOB_ID}/report.html" in page.values("href")) == bool(source)


def test_whatever_a_task_recorded_of_its_data_is_shown(tmp_path: Path) -> None:
    recorded = {
        "name": "mine",
        "path": "/data/mine.npz",
        "sha256": "ab" * 32,
        "examples": {"train": 60_000, "test": 10_000},
        "shape": [28, 28],
        "class_names": None,
        "resized": True,
        "labels": {"pos": [1, "positive"]},
    }
    record = job_record(SHORT_TRAINING, state="failed", error="none", data={"mine": recorded})
    lines = " ".join(page_of(write_folder(tmp_path, record)).text.split())
    assert "Data: mine path /data/mine.npz SHA-256 abab" in lines
    assert "examples train 60,000, test 10,000 shape 28, 28 resized yes" in lines
    assert 'labels {"pos": [1, "positive"]}' in lines


def test_a_changed_parameter_is_not_called_a_default(tmp_path: Path) -> None:
    spec = JobSpec.make("textgen", "generate", parameters={"temperature": [0.7]}, **{"from": JOB_ID})
    page = page_of(write_folder(tmp_path, job_record(spec, state="failed", error="none")))
    lines = " ".join(page.text.split())
    assert "may be given several times 0.7 top_k" in lines
    assert "0 for all 0 default" in lines


def test_a_thousand_long_reviews_do_not_make_a_large_page(tmp_path: Path) -> None:
    spec = JobSpec.make(
        "sentiment", "generate", parameters={"text": ["very good " * 2000] * 900}, **{"from": JOB_ID}
    )
    page = page_of(write_folder(tmp_path, job_record(spec, state="failed", error="none")))
    assert len(page.source) < 100_000
    assert "… and 888 more" in page.text


# --- what strangers wrote -------------------------------------------------------------


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
        assert hostile.text.count(visible(text)) >= 8
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
def test_what_a_page_cannot_hold_is_made_visible(given: str, shown: str) -> None:
    assert visible(given) == shown


# --- figures --------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_figure_with_odd_text_is_a_whole_svg(tmp_path: Path) -> None:
    with look():
        drawing = new_drawing(3, 2)
        drawing.suptitle("nul \x00, escape \x1b, -- > <b> & 🎻")
        image = write_drawing(drawing, tmp_path / "figures", "odd")
    root = ElementTree.fromstring((tmp_path / "figures" / "odd.svg").read_bytes())
    assert root.tag.endswith("svg")
    assert (image.width, image.height) == (288, 192)
    assert "prefers-color-scheme:dark" in (tmp_path / "figures" / "odd.svg").read_text()


def test_a_drawing_of_very_many_points_is_embedded_as_pixels(tmp_path: Path) -> None:
    with look():
        drawing = new_drawing(3, 2)
        drawing.add_subplot().scatter(range(20_000), range(20_000))
        image = write_drawing(drawing, tmp_path, "many")
    assert not image.turns_dark
    assert image.source.startswith("data:image/png;base64,")


@pytest.mark.parametrize(("width", "height"), [(7.0, 4.0), (9.0, 1.0), (3.0, 9.0)])
def test_a_thumbnail_is_small_and_never_a_thin_strip(tmp_path: Path, width: float, height: float) -> None:
    with look():
        write_drawing(new_drawing(width, height), tmp_path, "figure")
    write_thumbnail(tmp_path, "figure")
    with Image.open(tmp_path / "thumbnail.png") as image:
        assert image.width <= 320
        assert image.height <= 240
        assert 0.9 <= image.width / image.height <= 2.6


def test_the_loss_curve_says_in_words_what_it_shows() -> None:
    losses = [(0.25, 0.24), (0.12, 0.11), (0.10, 0.13)]
    history = [
        {"epoch": float(epoch), "loss": loss, "validation_loss": validation}
        for epoch, (loss, validation) in enumerate(losses, start=1)
    ]
    with look():
        figure = loss_curve(history)
    assert figure is not None
    assert "training loss went from 0.2500 to 0.1000 in 3 epochs." in figure.alt
    assert "validation loss went from 0.2400 to 0.1300 in 3 epochs, lowest 0.1100 in epoch 2." in figure.alt


@pytest.mark.parametrize(
    ("history", "words_in_it"),
    [
        ([{"epoch": 1.0, "loss": 0.5, "validation_loss": 0.4}], "is 0.5000 after epoch 1"),
        ([{"epoch": 1.0, "loss": 0.5}], "is 0.5000 after epoch 1"),
        ([{"epoch": 1.0, "loss": 0.5}, {"epoch": 2.0, "loss": float("nan")}], "is 0.5000 after epoch 1"),
        ([{"epoch": float(epoch), "loss": 1e12 / epoch} for epoch in range(1, 500)], "10¹²"),
    ],
)
def test_the_loss_curve_bears_short_and_odd_histories(
    history: list[dict[str, float]], words_in_it: str
) -> None:
    with look():
        figure = loss_curve(history)
    assert figure is not None
    assert words_in_it in figure.caption


@pytest.mark.parametrize(
    "history", [[], [{"epoch": 1.0, "seconds": 2.0}], [{"epoch": 1.0, "loss": float("inf")}]]
)
def test_no_loss_makes_no_curve(history: list[dict[str, float]]) -> None:
    assert loss_curve(history) is None


# --- numbers as text ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.09347, 4, "0.0935"),
        (17.0, 2, "17.00"),
        (-3.5, 1, "−3.5"),
        (1234567.891, 2, "1,234,567.89"),
        (0.0, 4, "0.0000"),
        (0.0000012, 4, "1.200 × 10⁻⁶"),
        (1e300, 2, "1.000 × 10³⁰⁰"),
        (10**400, None, "1.000 × 10⁴⁰⁰"),
        (70_000, None, "70,000"),
        (0.123456, None, "0.1235"),
        (123.456, None, "123.5"),
        (12345.6, None, "12,346"),
        (float("inf"), 2, "inf"),
        (float("-inf"), 2, "−inf"),
        (float("nan"), 2, "nan"),
    ],
)
def test_numbers_keep_their_digits_and_never_fill_a_line(value: float, digits: int, text: str) -> None:
    assert words.number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0935, "0.0935"), (17.3, "17.3"), (12, "12"), (1e-7, "0.0000001"), (1e22, "1.000 × 10²²")],
)
def test_a_rounded_number_keeps_what_it_has(value: float, text: str) -> None:
    assert words.rounded_number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0.00 s"),
        (0.042, "0.04 s"),
        (12.34, "12.3 s"),
        (59.97, "1 min 00 s"),
        (63.2, "1 min 03 s"),
        (3599.7, "1 h 00 min"),
        (90_061, "25 h 01 min"),
    ],
)
def test_durations_read_as_a_person_says_them(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_999, "1.0 MB"), (10**15, "1,000.0 TB")],
)
def test_sizes_read_as_a_person_says_them(count: int, text: str) -> None:
    assert words.size(count) == text


def test_the_numbers_of_a_column_have_the_same_digits() -> None:
    texts, numeric = shown_cells(
        [
            ["noisy", 1.2312, 8.15, 0.2, 41, "62 %", "10 of 10 stars", float("nan")],
            ["denoised", 0.1291, 17.02, 1.0, 18_000, "4 %", "7", 1e-12],
        ]
    )
    assert texts == [
        ["noisy", "1.231", "8.15", "0.2", "41", "62 %", "10 of 10 stars", "nan"],
        ["denoised", "0.129", "17.02", "1.0", "18,000", "4 %", "7", "1.000 × 10⁻¹²"],
    ]
    assert numeric == [False, True, True, True, True, True, False, True]
    assert shown_cells([]) == ([], [])


# --- the index ------------------------------------------------------------------------


def test_the_index_lists_every_job_newest_first_and_links_to_its_report(tmp_path: Path) -> None:
    ids = [f"2026112{day}-120000-00{second}-abcd" for day in (3, 4) for second in (1, 2)]
    best = {"label": "binary cross-entropy", "value": 0.0935, "unit": "nats"}
    for job_id in ids:
        write_folder(tmp_path, job_record(SHORT_TRAINING, job_id=job_id, headline=best))
    page = index_of(tmp_path)
    assert page.values("href")[1:] == [f"./{job_id}/report.html" for job_id in reversed(ids)]
    lines = " ".join(page.text.split())
    assert "24 November 2026" in lines
    assert lines.count("0.0935 nats binary cross-entropy") == 4
    assert lines.count("12:00 · took 1 min 03 s") == 4
    assert "4 jobs, newest first" in lines


def test_a_job_on_the_index_has_its_thumbnail_or_a_stand_in(tmp_path: Path) -> None:
    figures = write_folder(tmp_path, job_record(SHORT_TRAINING)) / "figures"
    assert "img" not in index_of(tmp_path).elements
    figures.mkdir()
    (figures / "thumbnail.png").write_bytes(b"")
    later = JOB_ID.replace("2215", "2216")
    (write_folder(tmp_path, job_record(SHORT_TRAINING, job_id=later)) / "figures").symlink_to(figures)
    assert index_of(tmp_path).values("src") == [f"./{later}/figures/thumbnail.png"]


def test_an_empty_index_says_how_to_make_the_first_job(tmp_path: Path) -> None:
    page = index_of(tmp_path / "not there yet")
    assert "quartet run autoencoder train --data digits" in page.text


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe\x00",
        b'{"spec": 3, "state": "failed", "headline": null, "error": null, "seconds": 1}',
        *(
            json.dumps(job_record(SHORT_TRAINING, **{name: value})).encode()
            for name, value in [
                ("headline", "good"),
                ("headline", {"label": "x", "value": "high", "unit": ""}),
                ("headline", {"value": 1}),
                ("seconds", "long"),
                ("error", 7),
            ]
        ),
    ],
)
def test_a_damaged_folder_is_a_row_that_says_so(tmp_path: Path, content: bytes | None) -> None:
    damaged = tmp_path / JOB_ID
    damaged.mkdir()
    if content is not None:
        (damaged / "job.json").write_bytes(content)
    whole = JOB_ID.replace("2215", "2216")
    write_folder(tmp_path, job_record(SHORT_TRAINING, job_id=whole))
    page = index_of(tmp_path)
    assert "damaged" in page.text
    assert "missing or is not a job's record" in page.text
    assert f"./{whole}/report.html" in page.values("href")


def test_the_index_shows_the_newest_thousand_and_says_of_how_many(tmp_path: Path) -> None:
    for second in range(MOST_ROWS + 2):
        job_id = f"20261123-{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}-000-abcd"
        write_folder(tmp_path, job_record(SHORT_TRAINING, job_id=job_id))
    page = index_of(tmp_path)
    assert "The newest 1,000 of 1,002 jobs" in " ".join(page.text.split())
    assert len(page.values("href")) == 1 + MOST_ROWS
    assert not any("-000000-" in link for link in page.values("href"))


def test_hostile_text_on_the_index_changes_no_element(tmp_path: Path) -> None:
    def rows(root: Path, texts: tuple[str, ...]) -> Page:
        best = {"label": texts[0], "value": 1e300, "unit": texts[1]}
        for second, text in enumerate(texts):
            job_id = f"20261123-2215{second:02d}-042-k7qd"
            record = hostile_record(texts, error=text, headline=best)
            record["spec"] |= {"name": text, "model": text, "action": text}
            record |= {"id": job_id, "state": text}
            write_folder(root, record)
        return index_of(root)

    hostile = rows(tmp_path / "hostile", HOSTILE)
    expected = rows(tmp_path / "harmless", tuple(f"harmless {index}" for index in range(len(HOSTILE))))
    assert hostile.elements == expected.elements
    assert all(visible(text) in hostile.text for text in HOSTILE)
    assert "1.000 × 10³⁰⁰" in hostile.text


def test_workers_that_finish_together_leave_an_index_with_all_their_jobs(tmp_path: Path) -> None:
    ids = [f"20261123-2215{second:02d}-042-k7qd" for second in range(16)]

    def finish(job_id: str) -> None:
        write_folder(tmp_path, job_record(SHORT_TRAINING, job_id=job_id))
        write_index(Results(tmp_path))

    threads = [threading.Thread(target=finish, args=(job_id,)) for job_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page = Page(tmp_path / "index.html")
    assert sorted(page.values("href")[1:]) == [f"./{job_id}/report.html" for job_id in ids]


def test_jobs_published_one_soon_after_another_are_all_on_an_index_that_is_written_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, written = Results(tmp_path), []

    def noting_write_index(results: Results) -> None:
        write_index(results)
        written.append(results)

    monkeypatch.setattr(indexing, "write_index", noting_write_index)
    ids = [f"20261123-2215{second:02d}-042-k7qd" for second in range(16)]
    for job_id in ids:
        write_folder(tmp_path, job_record(SHORT_TRAINING, job_id=job_id))
        indexing.update(results)
    indexing.wait()
    page = Page(tmp_path / "index.html")
    assert sorted(page.values("href")[1:]) == [f"./{job_id}/report.html" for job_id in ids]
    assert len(written) <= 3


def test_a_published_folder_is_read_once_and_a_removed_one_is_no_longer_shown(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, job_record(SHORT_TRAINING))
    assert "succeeded" in index_of(tmp_path).text
    (folder / "job.json").write_text("{")
    assert "succeeded" in index_of(tmp_path).text
    folder.rename(tmp_path / "elsewhere")
    assert "No job yet" in index_of(tmp_path).text


def test_a_folder_whose_name_is_nearly_a_job_id_is_no_job_and_hides_none(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, job_record(SHORT_TRAINING))
    (tmp_path / "99999999-221530-042-k7qd").mkdir()
    page = index_of(tmp_path)
    assert folder.name in page.text
    assert "99999999" not in page.text
