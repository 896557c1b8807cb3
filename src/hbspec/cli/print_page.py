"""A page printed as a PDF by the Chromium of this machine, so that hbspec needs no library that lays out pages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from hbspec.cli.command import MisuseError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
"""Names of Chromium and of browsers made of it; the first one on the PATH prints."""
SECONDS = 120
"""How long printing may take."""
BEGINNING = b"%PDF-"
TITLE = "hbspec report"
MARKS = (TITLE.encode(), TITLE.encode("utf-16-be").hex().upper().encode())
"""The end of a report's title as a PDF has it: as it is, or in hexadecimal digits where the name is not ASCII."""


def browser() -> str:
    """The path of a browser that prints.

    Raises:
        MisuseError: there is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise MisuseError(
            "--format pdf prints with Chromium, which is not on the PATH: install it, or use --format html and print"
        )
    return found


def is_printed(head: bytes) -> bool:
    """Whether a file with this beginning is a report that was printed."""
    return head.startswith(BEGINNING) and any(mark in head for mark in MARKS)


def printed(page: str) -> bytes:
    """The page as a PDF, without the browser's own header and footer.

    Raises:
        MisuseError: a browser is not found, or it prints nothing.
    """
    program = browser()
    with TemporaryDirectory(prefix="hbspec-print-") as name:
        folder = Path(name)
        source, target = folder / "report.html", folder / "report.pdf"
        source.write_text(page, encoding="utf-8")
        # root cannot use the sandbox; the page holds no script, and its policy forbids any
        sandbox = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
        words = ("--headless", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder / 'profile'}")
        command = (program, *words, *sandbox, f"--print-to-pdf={target}", source.as_uri())
        try:
            subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603 - found on the PATH
        except subprocess.TimeoutExpired:
            raise MisuseError(f"{program} did not print within {SECONDS} s: print the page of --format html") from None
        content = target.read_bytes() if target.is_file() else b""
    if not content.startswith(BEGINNING):
        raise MisuseError(f"{program} printed nothing: print the page of --format html")
    return content
