"""The page of all jobs in a real browser: search, order, comparison, ten thousand jobs, keys alone, a phone."""

import json
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from jobs.store.history import FOLDER, History
from jobs.store.history_row import Row
from jobs.store.labels import Labels
from jobs.store.labels_script import write_labels_script
from jobs.store.page_deletions import hide_from_page
from jobs.store.results import Results
from tests.dashboards.test_gallery import running
from tests.report.browsing import DESKTOP, LEAST_CONTRAST, new_entries, opened
from tests.support.processes import until
from tests.support.report_folders import HOSTILE
from worker.report.index_data import is_opaque
from worker.report.index_page import write_index

pytestmark = pytest.mark.browser

PHONE = 390
TIMES = ("2026-11-23T22:15:30.042Z",) * 3
PARAMETERS = {"epochs": 5, "learning_rate": 0.001, "batch_size": 64}


def id_of(number: int) -> str:
    return f"202611{1 + number // 1000 % 28:02d}-{number // 100 % 10:02d}{number // 10 % 10:02d}{number % 10:02d}-042-k7qd"


def row(
    number: int, model: str = "denoiser", action: str = "train", state: str = "succeeded", **more: Any
) -> Row:
    return Row(id_of(number), state, model, action, more.pop("name", None), None, *TIMES, **more)


def write_rows(root: Path, rows: Iterable[Row]) -> Path:
    """Results whose index has these rows, and their page; its path."""
    (root / FOLDER).mkdir(parents=True)
    by_day: dict[str, list[bytes]] = {}
    for each in rows:
        (root / each.id).mkdir()
        (root / each.id / "report.html").write_text("<!doctype html><title>a report</title><p>report")
        by_day.setdefault(f"{each.id[:4]}-{each.id[4:6]}-{each.id[6:8]}", []).append(each.line() + b"\n")
        if each.thumbnail:
            (root / each.id / "figures").mkdir()
            Image.new("RGBA", (320, 240), "#2a6fbb").save(root / each.id / "figures" / "thumbnail.png")
    for day, lines in by_day.items():
        (root / FOLDER / f"{day}.jsonl").write_bytes(b"".join(lines))
    History(Results(root))._files.mark_complete()
    write_index(Results(root))
    return root / "index.html"


SMALL = (
    row(1, name="slow", parameters=PARAMETERS, metrics={"psnr_db": 20.5, "validation_bce": 0.3}, thumbnail=True),
    row(2, name="fast", parameters=PARAMETERS | {"learning_rate": 0.004}, metrics={"psnr_db": 21.25}, thumbnail=True),
    row(3, name="broken", state="failed", parameters=PARAMETERS, error="expected an array `x_train`"),
    row(4, "textgen", name="writer", parameters={"units": 64}, metrics={"validation_nats": 1.65},
        warning="No better than the frequencies of characters."),
    row(5, "textgen", "evaluate", parameters={}, metrics={"nats_per_character": 1.7}, source=id_of(4)),
    row(6, "sentiment", "generate", state="cancelled", parameters={"text": ["good", "bad"]}),
)  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of six jobs."""
    return write_rows(tmp_path_factory.mktemp("results") / "six", SMALL).as_uri()


@pytest.fixture(scope="module")
def ten_thousand(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of 10,000 jobs."""
    rows = (
        row(
            number,
            ("denoiser", "textgen")[number % 2],
            ("train", "evaluate", "generate")[number % 3],
            name=f"run {number}",
            parameters=PARAMETERS | {"learning_rate": 0.001 * (number % 7)},
            metrics={"psnr_db": number % 101 / 4, "validation_bce": 0.3, "ssim": 0.9, "mse": 0.01},
        )
        for number in range(10_000)
    )
    return write_rows(tmp_path_factory.mktemp("results") / "many", rows).as_uri()


def find(browser: webdriver.Chrome, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def texts(browser: webdriver.Chrome, selector: str) -> list[str]:
    while True:
        try:
            return [each.text for each in browser.find_elements(By.CSS_SELECTOR, selector)]
        except StaleElementReferenceException:  # the page has drawn its list anew meanwhile
            continue


def names(browser: webdriver.Chrome) -> list[str]:
    return [text.split("\n")[1] for text in texts(browser, "#jobs tbody th")]


def headings(browser: webdriver.Chrome) -> list[str]:
    return [text for text in texts(browser, "#jobs thead th") if text]


def choose(browser: webdriver.Chrome, tool: str, option: str) -> None:
    Select(find(browser, f"#{tool}")).select_by_visible_text(option)


def count(browser: webdriver.Chrome) -> str:
    return str(find(browser, "#count").text)


def test_ten_thousand_jobs_open_soon_and_turn_page_by_page(
    browser: webdriver.Chrome, ten_thousand: str
) -> None:
    took = []
    for _ in range(3):
        began = time.monotonic()
        opened(browser, ten_thousand)
        took.append(time.monotonic() - began)
    assert min(took) < 5, took  # about one second on a machine that does nothing else
    assert count(browser) == "10,000 jobs"
    assert len(names(browser)) == 50
    assert names(browser)[0] == "run 9999"
    assert find(browser, "#place").text == "1 to 50 of 10,000"
    find(browser, "#next").click()
    assert names(browser)[0] == "run 9949"
    find(browser, "#previous").click()
    find(browser, "#previous").click()
    assert find(browser, "#place").text == "1 to 50 of 10,000"
    began = time.monotonic()
    choose(browser, "sort", "PSNR, denoised, dB")
    assert find(browser, "#jobs tbody td[data-label^=PSNR]").text == "25.00"
    assert time.monotonic() - began < 5
    find(browser, "#query").send_keys("run 1234")
    until(lambda: count(browser) == "1 of 10,000 jobs", 20, "the search")
    assert browser.execute_script("return document.documentElement.scrollHeight") < 2_000


def test_search_and_filters_narrow_the_list_and_say_how_many_match(
    browser: webdriver.Chrome, page: str
) -> None:
    opened(browser, page)
    assert count(browser) == "6 jobs"
    search = find(browser, "#query")
    for query, matching in [
        ("FAST", 1), ("learning_rate=0.004", 1), ("x_train", 1), (id_of(5)[:15], 1), ("denoiser train", 3),
        ("characters frequencies", 1), ("nothing like it", 0),
    ]:  # fmt: skip
        search.clear()
        search.send_keys(query)
        until(lambda matching=matching: count(browser) == f"{matching} of 6 jobs", 10, query)
    assert find(browser, "#none").is_displayed()
    find(browser, "#clear").click()
    assert count(browser) == "6 jobs"
    choose(browser, "model", "textgen")
    assert count(browser) == "2 of 6 jobs"
    choose(browser, "action", "evaluate")
    assert count(browser) == "1 of 6 jobs"
    find(browser, "#clear").click()
    choose(browser, "state", "failed")
    assert names(browser) == ["broken"]
    choose(browser, "state", "with a warning")
    assert names(browser) == ["writer"]
    assert find(browser, "#count").get_attribute("role") == "status"


def test_parameters_that_differ_and_metrics_are_columns(browser: webdriver.Chrome, page: str) -> None:
    opened(browser, page)
    choose(browser, "model", "denoiser")
    assert headings(browser) == [
        "Job", "State", "PSNR, denoised, dB", "Validation binary cross-entropy, nats per pixel", "learning_rate",
        "Submitted (UTC)", "Took",
    ]  # fmt: skip
    assert texts(browser, "td[data-label=learning_rate]") == ["0.001", "0.004", "0.001"]
    assert texts(browser, "td[data-label^=PSNR]") == ["", "21.25", "20.50"]


def test_jobs_are_sorted_by_any_metric_best_first_and_those_without_it_come_last(
    browser: webdriver.Chrome, page: str
) -> None:
    opened(browser, page)
    choose(browser, "sort", "PSNR, denoised, dB")
    assert names(browser)[:2] == ["fast", "slow"]
    heading = find(browser, "#jobs th[aria-sort]")
    assert (heading.get_attribute("aria-sort"), heading.text) == ("descending", "PSNR, denoised, dB")
    heading.find_element(By.TAG_NAME, "button").click()
    assert names(browser)[:2] == ["slow", "fast"]
    assert find(browser, "#jobs th[aria-sort]").get_attribute("aria-sort") == "ascending"
    choose(browser, "sort", "Job")
    assert names(browser)[0] == "broken"
    find(browser, "#turn").click()
    assert names(browser)[-1] == "broken"


def test_two_jobs_are_seen_side_by_side(browser: webdriver.Chrome, page: str) -> None:
    opened(browser, page)
    for name in ("slow", "fast"):
        find(browser, f"input[aria-label='Select denoiser train {name}']").click()
    assert find(browser, "#selected").text == "2 selected"
    find(browser, "#compare").click()
    dialog = find(browser, "dialog")
    assert dialog.is_displayed()
    rows = {
        line.find_element(By.TAG_NAME, "th").text: [
            cell.text for cell in line.find_elements(By.TAG_NAME, "td")
        ]
        for line in dialog.find_elements(By.CSS_SELECTOR, "#beside tbody tr")
    }
    assert rows["learning_rate"] == ["0.001", "0.004"]
    assert "epochs" not in rows
    assert rows["PSNR, denoised, dB"] == ["20.50", "21.25 best"]
    assert "No losses are known of slow, fast." in find(browser, "#curves").text
    assert len(dialog.find_elements(By.CSS_SELECTOR, "img.picture")) == 2
    dialog.send_keys(Keys.ESCAPE)
    assert not dialog.is_displayed()
    assert browser.switch_to.active_element == find(browser, "#compare"), "the focus is where it was"
    find(browser, "#release").click()
    assert not find(browser, "#selection").is_displayed()
    assert not find(browser, f"input[data-id='{id_of(1)}']").is_selected()


def test_everything_can_be_done_with_keys_alone(browser: webdriver.Chrome, page: str) -> None:
    opened(browser, page)
    find(browser, "#query").send_keys("denoiser")
    until(lambda: count(browser) == "3 of 6 jobs", 10, "the search")
    reached = []
    for _ in range(40):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        focused = browser.switch_to.active_element
        reached.append(focused.accessible_name)
        assert focused.accessible_name, focused.get_attribute("outerHTML")
        outline = browser.execute_script("return getComputedStyle(arguments[0]).outlineStyle", focused)
        assert outline != "none", "what has the focus is seen"
        if focused.accessible_name == "Submitted (UTC)":
            focused.send_keys(Keys.ENTER)
            assert browser.switch_to.active_element.accessible_name.startswith("Submitted"), "the focus stays"
            assert names(browser)[0] == "slow"
        if focused.get_attribute("type") == "checkbox":
            focused.send_keys(Keys.SPACE)
        if focused.get_attribute("id") == "compare":
            focused.send_keys(Keys.ENTER)
            break
    assert find(browser, "dialog").is_displayed()
    assert browser.switch_to.active_element.accessible_name == "Close"
    assert {"Model", "Action", "State", "Sort by", "Jobs", "Select denoiser train slow"} <= set(reached)


def test_a_screen_reader_hears_a_table_with_headings_and_named_controls(
    browser: webdriver.Chrome, page: str
) -> None:
    for width in (DESKTOP, PHONE):
        opened(browser, page, width=width)
        tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        roles = [node.get("role", {}).get("value") for node in tree if not node.get("ignored")]
        assert (roles.count("table"), roles.count("row"), roles.count("rowheader")) == (1, 7, 6)
        assert roles.count("columnheader") >= 4
        assert roles.count("search") == 1
        unnamed = [
            node["role"]["value"]
            for node in tree
            if not node.get("ignored")
            and node.get("role", {}).get("value")
            in ("button", "checkbox", "combobox", "searchbox", "link", "table")
            and not node.get("name", {}).get("value")
        ]
        assert unnamed == []


def test_the_view_is_in_the_address_so_reload_and_back_return_to_it(
    browser: webdriver.Chrome, page: str
) -> None:
    opened(browser, page)
    choose(browser, "model", "denoiser")
    choose(browser, "sort", "PSNR, denoised, dB")
    find(browser, f"input[data-id='{id_of(1)}']").click()
    address = browser.current_url
    find(browser, "#jobs th a").click()
    assert browser.title == "a report"
    browser.back()
    until(lambda: names(browser) == ["fast", "slow", "broken"], 20, "the same list")
    assert browser.current_url == address
    assert find(browser, f"input[data-id='{id_of(1)}']").is_selected()
    opened(browser, f"{page}#sort=constructor&page=-9&model=denoiser&pick=a,__proto__&state=")
    assert len(names(browser)) == 3


def hostile_rows() -> Iterable[Row]:
    for number, text in enumerate((*HOSTILE, "'); document.title='owned'; ('", "__proto__", "constructor")):
        values: Mapping[str, Any] = {text[:40]: 1.5, "__proto__": 2.5, "constructor": 1e300}
        yield row(
            number, text[:60], text[:60], "failed", name=text, error=text, warning=text,
            metrics=dict(values), parameters={text[:40]: text, "__proto__": [text, number]},
        )  # fmt: skip


def test_a_strangers_text_is_shown_and_runs_nothing(browser: webdriver.Chrome, tmp_path: Path) -> None:
    address = write_rows(tmp_path / "hostile", hostile_rows()).as_uri()
    new_entries(browser, "browser")
    opened(browser, address)
    for box in browser.find_elements(By.CSS_SELECTOR, "#jobs input")[:3]:
        box.click()
    find(browser, "#compare").click()
    find(browser, "dialog").send_keys(Keys.ESCAPE)
    choose(browser, "sort", "__proto__")
    assert browser.title == "Quartet – all jobs"
    assert new_entries(browser, "browser") == []
    strange = (
        "script:not([src^='./index/']), iframe, object, embed, form, [onload], [onerror], img:not(.picture)"
    )
    assert browser.find_elements(By.CSS_SELECTOR, strange) == []
    assert "<script>document.title = 'owned'</script>" in find(browser, "#jobs").text


def test_even_markup_in_the_page_would_run_nothing(
    browser: webdriver.Chrome, page: str, tmp_path: Path
) -> None:
    (tmp_path / "evil.js").write_text("document.title = 'owned'")
    opened(browser, page)
    browser.execute_script(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title = `owned`\">');"
        "const script = document.createElement('script'); script.src = arguments[0]; document.body.append(script);",
        (tmp_path / "evil.js").as_uri(),
    )
    until(lambda: len(new_entries(browser, "browser")) >= 1, 10, "a refusal")
    assert browser.title == "Quartet – all jobs"


@pytest.mark.parametrize(
    "content",
    [None, b"", b"<!doctype html><p>404", b'quartetRows(\'[{"id":', b"quartetRows('7');", b"\x00\xff\xfe"],
)
def test_a_script_that_is_missing_or_damaged_costs_its_own_jobs_alone_and_is_told(
    browser: webdriver.Chrome, tmp_path: Path, content: bytes | None
) -> None:
    rows = [row(number, name=f"run {number}") for number in (1, 1001, 2001, 3001)]
    page = write_rows(tmp_path / "damaged", rows)
    damaged = page.parent / "index" / "20261103-0.js"
    damaged.unlink()
    if content is not None:
        damaged.write_bytes(content)
    opened(browser, page.as_uri())
    assert names(browser) == ["run 3001", "run 1001", "run 1"]
    assert count(browser) == "3 jobs; 1 file in results/index cannot be read"


@pytest.mark.parametrize("content", [None, b"quartetContents('{", b"quartetContents('{\"format\":1}');"])
def test_without_a_table_of_contents_the_newest_jobs_stay_listed(
    browser: webdriver.Chrome, tmp_path: Path, content: bytes | None
) -> None:
    page = write_rows(tmp_path / "damaged", SMALL)
    contents = page.parent / "index" / "contents.js"
    contents.unlink()
    if content is not None:
        contents.write_bytes(content)
    browser.get(page.as_uri())
    until(lambda: len(new_entries(browser, "browser")) > 0 or content, 10, "an error")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#newest h3 a")) == len(SMALL)
    assert find(browser, "#newest").is_displayed()


def test_a_deleted_job_is_shown_no_more(browser: webdriver.Chrome, tmp_path: Path) -> None:
    page = write_rows(tmp_path / "six", SMALL)
    hide_from_page(page.parent, id_of(2))
    opened(browser, f"{page.as_uri()}#pick={id_of(1)},{id_of(2)}")
    assert count(browser) == "5 jobs"
    assert "fast" not in find(browser, "#jobs").text
    assert find(browser, "#selected").text == "1 selected"
    assert len(browser.find_elements(By.CSS_SELECTOR, "#newest li")) == 5


def test_tags_and_notes_are_shown_searched_and_filtered_as_they_are_now(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    tagged = [replace(each, tags=("given",)) if each.name in ("slow", "fast") else each for each in SMALL]
    page = write_rows(tmp_path / "six", tagged)
    opened(browser, page.as_uri())
    assert names(browser)[-2:] == ["fast", "slow"]
    assert "Tags" in headings(browser)
    choose(browser, "tag", "given")
    assert names(browser) == ["fast", "slow"]
    labels = Labels(page.parent)
    labels.change(id_of(1), ["given"], add=["<b>good"], remove=["given"], note="<script>alert(1)</script>")
    labels.change(id_of(3), [], add=["<b>good"])
    write_labels_script(page.parent)
    opened(browser, page.as_uri())
    choose(browser, "tag", "<b>good")
    assert names(browser) == ["broken", "slow"]
    assert texts(browser, "#jobs .note") == ["<script>alert(1)</script>"]
    find(browser, "#clear").click()
    find(browser, "#query").send_keys("given")
    until(lambda: names(browser) == ["fast"], 10, "the search")
    assert browser.execute_script("return location.hash") == "#q=given"


def test_an_opaque_thumbnail_is_dimmed_in_the_dark_alone(browser: webdriver.Chrome, tmp_path: Path) -> None:
    page = write_rows(tmp_path / "six", SMALL[:2])
    Image.new("RGB", (320, 240), "white").save(page.parent / id_of(1) / "figures" / "thumbnail.png")
    shutil.rmtree(page.parent / "index")
    is_opaque.cache_clear()
    write_index(Results(page.parent))
    for dark, expected in ((False, ["none", "none"]), (True, ["none", "brightness(0.78)"])):
        opened(browser, page.as_uri(), dark=dark)
        pictures = browser.find_elements(By.CSS_SELECTOR, "#jobs img.picture")
        assert [each.value_of_css_property("filter") for each in pictures] == expected


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_list_and_comparison_fit_the_screen_and_stand_out(
    browser: webdriver.Chrome, page: str, width: int, dark: bool
) -> None:
    opened(browser, f"{page}#pick={id_of(1)},{id_of(2)},{id_of(4)}", width=width, dark=dark)
    for is_open in (False, True):
        if is_open:
            find(browser, "#compare").click()
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        contrast, text = browser.execute_script(LEAST_CONTRAST)
        assert contrast >= 4.5, text
    assert find(browser, "dialog").is_displayed()
    assert find(browser, "dialog").size["width"] <= width


def test_without_javascript_the_newest_jobs_are_listed(browser: webdriver.Chrome, page: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(page)
        links = browser.find_elements(By.CSS_SELECTOR, "#newest h3 a")
        assert [link.is_displayed() for link in links] == [True] * len(SMALL)
        assert count(browser) == "6 jobs, newest first. Times are in UTC."
        assert not find(browser, "#gallery").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_page_whose_scripts_are_damaged_says_so_or_keeps_its_plain_list(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    page = write_rows(tmp_path / "two days", [row(1), row(1_001)])
    (tmp_path / "two days" / "index" / "20261101-0.js").unlink()
    opened(browser, page.as_uri())
    assert count(browser) == "1 job; 1 file in results/index cannot be read"
    contents = tmp_path / "two days" / "index" / "contents.js"
    contents.write_text(contents.read_text().replace('"format":', '"format":9'))
    browser.get(page.as_uri())
    assert len(browser.find_elements(By.CSS_SELECTOR, "#newest h3 a")) == 2
    assert find(browser, "#newest").is_displayed()


def test_the_gallery_serves_the_page_and_lets_no_job_run_a_script(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    root = write_rows(tmp_path / "served", SMALL).parent
    evil = "<!doctype html><title>a report</title><script>document.title = 'owned'</script>"
    (root / id_of(1) / "report.html").write_text(evil)
    with running(root) as port:
        new_entries(browser, "browser"), new_entries(browser, "performance")
        opened(browser, f"http://localhost:{port}/index.html")
        assert count(browser) == "6 jobs"
        events = [json.loads(entry["message"])["message"] for entry in new_entries(browser, "performance")]
        requested = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        assert all(url.startswith((f"http://localhost:{port}/", "data:")) for url in requested)
        assert new_entries(browser, "browser") == []
        find(browser, f"#jobs a[href='./{id_of(1)}/report.html']").click()
        assert browser.title == "a report"


def test_jobs_of_several_kinds_fit_and_have_no_column_that_is_almost_empty(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    best = {"label": "Validation binary cross-entropy", "value": 0.6696, "unit": "nats per pixel"}
    kinds = [("denoiser", "noise"), ("autoencoder", "units"), ("textgen", "dropout"), ("sentiment", "length")]
    rows = [
        replace(
            row(number, kinds[number % 4][0], name="a name of some length", seconds=63.0, warning="w " * 60),
            headline=best,
            parameters={"epochs": number, kinds[number % 4][1]: number},
        )
        for number in range(12)
    ]
    opened(browser, write_rows(tmp_path / "mixed", rows).as_uri(), width=1200)
    heads = texts(browser, "#jobs thead th")
    assert "epochs" in heads
    assert not {"noise", "units", "dropout", "length"} & set(heads)
    assert browser.execute_script(
        "const {scrollWidth, clientWidth} = document.querySelector('.scroll'); return scrollWidth - clientWidth"
    ) <= 0  # fmt: skip
