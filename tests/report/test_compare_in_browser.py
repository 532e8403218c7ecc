"""The page of a comparison in a real browser: pointer, keys, finger, phone, and what strangers may have written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from jobs.comparison.selection import Selection
from jobs.store.results import Results
from tests.report.browsing import DESKTOP, LEAST_CONTRAST, new_entries, opened
from tests.report.compared_folders import GOAL, id_of, selected, write_run, write_sweep
from tests.support.processes import until
from tests.support.report_folders import HOSTILE
from worker.report.compare_page import write_compare_page, write_sweep_page

pytestmark = pytest.mark.browser

PHONE = 390
OVERFLOWS = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a sweep of 200 trials."""
    root = tmp_path_factory.mktemp("large")
    sweep = write_sweep(root, 200, epochs=50, failed=[7], missing=[199])
    page = root / "sweeps" / sweep.name / "compare.html"
    page.parent.mkdir(parents=True)
    write_sweep_page(Results(root), sweep, page)
    return page


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a sweep of three points with two seeds each, of which one failed."""
    root = tmp_path_factory.mktemp("small")
    sweep = write_sweep(root, 3, seeds=(0, 1), failed=[1])
    write_sweep_page(Results(root), sweep, root / "compare.html")
    return root / "compare.html"


def show(browser: webdriver.Chrome, page: Path, **looks: Any) -> None:
    new_entries(browser, "browser")
    opened(browser, page.as_uri(), **looks)
    until(lambda: "loaded" in browser.execute_script("return document.documentElement.dataset"), 30, "a page")


def find_all(browser: webdriver.Chrome, selector: str) -> list[Any]:
    return browser.find_elements(By.CSS_SELECTOR, selector)


def find(browser: webdriver.Chrome, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def labels(browser: webdriver.Chrome) -> list[str]:
    """What the rows that are shown are called, in their order."""
    found: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('#table tbody tr')].filter(row => !row.hidden)"
        ".map(row => row.querySelector('th bdi').textContent)"
    )
    return found


def column(browser: webdriver.Chrome, name: str) -> list[str]:
    """The cells of a column of the table, in the rows that are shown."""
    cells: list[str] = browser.execute_script(
        "const heads = [...document.querySelectorAll('#table thead :is(th, td)')].map(head => head.textContent);"
        "const at = heads.findIndex(text => text.startsWith(arguments[0]));"
        "return [...document.querySelectorAll('#table tbody tr')].filter(row => !row.hidden)"
        ".map(row => row.cells[at].textContent)",
        name,
    )
    return cells


def status(browser: webdriver.Chrome) -> str:
    return str(find(browser, "#status").text)


def drawn_curves(browser: webdriver.Chrome) -> int:
    return len(find_all(browser, "#losses .curve"))


def middle(browser: webdriver.Chrome, node: Any) -> tuple[float, float]:
    """Where a node is in the window, once it has been scrolled there."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", node)
    x, y = browser.execute_script(
        "const {x, y, width, height} = arguments[0].getBoundingClientRect(); return [x + width / 2, y + height / 2]",
        node,
    )
    return x, y


def move_to(browser: webdriver.Chrome, place: tuple[float, float]) -> None:
    mouse = ActionChains(browser, duration=50)
    mouse.w3c_actions.pointer_action.move_to_location(*map(int, place))
    mouse.perform()


def drag(browser: webdriver.Chrome, start: tuple[float, float], end: tuple[float, float]) -> None:
    mouse = ActionChains(browser, duration=50)
    action = mouse.w3c_actions.pointer_action
    action.move_to_location(*map(int, start)).pointer_down()
    action.move_to_location(*(int((a + b) / 2) for a, b in zip(start, end, strict=True)))
    action.move_to_location(*map(int, end)).pointer_up()
    mouse.perform()


def axis(browser: webdriver.Chrome, name: str) -> Any:
    return find(browser, f'#parallel .axis[aria-label="Filter by {name}"]')


def test_two_hundred_runs_open_without_an_error_in_a_small_file(
    browser: webdriver.Chrome, large: Path
) -> None:
    assert large.stat().st_size < 3_000_000
    show(browser, large)
    assert new_entries(browser, "browser") == []
    assert len(labels(browser)) == 199
    assert drawn_curves(browser) == 198, "the validation losses of those that have some"
    assert find(browser, ".numbers .first dd").text.startswith(column(browser, "Validation binary")[0])
    assert "199 runs, 1 failed, 1 job without a folder" in find(browser, "header").text
    shares = [row.text for row in find_all(browser, ".importance tr")]
    assert shares[0].startswith("learning_rate")
    assert shares[0].endswith(" %")
    assert len(shares) == 4
    busy = browser.execute_script(
        "const began = performance.now(); document.querySelector('#unpick').click();"
        "return performance.now() - began"
    )
    assert busy < 1_000
    requests = browser.execute_script(
        "return performance.getEntriesByType('resource').map(each => each.name)"
    )
    assert [name for name in requests if not name.startswith("data:")] == []


def test_the_table_is_sorted_by_a_click_and_by_keys(browser: webdriver.Chrome, large: Path) -> None:
    show(browser, large)
    numbers = [float(text) for text in column(browser, "Validation binary") if text != "–"]
    assert numbers == sorted(numbers), "the best first"
    assert column(browser, "Validation binary")[-1] == "–", "what failed comes last"
    heading = find(browser, "#table thead button[data-key='p:noise']")
    middle(browser, heading)
    heading.click()
    noises = [float(text) for text in column(browser, "noise")]
    assert noises == sorted(noises)
    assert find(browser, "#table th[aria-sort]").text.startswith("noise")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert [float(text) for text in column(browser, "noise")] == sorted(noises, reverse=True)
    assert find(browser, "#table th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_columns_are_hidden_and_shown(browser: webdriver.Chrome, large: Path) -> None:
    show(browser, large)
    find(browser, "summary").send_keys(Keys.ENTER)
    boxes = {box.accessible_name: box for box in find_all(browser, "#columns input")}
    boxes["noise"].click()
    boxes["Training binary cross-entropy, nats per pixel"].send_keys(Keys.SPACE)
    heads = [head.text for head in find_all(browser, "#table thead th")]
    assert "noise" not in heads
    assert "Training binary cross-entropy, nats per pixel" in heads


def test_dragging_along_an_axis_filters_curves_and_table(browser: webdriver.Chrome, large: Path) -> None:
    show(browser, large)
    node = axis(browser, "learning_rate").find_element(By.CSS_SELECTOR, ".reach")
    x, y = middle(browser, node)
    drag(browser, (x, y - 20), (x, y + 70))
    until(lambda: 0 < len(labels(browser)) < 199, 10, "fewer rows")
    shown = len(labels(browser))
    rates = [float(text) for text in column(browser, "learning_rate")]
    assert max(rates) / min(rates) < 100
    assert status(browser).startswith("learning_rate ")
    assert f": {shown} of 199 points" in status(browser)
    until(
        lambda: drawn_curves(browser) == shown - column(browser, "Validation binary").count("–"), 10, "curves"
    )
    assert len(find_all(browser, "#parallel .lines .out")) == 199 - shown
    drag(browser, (x, y), (x, y))
    until(lambda: len(labels(browser)) == 199, 10, "all rows: a click releases the axis")
    assert find(browser, "#unbrush").get_attribute("disabled")


def test_a_finger_filters_too(browser: webdriver.Chrome, large: Path) -> None:
    show(browser, large, width=PHONE)
    x, y = middle(browser, axis(browser, "batch_size").find_element(By.CSS_SELECTOR, ".reach"))
    for kind, at in (("touchStart", x - 40), ("touchMove", x + 20), ("touchMove", x + 90)):
        browser.execute_cdp_cmd(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at, "y": y}]}
        )
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    until(lambda: 0 < len(labels(browser)) < 199, 10, "fewer rows")


def test_keys_filter_move_resize_and_release(browser: webdriver.Chrome, large: Path) -> None:
    show(browser, large)
    slider = axis(browser, "batch_size")
    assert slider.aria_role == "slider"
    browser.execute_script("arguments[0].focus()", slider)

    def press(*keys: str) -> None:
        chain = ActionChains(browser)
        for key in keys[:-1]:
            chain.key_down(key)
        chain.send_keys(keys[-1])
        for key in keys[:-1]:
            chain.key_up(key)
        chain.perform()

    press(Keys.ARROW_DOWN)
    until(lambda: slider.get_attribute("aria-valuetext") == "30.6 to 90.5", 10, "the lower half")
    until(lambda: set(column(browser, "batch_size")) == {"32", "64"}, 10, "small batches")
    for _ in range(2):
        press(Keys.ARROW_UP)
    until(lambda: set(column(browser, "batch_size")) == {"64"}, 10, "moved")
    for _ in range(5):
        press(Keys.SHIFT, Keys.ARROW_UP)
    until(lambda: set(column(browser, "batch_size")) == {"64", "128"}, 10, "resized")
    press(Keys.ESCAPE)
    until(lambda: slider.get_attribute("aria-valuetext") == "all", 10, "no filter")
    until(lambda: len(labels(browser)) == 199, 10, "released")


def test_what_is_pointed_at_is_named_and_stands_out_everywhere(
    browser: webdriver.Chrome, large: Path
) -> None:
    show(browser, large)
    row = find_all(browser, "#table tbody tr")[2]
    label = row.find_element(By.CSS_SELECTOR, "th bdi").text
    move_to(browser, middle(browser, row))
    until(
        lambda: status(browser).startswith(f"{label}: Validation binary cross-entropy 0."), 10, "its values"
    )
    for place in ("#losses .curve", "#parallel .lines path", "#scatters .points g"):
        assert find_all(browser, f"{place}.chosen"), place
    mark = find(browser, "#scatters .best-of-all")
    move_to(browser, middle(browser, mark))
    until(lambda: status(browser).startswith(f"{labels(browser)[0]}:"), 10, "the best")


def test_a_curve_names_its_run_and_a_click_opens_its_report(browser: webdriver.Chrome, large: Path) -> None:
    show(browser, large)
    plot = find(browser, "#losses .plot > svg")
    browser.execute_script("arguments[0].focus()", plot)
    ActionChains(browser).send_keys(Keys.END).perform()
    until(lambda: find(browser, "#losses .values a").text == labels(browser)[0], 10, "the best run")
    until(lambda: find_all(browser, "#table tr.chosen"), 10, "its row")
    place = browser.execute_script(
        "const {x, y, width, height} = document.querySelector('#losses .here circle').getBoundingClientRect();"
        "return [x + width / 2, y + height / 2]"
    )
    mouse = ActionChains(browser)
    mouse.w3c_actions.pointer_action.move_to_location(*map(int, place)).click()
    mouse.perform()
    until(lambda: browser.title == "a report", 20, "the report")
    assert browser.current_url.endswith("-042-k7qd/report.html")
    assert "/sweeps/" not in browser.current_url


def test_the_curves_are_enlarged_by_dragging_buttons_and_keys(browser: webdriver.Chrome, large: Path) -> None:
    show(browser, large)
    plot = find(browser, "#losses .plot > svg")

    def marks() -> list[str]:
        return [text.text for text in find_all(browser, "#losses .plot > svg > text")]

    whole = marks()
    x, y = middle(browser, plot)
    drag(browser, (x - 100, y - 50), (x + 100, y + 50))
    until(lambda: marks() != whole, 10, "a part")
    assert browser.title != "a report", "the end of a drag is no click"
    assert find_all(browser, "#losses svg.part")
    find(browser, ".zooms button:last-child").click()
    until(lambda: marks() == whole, 10, "the whole")
    plot.send_keys("+")
    until(lambda: marks() != whole, 10, "a part")
    plot.send_keys("0")
    until(lambda: marks() == whole, 10, "the whole")
    find(browser, ".zooms button").click()
    until(lambda: marks() != whole, 10, "a part")
    find(browser, ".zooms button:nth-child(2)").click()
    until(lambda: marks() == whole, 10, "the whole")


def test_selected_points_have_a_look_of_their_own(browser: webdriver.Chrome, large: Path) -> None:
    show(browser, large)
    boxes = find_all(browser, "#table tbody input")
    assert [box.is_selected() for box in boxes[:3]] == [True, False, False], "the best"
    middle(browser, boxes[1])
    boxes[1].click()
    boxes[2].send_keys(Keys.SPACE)
    until(lambda: len(find_all(browser, "#losses .curve.front")) == 3, 10, "three curves in front")
    strokes = browser.execute_script(
        "return [...document.querySelectorAll('#parallel .front')].map(path => {"
        "const {stroke, strokeDasharray} = getComputedStyle(path); return stroke + strokeDasharray; })"
    )
    assert len(set(strokes)) == 3
    find(browser, "#unpick").click()
    until(lambda: not find_all(browser, ".front"), 10, "none")


def test_seeds_are_folded_and_unfolded(browser: webdriver.Chrome, small: Path) -> None:
    show(browser, small)
    assert len(labels(browser)) == 3
    cells = column(browser, "Validation binary")
    assert sorted("±" in text for text in cells) == [False, True, True], "one has but one result"
    assert all(text.endswith(" (2)") for text in cells if "±" in text)
    assert "1 failed" in find(browser, "#table").text
    toggle = find(browser, "#table .toggle")
    toggle.send_keys(Keys.ENTER)
    toggle = find(browser, "#table .toggle")
    assert toggle.get_attribute("aria-expanded") == "true"
    assert browser.switch_to.active_element == toggle
    assert labels(browser)[1:3] == ["seed 0", "seed 1"]
    find(browser, "#table tr.run a").click()
    until(lambda: browser.title == "a report", 20, "the report")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_it_fits_and_can_be_read(
    browser: webdriver.Chrome, small: Path, large: Path, width: int, dark: bool
) -> None:
    for page in (small, large):
        show(browser, page, width=width, dark=dark)
        assert browser.execute_script(OVERFLOWS) <= 0
        contrast, text = browser.execute_script(LEAST_CONTRAST)
        assert contrast >= 4.5, text
        sizes = browser.execute_script(
            "return [...document.querySelectorAll('main svg text')].filter(text => text.getClientRects().length)"
            ".map(text => parseFloat(getComputedStyle(text).fontSize))"
        )
        assert min(sizes) >= 12
        outside = browser.execute_script(
            "return [...document.querySelectorAll('#parallel text, #scatters text')].map(text => "
            "text.getBoundingClientRect()).filter(({left, right}) => left < -1 || right > innerWidth + 1).length"
        )
        assert outside == 0
        assert new_entries(browser, "browser") == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_long_words_are_neither_cut_at_the_edge_nor_broken_in_the_table(
    browser: webdriver.Chrome, tmp_path: Path, width: int
) -> None:
    for number, word in enumerate(("autoencoders", "a word of some length, and more of it", "b" * 60)):
        write_run(tmp_path, number, {"words": word, "epochs_before": number}, name=f"run {number}")
    selection = selected(tmp_path, [id_of(number) for number in range(3)])
    write_compare_page(Results(tmp_path), selection, tmp_path / "compare.html")
    show(browser, tmp_path / "compare.html", width=width)
    assert browser.execute_script(OVERFLOWS) <= 0
    edge = "return Math.min(...[...document.querySelectorAll('#parallel text')].map(text => text.getBoundingClientRect().left))"
    assert browser.execute_script(edge) >= 0
    lines = browser.execute_script(
        "const range = document.createRange();"
        "range.selectNodeContents([...document.querySelectorAll('#table td')].find(cell => cell.textContent === 'autoencoders'));"
        "return range.getClientRects().length"
    )
    assert lines == 1


def test_every_control_has_a_name_and_keys_reach_it(browser: webdriver.Chrome, small: Path) -> None:
    show(browser, small)
    reached = set()
    for _ in range(60):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        node = browser.switch_to.active_element
        if node.tag_name == "body":  # after the last one
            continue
        assert node.accessible_name, node.get_attribute("outerHTML")
        reached.add(node.accessible_name)
    assert {"logarithmic axis", "Filter by noise", "Select point 0", "Columns", "Clear selection"} <= reached


WILD: Sequence[Any] = (float(2**70), -1e300, 1e-300, "", "a" * 90, True, None, 0, [1, 2], *HOSTILE)


def test_nothing_that_a_stranger_wrote_runs_or_breaks_the_page(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    for number, value in enumerate(WILD):
        name = HOSTILE[number % len(HOSTILE)]
        write_run(
            tmp_path, number, {"value": value, name: value, "__proto__": value},
            loss=[0.1, 1e308, -1e308, 5e-324, 0.2, 0.0][number % 6], name=name, state=["succeeded", "failed"][number % 2],
            metrics={name: number, "__proto__": 1e17}, error=name, warnings=[name],
            data={name: {"name": name, "sha256": name}}, code={"checksum": name},
        )  # fmt: skip
    (tmp_path / id_of(900)).mkdir()
    (tmp_path / id_of(900) / "job.json").write_text("no JSON")
    selection = selected(tmp_path, [*(id_of(number) for number in range(len(WILD))), id_of(900)])
    write_compare_page(Results(tmp_path), selection, tmp_path / "compare.html", title="\n".join(HOSTILE))
    show(browser, tmp_path / "compare.html")
    assert new_entries(browser, "browser") == []
    assert browser.title != "owned"
    assert len(labels(browser)) == len(WILD) + 1
    for number in range(len(find_all(browser, "#table thead button"))):  # each click makes them anew
        browser.execute_script(
            "document.querySelectorAll('#table thead button')[arguments[0]].click()", number
        )
    for node in find_all(browser, "#columns input, .switches input, #parallel .axis"):
        browser.execute_script(
            "arguments[0].dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowUp', bubbles: true}));"
            "arguments[0].click?.()",
            node,
        )
    drawn = browser.execute_script(
        "return [...document.querySelectorAll('main svg *')].flatMap(node => "
        "[...node.attributes].filter(each => !/label|text/.test(each.name)).map(each => each.value)).join(' ')"
    )
    assert "NaN" not in drawn
    assert "Infinity" not in drawn
    assert new_entries(browser, "browser") == []
    assert browser.title != "owned"
    assert "1e+308" not in find(browser, "#table").text


def test_a_page_of_one_run_or_none_says_so(browser: webdriver.Chrome, tmp_path: Path) -> None:
    write_run(tmp_path, 1, {}, loss=0.1)
    for ids in ([id_of(1)], []):
        selection = selected(tmp_path, ids) if ids else Selection([])
        write_compare_page(Results(tmp_path), selection, tmp_path / "compare.html", title="few")
        show(browser, tmp_path / "compare.html")
        assert new_entries(browser, "browser") == []
        assert len(labels(browser)) == len(ids)
        assert not find(browser, "#parallel").is_displayed()
    assert GOAL not in find(browser, "body").text
