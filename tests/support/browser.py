"""A Chrome or Chromium of the machine, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
ARGUMENTS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
MISSING = (
    "no Chrome or Chromium was found, so NOTHING OF THE REPORT WAS TESTED IN A BROWSER: "
    "install one, such as Debian's chromium"
)


def find() -> str:
    """Return the path of a browser; without one skip the test, or fail if it could be installed."""
    for path in filter(None, map(shutil.which, PROGRAMS)):
        return path
    for path in filter(os.path.exists, APPLICATIONS):
        return path
    if os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@contextmanager
def started() -> Iterator[Browser]:
    """Start a browser without a window."""
    path = find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def url_of(path: Path) -> str:
    """Return the address of a file on disk."""
    return path.resolve().as_uri()
