"""A real Chromium for tests: phone and desk, what it complains about, what axe-core finds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text(encoding="utf-8")
# The shell does without the parts of a browser that no page sees, and takes a third of the processor time.
CHROMIUM = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"]  # fmt: skip
LONGEST = 1600  # pixels of a page that a picture shows; longer ones are cut off
WIDEST = 720  # pixels of a picture; a desktop is shown smaller
SIZES = {"phone": (360, 740), "desk": (1280, 800)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a file's tests; each opens contexts of its own. Not longer: while the driver runs, its event loop
    counts as this thread's, and tests that start one themselves, or use Django, would fail."""
    with sync_playwright() as driver:
        own = next((path for path in CHROMIUM if Path(path).exists()), None)
        started = driver.chromium.launch(executable_path=own, args=ARGS)
        yield started
        started.close()


def open_tab(
    browser: Browser, size: str, *, scheme: str = "light", lang: str = "zh-CN", scripts: bool = True
) -> tuple[Page, list[str]]:
    """A page of a fresh visitor, and whatever the browser will complain about."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme,  # type: ignore[arg-type]
        is_mobile=size == "phone", device_scale_factor=1, reduced_motion="reduce", locale=lang, java_script_enabled=scripts,
    )  # fmt: skip
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


def keep_picture(page: Page, name: str, lang: str) -> None:
    """Keep the open page as the documents show it (docs/screenshots.md), where HUANXIN_SCREENSHOTS names a folder for it."""
    if folder := os.environ.get("HUANXIN_SCREENSHOTS"):
        picture = Image.open(BytesIO(page.screenshot(full_page=True)))
        seen = picture.crop((0, 0, picture.width, min(picture.height, LONGEST)))
        seen.thumbnail((WIDEST, LONGEST))
        seen.save(Path(folder) / f"{name}-{lang[:2]}.webp", quality=25, method=6)


def keep_both(page: Page, name: str) -> None:
    """The same in English and in Chinese; the page is loaded again for it, so it has to be one with an address."""
    if os.environ.get("HUANXIN_SCREENSHOTS"):
        address = page.url
        for lang in ("en", "zh"):
            page.goto(f"{address}{'&' if '?' in address else '?'}lang={lang}")
            keep_picture(page, name, lang)


def draw(page: Page) -> None:
    """Sign on the page's canvas with the mouse."""
    expect(page.locator("canvas")).to_be_visible()
    page.locator("canvas").scroll_into_view_if_needed()
    box = page.locator("canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + 30 + step * 15, box["y"] + 30 + (step % 3) * 20)
    page.mouse.up()


def fits(page: Page) -> bool:
    """Whether nothing sticks out to the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong, in short. The page's own policy forbids foreign scripts, so it is put in by the driver."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)")  # not the rest
    return [f"{one['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})" for one in found for node in one["nodes"]]
