"""A real browser: how it is started, the sizes that pages are seen at, and what axe-core finds wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

SIZES = {"phone": (390, 844), "desk": (1280, 800)}
_AXE = (Path(__file__).parent / "acceptance/vendor/axe-core/axe.min.js").read_text(encoding="utf-8")
_CHROMIUM = Path("/usr/bin/chromium")
_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@contextmanager
def started_browser() -> Iterator[Browser]:
    """Chromium, the machine's own if it has one."""
    with sync_playwright() as driver:
        own = str(_CHROMIUM) if _CHROMIUM.exists() else None
        started = driver.chromium.launch(executable_path=own, args=_ARGS)
        yield started
        started.close()


def new_page(browser: Browser, size: str, scheme: str = "light") -> tuple[Page, list[str]]:
    """An empty page, and a list that fills with whatever the browser complains about."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme,  # type: ignore[arg-type]
        is_mobile=size == "phone", device_scale_factor=1, reduced_motion="reduce", locale="zh-CN",
    )  # fmt: skip
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


def fits(page: Page) -> bool:
    """Whether nothing sticks out to the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong, in short. Runs beside the page's scripts, so that the page's own policy stays in force."""
    page.evaluate(_AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for one in found["violations"]
        for node in one["nodes"]
    ]
