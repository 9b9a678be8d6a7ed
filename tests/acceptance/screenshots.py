"""Takes the pictures of docs/web-page.md: `python -m tests.acceptance.screenshots DIRECTORY`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.acceptance.people import sign_in, web_section
from tests.acceptance.stand import REPOSITORY, Stand, stand
from tests.chromium import chromium

DESK = {"width": 1000, "height": 900}
PHONE = {"width": 390, "height": 844}


INSTALLED = """places => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode())
    for (const [from, to] of places) texts.currentNode.data = texts.currentNode.data.replaceAll(from, to);
}"""
"""Shows the paths as they would be where the agent is installed, in place of those of who takes the pictures."""


def take_all(directory: Path) -> None:
    """A release is down, a person is asked, approves it, and it is restored: each page in turn."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        root = Path(place)
        with stand(root, autonomy="L3", web=web_section(root, alice="operator")) as here:
            here.go_wrong()
            here.await_run(state="waiting")
            _take_waiting(here, browser, directory)


def _take_waiting(here: Stand, browser: Browser, directory: Path) -> None:
    incident = f"{here.url}/incidents/{here.incidents()[0]['id']}"
    phone = sign_in(browser.new_context(viewport=PHONE, color_scheme="dark", device_scale_factor=2), here.url, "alice")
    _take(phone, incident, directory / "incident-phone-dark.png", here.directory, whole=False)
    night = sign_in(browser.new_context(viewport=DESK, color_scheme="dark"), here.url, "alice")
    _take(night, f"{here.url}/deployments/qrl", directory / "deployment-dark.png", here.directory)
    day = sign_in(browser.new_context(viewport=DESK, color_scheme="light"), here.url, "alice")
    _take(day, here.url, directory / "overview-light.png", here.directory)
    _take(day, incident, directory / "incident-light.png", here.directory)
    day.get_by_role("button", name="Approve plan").click()
    expect(day.locator("#head .badge")).to_have_text("✓ restored", timeout=60_000)
    _take(day, incident, directory / "restored-light.png", here.directory)


def _take(tab: Page, url: str, file: Path, place: Path, whole: bool = True) -> None:
    tab.goto(url)
    installed = "/opt/rollback-agent"
    tab.evaluate(INSTALLED, [[sys.prefix, installed], [f"{REPOSITORY}", f"{installed}/lib"], [f"{place}", "/srv/qrl"]])
    tab.screenshot(path=file, full_page=whole)


if __name__ == "__main__":
    take_all(Path(sys.argv[1]))
