"""Chromium without a screen, for what people look at."""

from __future__ import annotations

import shutil
import tempfile
import unittest
from pathlib import Path

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

needs_chromium = unittest.skipUnless(
    CHROMIUM and DRIVER,
    "chromium and chromedriver are not installed (apt-get install chromium chromium-driver)",
)


def class_folder(test_class: type[unittest.TestCase]) -> Path:
    """A folder until a class's tests are over; a browser may still write to it while it is removed."""
    holder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    test_class.addClassCleanup(holder.cleanup)
    return Path(holder.name)


def start(profile: Path, *flags: str):
    """A browser that keeps its profile in a folder; the caller quits it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}", *flags):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(DRIVER))
