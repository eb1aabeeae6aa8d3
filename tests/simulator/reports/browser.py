"""A real browser without a window: what it prints on its console, how wide pages are, boxes in them, and pictures."""

import base64
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evaluation.chrome import CHROMIUM, headless

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


def measure(page: Path, width: int, expression: str) -> Any:
    """Return the value of an expression in JavaScript in a page of a width, as plain values."""
    # Base 64 of ASCII (JSON escapes the rest) is safe inside a title.
    text = (
        f"JSON.stringify({expression}).replace(/[^ -~]/g, c => '\\\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))"
    )
    folder = page.parent / f"browser-{width}"
    folder.mkdir(exist_ok=True)
    script = f"<script>parent.postMessage('value ' + btoa({text}), '*')</script></body>"
    html = page.read_text(encoding="utf-8").replace("</body>", script)
    (folder / "page.html").write_text(html, encoding="utf-8")
    (folder / "frame.html").write_text(_FRAME.format(width=width, height=3000), encoding="utf-8")
    dump = _run(folder, "frame.html", "--window-size=1600,2000", "--virtual-time-budget=5000", "--dump-dom")
    found = re.search(r"<title>value ([A-Za-z0-9+/=]+)</title>", dump.stdout)
    assert found is not None, dump.stdout[-2000:] + dump.stderr[-2000:]
    return json.loads(base64.b64decode(found[1]))


def _run(folder: Path, file: str, *wanted: str) -> "subprocess.CompletedProcess[str]":
    command = [
        *headless(),
        "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}",
        *wanted,
        (folder / file).as_uri(),
    ]
    environment = {**os.environ, "HOME": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, env=environment)
