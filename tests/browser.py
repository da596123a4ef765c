"""One Chromium for every test that opens a page."""

import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium of the system, since Playwright's own cannot be downloaded everywhere."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None and "CI" not in os.environ:
        pytest.skip(f"no browser ({', '.join(BROWSERS)}) on the path; install one to test the dashboards")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
