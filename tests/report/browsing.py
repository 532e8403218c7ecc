"""What the tests in a real browser share."""

from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.support.processes import until

PHONE, DESKTOP = 360, 1280

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

LEAST_CONTRAST = """
const channel = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = ([red, green, blue]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
const rgb = colour => colour.match(/[\\d.]+/g).map(Number);
const behind = element => {
    for (; element; element = element.parentElement) {
        const colour = rgb(getComputedStyle(element).backgroundColor);
        if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let least = [Infinity, ""];
while (texts.nextNode()) {
    if (!texts.currentNode.data.trim()) continue;
    const element = texts.currentNode.parentElement;
    const pair = [luminance(rgb(getComputedStyle(element).color)), luminance(behind(element))];
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (contrast < least[0]) least = [contrast, texts.currentNode.data.trim().slice(0, 40)];
}
return least;
"""


def opened(browser: webdriver.Chrome, address: str, *, width: int = DESKTOP, dark: bool = False) -> None:
    """Load a page at a width, light or dark, and the page of all jobs with all of them."""
    features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    if "#" in address:  # the same page would not be loaded again
        browser.get("about:blank")
    browser.get(address)
    if "index.html" in address:
        until(
            lambda: browser.execute_script("return document.documentElement.dataset.loaded"), 60, "all jobs"
        )


def widths_of_images(browser: webdriver.Chrome) -> list[int]:
    """How wide each image is once it has loaded, also one that would wait to be seen; 0 if it cannot be."""
    return [
        browser.execute_async_script(
            "const [image, done] = arguments; image.loading = 'eager';"
            "image.decode().then(() => done(image.naturalWidth), () => done(0))",
            image,
        )
        for image in browser.find_elements(By.TAG_NAME, "img")
    ]


def new_entries(browser: webdriver.Chrome, kind: str) -> list[Any]:
    """What the browser has logged since the last call."""
    return list(browser.get_log(kind))
