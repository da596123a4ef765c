"""Take the README's picture of the compare dashboard: `python docs/screenshot.py [results/demo/runs] [picture.png]`.

A second picture, at 1024 x 768, goes beside the first one if its name is given as well.
"""

import shutil
import sys

from playwright.sync_api import sync_playwright

from ganlib.display import serve

_SIZES = ((1440, 900), (1024, 768))


def main(runs="results/demo/runs", *pictures):
    """Serve the runs and photograph the page once its pixels and its scores are there."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with serve.start(runs=runs) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        for (width, height), picture in zip(_SIZES, pictures or ["docs/compare.png"], strict=False):
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(server.address, wait_until="commit")
            page.wait_for_selector(".gv[data-painted]", timeout=60_000)
            page.wait_for_selector('[data-metric="psnr_db"] .gv-number', timeout=60_000)
            page.wait_for_timeout(500)
            page.screenshot(path=picture)
        browser.close()


main(*sys.argv[1:])
