"""A real browser without a window: what it prints on its console, how wide pages are, and pictures of them."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")

# A window is at least 500 pixels wide, a frame in it as narrow as a phone.
_FRAME = """<!doctype html><body><iframe src='page.html' width='{width}' height='{height}' style='border:0'></iframe>
<script>onmessage = message => {{ document.title = message.data }}</script></body>"""
_PROBE = "parent.postMessage('page ' + document.documentElement.scrollWidth + ' in ' + innerWidth, '*')"


@dataclass(frozen=True, slots=True)
class Look:
    """What a browser showed: lines on its console, the width of page and frame in pixels, and a picture as PNG."""

    console: list[str]
    page_width: int
    frame_width: int
    picture: bytes


def look(page: Path, width: int, height: int, *, script: str = "") -> Look:
    """Open a page in a frame of a size and in a window of that size; a script may run in it."""
    folder = page.parent / f"browser-{width}"
    folder.mkdir(exist_ok=True)
    html = page.read_text(encoding="utf-8").replace("</body>", f"<script>{_PROBE};{script}</script></body>")
    (folder / "page.html").write_text(html, encoding="utf-8")
    (folder / "frame.html").write_text(_FRAME.format(width=width, height=height), encoding="utf-8")
    shot = _run(folder, "page.html", f"--window-size={width},{height}", f"--screenshot={folder / 'page.png'}")
    dump = _run(folder, "frame.html", "--window-size=1600,2000", "--virtual-time-budget=3000", "--dump-dom")
    widths = re.search(r"<title>page (\d+) in (\d+)</title>", dump.stdout)
    assert widths is not None, dump.stdout[-2000:]
    console = [line for done in (shot, dump) for line in done.stderr.splitlines() if "CONSOLE" in line]
    return Look(console, int(widths[1]), int(widths[2]), (folder / "page.png").read_bytes())


def _run(folder: Path, file: str, *wanted: str) -> "subprocess.CompletedProcess[str]":
    assert CHROMIUM is not None
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
        "--hide-scrollbars",
        "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}",
        *wanted,
        (folder / file).as_uri(),
    ]
    environment = {**os.environ, "HOME": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, env=environment)
