"""A real browser without a window: what it prints on its console, and pictures of pages."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")


def look(page: Path, width: int, height: int, *, probe: str = "") -> tuple[list[str], str, bytes]:
    """Return the lines on the console, the page's text after ``probe`` ran in it, and a screenshot as PNG.

    The probe is put into a copy of the page: what it writes into ``document.title`` comes back.
    """
    assert CHROMIUM is not None
    folder = page.parent / f"browser-{width}"
    folder.mkdir(exist_ok=True)
    copy = folder / "page.html"
    script = f"<script>{probe}</script></body>" if probe else "</body>"
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", script), encoding="utf-8")
    picture = folder / "page.png"
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
        f"--window-size={width},{height}",
    ]
    environment = {**os.environ, "HOME": str(folder)}
    shot, dump = (
        subprocess.run(
            [*command, *wanted, copy.as_uri()], capture_output=True, text=True, check=True, timeout=300, env=environment
        )
        for wanted in ([f"--screenshot={picture}"], ["--dump-dom"])
    )
    console = [line for done in (shot, dump) for line in done.stderr.splitlines() if "CONSOLE" in line]
    return console, dump.stdout, picture.read_bytes()
