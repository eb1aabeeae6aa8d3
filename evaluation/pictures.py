"""Make the README's pictures, light and dark: python -m evaluation.pictures (needs Chromium and the report extra).

The report's pictures are screenshots of what ``nowplaying demo --report`` writes; the chart is drawn from the models'
committed metrics.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from evaluation.readme import accuracy_rows
from nowplaying_core.plotting import new_figure
from simulator.demo import run_demo

__all__ = ["draw_chart", "main"]

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "pictures"
_SIZE: Final = (1100, 915)
_COLOURS: Final = {"light": ("#ffffff", "#1f2328"), "dark": ("#0d1117", "#e6edf3")}
_BARS: Final = ("#2f6feb", "#8b949e", "#d29922")


def main() -> int:
    """Write the pictures."""
    browser = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    if browser is None:
        print("no Chromium here (Debian: apt-get install chromium)", file=sys.stderr)
        return 5
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        run_demo(Console(file=io.StringIO()), report=report)
        for scheme in _COLOURS:
            _screenshot(browser, report, FOLDER / f"report-{scheme}.png", scheme)
            draw_chart(scheme).savefig(FOLDER / f"accuracy-{scheme}.svg", metadata={"Date": None})
    return 0


def draw_chart(scheme: str) -> Any:
    """Return the chart of song-level top-1 over the length of the query, at 0 dB in rooms."""
    back, ink = _COLOURS[scheme]
    figure = new_figure(figsize=(8, 3.2), facecolor=back)
    axes = figure.subplots()
    axes.set_facecolor(back)
    rows = accuracy_rows()
    names = list(rows[0][1])
    for number, (name, colour) in enumerate(zip(names, _BARS, strict=True)):
        places = [index + 0.27 * (number - 1) for index in range(len(rows))]
        heights = [values[name] for _, values in rows]
        bars = axes.bar(places, heights, width=0.25, color=colour, label=name)
        axes.bar_label(bars, fmt="%.0f", color=ink, fontsize=8)
    axes.set_xticks(range(len(rows)), [f"{length_s:g} s" for length_s, _ in rows])
    axes.set_ylim(0, 112)
    axes.set_xlabel("length of the query, 0 dB of noise in a room", color=ink)
    axes.set_ylabel("right song first (%)", color=ink)
    axes.tick_params(colors=ink)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(ink)
    axes.legend(loc="upper left", ncols=3, frameon=False, labelcolor=ink, fontsize=9)
    return figure


def _screenshot(browser: str, page: Path, picture: Path, scheme: str) -> None:
    command = [
        *(browser, "--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu"),
        f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
        *(f"--window-size={_SIZE[0]},{_SIZE[1]}", f"--screenshot={picture}", page.as_uri()),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    sys.exit(main())
