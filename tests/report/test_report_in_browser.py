"""The report and the index in a real browser: on a phone and a desktop, light and dark, hostile or not."""

import io
import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

from jobs.spec import JobSpec
from jobs.store.results import Results
from tests.report.browsing import DESKTOP, LEAST_CONTRAST, PHONE, new_entries, opened, widths_of_images
from tests.support.report_folders import (
    EVALUATION_ID,
    HOSTILE,
    JOB_ID,
    SHORT_TRAINING,
    evaluated_folder,
    hostile_record,
    job_record,
    render_page,
    trained_folder,
    write_folder,
)
from worker.report.index_page import write_index

pytestmark = pytest.mark.browser

FAILED_ID = "20261123-221630-042-k7qd"
HOSTILE_ID = "20261123-221730-042-k7qd"
WIDE_ID = "20261123-221830-042-k7qd"
IDS = (WIDE_ID, HOSTILE_ID, FAILED_ID, EVALUATION_ID, JOB_ID)
PAGES = ("index.html", *(f"{job_id}/report.html" for job_id in IDS))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained and evaluated autoencoder, a failed job, one hostile throughout, and one as wide as can be."""
    root = tmp_path_factory.mktemp("results")
    evaluated_folder(trained_folder(root))
    failed = job_record(
        SHORT_TRAINING,
        job_id=FAILED_ID,
        state="failed",
        error="/data/mine.npz: expected an array `x_train`, got `x_test`",
        log_end="\n".join(f"line {line} of the log" for line in range(100)),
    )
    render_page(write_folder(root, failed))
    hostile = hostile_record(
        id=HOSTILE_ID, headline={"label": HOSTILE[0], "value": 1e300, "unit": HOSTILE[1]}
    )
    render_page(write_folder(root, hostile))
    wide = job_record(
        JobSpec.make("sentiment", "train", name="ש" * 80, data="/data/" + "w" * 2_000),
        job_id=WIDE_ID,
        state="failed",
        error="e" * 2_000,
        command="quartet submit " + "c" * 2_000,
    )
    render_page(write_folder(root, wide))
    write_index(Results(root))
    return root


@pytest.mark.parametrize("page", PAGES)
def test_a_page_requests_nothing_from_outside_and_logs_no_error(
    browser: webdriver.Chrome, results: Path, page: str
) -> None:
    new_entries(browser, "performance"), new_entries(browser, "browser")
    opened(browser, (results / page).as_uri())
    events = [json.loads(entry["message"])["message"] for entry in new_entries(browser, "performance")]
    requested = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert requested
    assert [url for url in requested if not url.startswith((results.as_uri(), "data:"))] == []
    assert new_entries(browser, "browser") == []


@pytest.mark.parametrize("page", ["index.html", f"{HOSTILE_ID}/report.html"])
def test_no_script_of_a_stranger_runs(browser: webdriver.Chrome, results: Path, page: str) -> None:
    opened(browser, (results / page).as_uri())
    assert "Quartet" in browser.title
    assert browser.title != "owned"
    strange = "script:not([src^='./index/']), iframe, object, embed, form, [onload], [onerror]"
    assert browser.find_elements(By.CSS_SELECTOR, strange) == []
    assert "document.title = 'owned'" in browser.find_element(By.TAG_NAME, "body").text


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_its_screen_and_its_text_stands_out(
    browser: webdriver.Chrome, results: Path, page: str, width: int, dark: bool
) -> None:
    opened(browser, (results / page).as_uri(), width=width, dark=dark)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    contrast, text = browser.execute_script(LEAST_CONTRAST)
    assert contrast >= 4.5, text


def colours(browser: webdriver.Chrome) -> tuple[str, object]:
    """The page's background and a corner of its last figure."""
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    curve = browser.find_elements(By.CSS_SELECTOR, "figure img")[-1]
    with Image.open(io.BytesIO(curve.screenshot_as_png)) as image:
        return background, image.convert("RGB").getpixel((3, 3))


def test_a_page_and_its_figures_turn_dark_with_the_screen(browser: webdriver.Chrome, results: Path) -> None:
    report = (results / JOB_ID / "report.html").as_uri()
    opened(browser, report)
    assert colours(browser) == ("rgb(254, 254, 254)", (254, 254, 254))
    opened(browser, report, dark=True)
    assert colours(browser) == ("rgb(21, 23, 28)", (21, 23, 28))


def test_a_dark_screen_still_prints_on_white(browser: webdriver.Chrome, results: Path) -> None:
    opened(browser, (results / JOB_ID / "report.html").as_uri(), dark=True)
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": features})
    printed = colours(browser)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert printed == ("rgb(254, 254, 254)", (254, 254, 254))


@pytest.mark.parametrize("page", PAGES)
def test_every_image_has_loaded_and_is_described(browser: webdriver.Chrome, results: Path, page: str) -> None:
    opened(browser, (results / page).as_uri())
    images = browser.find_elements(By.TAG_NAME, "img")
    assert bool(images) == page.startswith(("index", JOB_ID, EVALUATION_ID))
    assert all(widths_of_images(browser))
    assert all(image.get_attribute("alt") for image in images)


@pytest.mark.parametrize("page", PAGES)
def test_headings_are_in_order_and_the_language_is_named(
    browser: webdriver.Chrome, results: Path, page: str
) -> None:
    opened(browser, (results / page).as_uri())
    levels = browser.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(heading => Number(heading.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later <= before + 1 for before, later in pairwise(levels))
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"


def test_the_index_leads_to_every_report_and_back(browser: webdriver.Chrome, results: Path) -> None:
    index = (results / "index.html").as_uri()
    opened(browser, index)
    links = [link.get_attribute("href") for link in browser.find_elements(By.CSS_SELECTOR, "#jobs th a")]
    assert links == [(results / job_id / "report.html").as_uri() for job_id in IDS]
    for link in links:
        opened(browser, index)
        browser.find_element(
            By.CSS_SELECTOR, f"#jobs th a[href='./{Path(link).parent.name}/report.html']"
        ).click()
        assert browser.current_url == link
        assert Path(link).parent.name in browser.find_element(By.TAG_NAME, "header").text
        browser.find_element(By.CSS_SELECTOR, "header a").click()
        assert browser.current_url == index


def test_a_report_that_was_moved_alone_still_has_its_figures(
    browser: webdriver.Chrome, results: Path, tmp_path: Path
) -> None:
    shutil.copyfile(results / EVALUATION_ID / "report.html", tmp_path / "report.html")
    opened(browser, (tmp_path / "report.html").as_uri())
    widths = widths_of_images(browser)
    assert len(widths) >= 2
    assert all(widths)


def test_an_index_from_a_web_server_has_its_thumbnails(browser: webdriver.Chrome, results: Path) -> None:
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(results))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened(browser, f"http://127.0.0.1:{server.server_port}/index.html")
        widths = widths_of_images(browser)
        server.shutdown()
    assert len(widths) == 4  # in the table, and in the list for browsers without JavaScript
    assert all(widths)


def test_the_log_opens_at_its_last_line(browser: webdriver.Chrome, results: Path) -> None:
    opened(browser, (results / FAILED_ID / "report.html").as_uri())
    distance = browser.execute_script(
        "const log = document.querySelector('pre.ends'); const end = log.firstElementChild;"
        "return end.getBoundingClientRect().bottom - log.getBoundingClientRect().bottom"
    )
    assert -40 < distance <= 0
