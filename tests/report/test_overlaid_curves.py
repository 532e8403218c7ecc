"""The losses of several jobs in one plot, in a real browser: pointer, keys, phone, and values of any kind."""

import json
import math
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from jobs.store.results import Results
from tests.dashboards.test_gallery import running
from tests.report.browsing import DESKTOP, LEAST_CONTRAST, new_entries, opened
from tests.report.test_index_in_browser import PHONE, find, id_of, row, texts, write_rows
from tests.support.processes import until
from tests.support.report_folders import HOSTILE
from worker.report.index_page import write_index

pytestmark = pytest.mark.browser

SLOW, FAST, WRITER, LONG = id_of(1), id_of(2), id_of(3), id_of(4)
BROKEN = id_of(5)
OVERFLOWS = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of five training jobs, one of them without a loss."""
    root = tmp_path_factory.mktemp("results") / "trained"
    models = {SLOW: "denoiser", FAST: "denoiser", WRITER: "textgen", LONG: "denoiser", BROKEN: "denoiser"}
    names = dict(zip(models, ("slow", "fast", "writer", "n" * 80, "broken"), strict=True))
    rows = [row(number, models[id_of(number)], name=names[id_of(number)]) for number in range(1, 6)]
    page = write_rows(root, rows)
    for job_id, epochs, factor in ((SLOW, 8, 1.0), (FAST, 5, 0.5), (WRITER, 4, 3.0), (LONG, 2_000, 0.1)):
        lines = (f"{epoch},{factor / epoch},{1.5 * factor / epoch}" for epoch in range(1, epochs + 1))
        (root / job_id / "history.csv").write_text("\n".join(["epoch,loss,validation_loss", *lines]))
    for path in (root / "index").glob("**/*.js"):
        path.unlink()
    (root / "index" / ".marks.json").unlink()
    write_index(Results(root))
    return page


def compare(
    browser: webdriver.Chrome, page: Path, *ids: str, width: int = DESKTOP, dark: bool = False
) -> None:
    opened(browser, f"{page.as_uri()}#pick={','.join(ids)}", width=width, dark=dark)
    find(browser, "#compare").click()
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "#curves .curve, #curves p"), 20, "the losses")


def curves(browser: webdriver.Chrome) -> list[Any]:
    return browser.find_elements(By.CSS_SELECTOR, "#curves .curve")


def values(browser: webdriver.Chrome) -> str:
    return str(find(browser, "#curves .values").text)


def point_at(browser: webdriver.Chrome, mark: Any) -> None:
    ActionChains(browser).move_to_element(mark).perform()


def test_losses_of_two_runs_are_in_one_plot_with_a_colour_and_dashes_for_each(
    browser: webdriver.Chrome, results: Path
) -> None:
    new_entries(browser, "browser")
    compare(browser, results, SLOW, FAST)
    assert len(browser.find_elements(By.CSS_SELECTOR, "#curves .plot > svg")) == 1
    looks = [
        [path.value_of_css_property(name) for name in ("stroke", "stroke-dasharray", "stroke-width")]
        for path in browser.find_elements(By.CSS_SELECTOR, "#curves .curve path")
    ]
    assert len(looks) == 4
    assert looks[0][:2] == looks[1][:2] != looks[2][:2] == looks[3][:2]
    assert looks[0][0] != looks[2][0]
    assert looks[0][1] != looks[2][1]
    assert looks[0][2] == looks[2][2] != looks[1][2]
    assert "loss, nats per pixel" in find(browser, "#curves .plot").text
    assert new_entries(browser, "browser") == []


def test_losses_are_loaded_from_a_server_too(browser: webdriver.Chrome, results: Path) -> None:
    with running(results.parent) as port:
        new_entries(browser, "browser")
        opened(browser, f"http://localhost:{port}/index.html#pick={SLOW},{FAST}")
        assert browser.execute_script("return performance.getEntriesByName(location.origin + arguments[0])",
            f"/index/{SLOW[:8]}/{SLOW}.js") == [], "not before jobs are compared"  # fmt: skip
        find(browser, "#compare").click()
        until(lambda: len(curves(browser)) == 4, 20, "the losses")
        assert new_entries(browser, "browser") == []


def test_a_table_has_the_last_and_the_lowest_values(browser: webdriver.Chrome, results: Path) -> None:
    (results.parent / "index" / id_of(2)[:8] / f"{BROKEN}.js").write_text(
        f'quartetLosses(\'{{"id":"{BROKEN}","epochs":3,"x":[1,2,3],"y":{{"training":[0.4,0.2,0.3]}}}}\');'
    )
    compare(browser, results, SLOW, FAST, BROKEN)
    rows = [" ".join(line.split()) for line in texts(browser, "#curves tbody tr")]
    assert rows == [
        "slow 0.1250 0.1875", "fast 0.1000 0.1500", "broken 0.3000 lowest 0.2000, epoch 2 –",
    ]  # fmt: skip
    assert [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, "#curves thead th")] == [
        "Run", "training", "validation",
    ]  # fmt: skip


def test_a_pointer_shows_run_and_values_and_a_click_opens_the_report(
    browser: webdriver.Chrome, results: Path
) -> None:
    compare(browser, results, SLOW, FAST)
    assert values(browser).startswith("Point at a curve")
    mark = browser.find_elements(By.CSS_SELECTOR, "#curves .curve")[3].find_elements(By.TAG_NAME, "circle")[2]
    point_at(browser, mark)
    assert values(browser) == "fast, epoch 3: training 0.1667, validation 0.2500"
    assert len(browser.find_elements(By.CSS_SELECTOR, "#curves .curve.chosen")) == 2
    assert find(browser, "#curves tr.chosen th").text == "fast"
    point_at(browser, find(browser, "#curves thead"))
    assert values(browser).startswith("Point at a curve")
    point_at(browser, mark)
    ActionChains(browser).click().perform()
    until(lambda: browser.title == "a report", 20, "the report")
    assert FAST in browser.current_url


def test_keys_walk_along_and_between_curves_and_enter_opens_the_report(
    browser: webdriver.Chrome, results: Path
) -> None:
    compare(browser, results, SLOW, FAST)
    plot = find(browser, "#curves .plot > svg")
    reached = []
    while browser.switch_to.active_element != plot:
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(browser.switch_to.active_element.accessible_name)
        assert len(reached) < 10, reached
    assert plot.accessible_name.startswith("Loss by epoch.")
    assert plot.aria_role == "application"
    for key, expected in [
        (Keys.END, "slow, epoch 8: training 0.1250, validation 0.1875"),
        (Keys.ARROW_LEFT, "slow, epoch 7: training 0.1429, validation 0.2143"),
        (Keys.HOME, "slow, epoch 1: training 1.000, validation 1.500"),
        (Keys.ARROW_LEFT, "slow, epoch 1: training 1.000, validation 1.500"),
        (Keys.END, "slow, epoch 8: training 0.1250, validation 0.1875"),
        (Keys.ARROW_UP, "fast, epoch 5: training 0.1000, validation 0.1500"),
        (Keys.ARROW_DOWN, "slow, epoch 5: training 0.2000, validation 0.3000"),
        (Keys.ARROW_UP, "fast, epoch 5: training 0.1000, validation 0.1500"),
    ]:
        ActionChains(browser).send_keys(key).perform()
        assert values(browser) == expected
    assert find(browser, "#curves .values").get_attribute("role") == "status"
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    until(lambda: browser.title == "a report", 20, "the report")
    assert FAST in browser.current_url


def test_switches_hide_runs_and_series_and_change_the_axis(browser: webdriver.Chrome, results: Path) -> None:
    compare(browser, results, SLOW, FAST)
    training, validation, log, slow, _ = browser.find_elements(By.CSS_SELECTOR, "#curves input")
    assert [box.accessible_name for box in (training, log, slow)] == [
        "training", "logarithmic axis", "Show slow",
    ]  # fmt: skip
    training.click()
    assert len(curves(browser)) == 2
    slow.send_keys(Keys.SPACE)
    assert len(curves(browser)) == 1
    linear = curves(browser)[0].find_element(By.TAG_NAME, "path").get_attribute("d")
    log.click()
    assert curves(browser)[0].find_element(By.TAG_NAME, "path").get_attribute("d") != linear
    validation.click()
    assert curves(browser) == []
    assert "There is nothing to draw." in find(browser, "#curves .plot").text
    assert len(texts(browser, "#curves tbody tr")) == 2, "the values stay"


def test_losses_in_different_units_are_in_different_plots(browser: webdriver.Chrome, results: Path) -> None:
    compare(browser, results, SLOW, WRITER, LONG)
    plots = texts(browser, "#curves .plot")
    assert ["nats per character" in plot for plot in plots] == [False, True]
    assert f"Of {'n' * 80} not every epoch is drawn." in find(browser, "#curves").text


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_on_a_phone_it_fits_and_a_finger_shows_values_before_it_opens_anything(
    browser: webdriver.Chrome, results: Path, dark: bool
) -> None:
    compare(browser, results, SLOW, FAST, LONG, width=PHONE, dark=dark)
    assert browser.execute_script(OVERFLOWS) <= 0
    assert find(browser, "#curves .plot > svg").size["width"] <= PHONE
    dialog = find(browser, "dialog")
    assert browser.execute_script("return arguments[0].scrollWidth - arguments[0].clientWidth", dialog) <= 0
    contrast, text = browser.execute_script(LEAST_CONTRAST)
    assert contrast >= 4.5, text
    point_at(browser, find(browser, "#close"))  # where the mouse is matters no more
    mark = curves(browser)[1].find_elements(By.TAG_NAME, "circle")[0]
    place = browser.execute_script(
        "const {x, y, width, height} = arguments[0].getBoundingClientRect(); return [x + width / 2, y + height / 2]",
        mark,
    )
    point = {"x": place[0], "y": place[1]}
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    until(lambda: values(browser).startswith("slow, epoch 1:"), 10, "the values")
    assert browser.title == "Quartet – all jobs"
    find(browser, "#curves .values a").click()
    until(lambda: browser.title == "a report", 20, "the report")


@pytest.mark.parametrize(
    "content",
    [None, "", "<!doctype html>", "quartetLosses('{", "quartetLosses('{}');", "quartetLosses('null');",
     f'quartetLosses(\'{{"id":"{BROKEN}","epochs":1,"x":3,"y":{{"training":7}}}}\');'],
)  # fmt: skip
def test_losses_that_are_missing_or_damaged_are_told_and_the_rest_is_drawn(
    browser: webdriver.Chrome, results: Path, content: str | None
) -> None:
    script = results.parent / "index" / BROKEN[:8] / f"{BROKEN}.js"
    script.unlink(missing_ok=True)
    if content is not None:
        script.write_text(content)
    compare(browser, results, SLOW, BROKEN)
    assert len(curves(browser)) == 2
    assert "No losses are known of broken." in find(browser, "#curves").text


WILD: Sequence[Sequence[float | None]] = (
    [], [None, None], [0.0], [0, 0, 0], [-1, -2, -3], [1e308, -1e308, 1], [5e-324, 1e-323, 0], [1, None, 3],
    [1e17, 1e17 + 16], [1e-300, 1e299], [0.1 + 0.2, 0.3], [1, 1 + 1e-15], [math.pi] * 3, [math.nan, 1, math.inf], [12345678.9, 12345679.1],
)  # fmt: skip


@pytest.mark.parametrize("ys", WILD, ids=str)
def test_curves_of_any_numbers_are_drawn_without_an_error(
    browser: webdriver.Chrome, tmp_path: Path, ys: Sequence[float | None]
) -> None:
    folder = resources.files("worker.report").joinpath("templates")
    files = (
        folder.joinpath(f"{name}.js").read_text()
        for name in ("nodes", "axes", "curve_zoom", "overlaid_curves")
    )
    series = [{"name": HOSTILE[0], "x": list(range(len(ys))), "y": ys}]
    runs = [{"label": text, "href": "x.html", "series": series} for text in HOSTILE] + [
        {"label": "none", "series": []}
    ]
    given = json.dumps(runs).replace("<", "\\u003c")
    (tmp_path / "page.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>curves</title><div id=there></div><script>{''.join(files)}"
        f"overlaidCurves(document.getElementById('there'), {given}, {{ title: 'Any', x: 'x', y: 'y' }});</script>"
    )
    new_entries(browser, "browser")
    opened(browser, (tmp_path / "page.html").as_uri())
    for _ in range(2):
        until(lambda: browser.find_elements(By.CSS_SELECTOR, ".plot text"), 10, "a plot")
        drawn = browser.execute_script(
            "return [...document.querySelectorAll('.plot svg *')].flatMap(node => "
            "[...node.attributes].map(each => each.value)).join(' ')"
        )
        assert "NaN" not in drawn
        assert "Infinity" not in drawn
        assert 1 <= browser.execute_script("return document.querySelectorAll('.plot text').length") < 60
        ActionChains(browser).move_to_element(find(browser, ".plot > svg")).perform()
        find(browser, ".switches input").click()  # the logarithmic axis
    assert new_entries(browser, "browser") == []
    assert browser.title == "curves"
