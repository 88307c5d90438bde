"""Take pictures of a study's page as a browser shows it: ``python docs/screenshots.py STUDY
docs/report``.

It needs Chromium (Debian: ``apt-get install chromium``) and ``pip install playwright``. The top of
the page goes to ``docs/report.png`` at 1280 px, the whole page to ``docs/report-390.png`` at 390.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from agenthpo.reporting.making import report
from agenthpo.studies import find_study


def main(study: str, target: str) -> None:
    """Write both pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("there is no Chromium; install it by: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        file = Path(folder, "report.html")
        file.write_text(report(find_study(study)), encoding="utf-8")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width, height, whole, name in (
            (1280, 1500, False, f"{target}.png"),
            (390, 844, True, f"{target}-390.png"),
        ):
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(file.as_uri())
            page.wait_for_selector("html[data-ready]", state="attached")
            page.wait_for_timeout(500)  # plots fade in
            page.screenshot(path=name, full_page=whole)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
