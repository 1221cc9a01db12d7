"""The screenshots of the docs: `make screenshots`.

Runs the demo, lets it gather some history, and takes the dashboard in light, dark and at phone
width, into ``docs/screenshots/``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

TARGET: Final = Path(__file__).parent / "screenshots"
CHROMIUM: Final = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOOKS: Final = {
    "light": {"viewport": {"width": 1360, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1360, "height": 900}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "dark",
        "device_scale_factor": 2,
        "is_mobile": True,
    },
}


@contextmanager
def demo() -> Iterator[str]:
    """Run the demo and yield the address it prints."""
    command = [sys.executable, "-m", "pathway_viz.standalone.cli", "demo", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        lines = (re.search(r"https?://\S+", line) for line in process.stdout or [])
        yield next(found[0] for found in lines if found)
    finally:
        process.terminate()
        process.wait(20)


def take(browser: Browser, address: str, look: str, history_s: float) -> None:
    """Take one screenshot once every widget shows a value."""
    page = browser.new_context(**LOOKS[look]).new_page()
    page.goto(address)
    page.wait_for_function("document.querySelectorAll('pv-widget').length > 0")
    page.wait_for_timeout(history_s * 1000)
    page.screenshot(path=TARGET / f"machine-{look}.png", full_page=True)
    page.context.close()


def main() -> None:
    """Take all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--history", type=float, default=60, help="seconds of data before the first"
    )
    history_s = parser.parse_args().history
    TARGET.mkdir(exist_ok=True)
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for look in LOOKS:
            take(browser, address, look, history_s)
            history_s = 3


if __name__ == "__main__":
    main()
