"""A number is rounded alike wherever it is shown: by the kit, by Python's format, in lists and by the pages' programs."""

import json
import random
from importlib import resources
from pathlib import Path

import pytest
from selenium import webdriver

from tests.report.browsing import opened
from worker.report.blocks import Metric
from worker.report.formatting import number
from worker.report.metrics import headline

HALVES = [0.81875, 0.8125, 0.0625, 0.03125, 0.5, 1.5, 2.5, 0.125, 0.375, -0.125, 1234.5, 0.00005, 1e8 + 0.5]
_rng = random.Random(0)
CASES = [(value, digits) for value in HALVES for digits in range(6)] + [
    (round(_rng.uniform(-2_000, 2_000), _rng.randint(0, 9)), _rng.randint(0, 6)) for _ in range(400)
]


@pytest.mark.parametrize("value", HALVES)
def test_the_kit_agrees_with_python_and_with_lists(value: float) -> None:
    for digits in range(1, 6):
        if abs(value) >= 10**-digits:
            assert number(value, digits) == f"{value:,.{digits}f}".replace("-", "−")
            listed = headline([Metric("a", "A", digits)], {"a": value})
            assert listed is not None
            assert number(listed["value"], digits) == number(value, digits)


@pytest.mark.browser
def test_the_programs_of_pages_agree_with_the_kit(browser: webdriver.Chrome, tmp_path: Path) -> None:
    nodes = resources.files("worker.report").joinpath("templates", "nodes.js").read_text(encoding="utf-8")
    (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8><script>{nodes}</script>")
    opened(browser, (tmp_path / "page.html").as_uri())
    shown = browser.execute_script(
        "return JSON.parse(arguments[0]).map(([value, digits]) => formatted(value, digits))",
        json.dumps(CASES),
    )
    assert shown == [number(value, digits) for value, digits in CASES]
