"""A real Chromium, and what its pages complained about."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, Request, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAINTED = """() => {
  const widgets = [...document.querySelectorAll('pv-widget')];
  return widgets.length > 0 && widgets.every((w) => !w.hasAttribute('data-waiting') && w.querySelector('.pv-widget-body > *'));
}"""


def executable() -> str | None:
    """The Chromium on PATH; None: Playwright's own."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page whose errors and requests are noted."""

    def __init__(self, browser: Browser, **look: Any) -> None:
        self.page: Page = browser.new_context(**look).new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._note)
        self.page.route("**/favicon.ico", lambda route: route.fulfill(status=204))

    def _note(self, request: Request) -> None:
        self.requests.append(request.url)

    def foreign(self, origin: str) -> list[str]:
        own = (origin, origin.replace("http", "ws"), "data:", "blob:")
        return [url for url in self.requests if not url.startswith(own)]

    def until_painted(self, timeout_s: float = 30) -> None:
        self.page.wait_for_function(PAINTED, timeout=timeout_s * 1000)

    def until_state(self, kind: str, timeout_s: float = 20) -> None:
        selector = f'.pv-state[data-freshness="{kind}"]'
        self.page.wait_for_selector(selector, timeout=timeout_s * 1000)

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)
