"""Make the pictures of README and docs: python -m evaluation.pictures [NAME ...].

The report's pictures are screenshots of what ``nowplaying demo --report`` writes, the page's of what ``nowplaying
serve`` answers to a demo song in a street, both light and dark, as are the charts, which are drawn from committed
figures. The spectrograms are of committed recordings. Needs Chromium and the extras ``report``, ``serve`` and
``train``.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
from rich.console import Console

from evaluation.chrome import CHROMIUM, Chrome, headless
from evaluation.committed import committed
from evaluation.detector import gate_report, operating
from evaluation.experiments import federated
from evaluation.experiments.capacity_plot import draw_points
from evaluation.experiments.defences_plot import committed_series, draw_plot
from evaluation.experiments.federated_report import draw_curve
from evaluation.readme import accuracy_rows
from evaluation.spectrograms import SPECTROGRAMS, draw_spectrograms
from nowplaying_core.artifacts import write_atomic
from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from nowplaying_core.command import run_command
from nowplaying_core.plotting import new_figure, pyplot, save_figure
from simulator.demo import index_demo_songs, run_demo
from simulator.scenes.recordings import demo_recordings

__all__ = ["CHARTS", "draw_chart", "main", "served", "write_chart"]

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "pictures"
_SIZE: Final = (1100, 915)
_PAGE_WIDTH: Final = 1100
_COLOURS: Final = {"light": ("#ffffff", "#1f2328"), "dark": ("#0d1117", "#e6edf3")}
_BARS: Final = ("#2f6feb", "#8b949e", "#d29922")


def main() -> int:
    """Write the pictures that are named, or all."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.pictures", description="Make the pictures of the pages."
    )
    drawn: dict[str, Callable[[Path], None]] = {name: partial(_draw_chart, name) for name in CHARTS}
    drawn |= {name: partial(_draw_spectrograms, name) for name in SPECTROGRAMS}
    makers = {"report": _draw_report, "page": _draw_page, **drawn}
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *makers], help=", ".join(makers))
    names = parser.parse_args().names or list(makers)
    if CHROMIUM is None and not set(names) <= set(drawn):
        print("no Chromium here (Debian: apt-get install chromium)", file=sys.stderr)
        return 5
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            makers[name](Path(folder))
    return 0


def _draw_report(folder: Path) -> None:
    report = folder / "report.html"
    run_demo(Console(file=io.StringIO()), report=report)
    for scheme in _COLOURS:
        _screenshot(report, FOLDER / f"report-{scheme}.png", scheme)


def _draw_chart(name: str, _: Path) -> None:
    for scheme in _COLOURS:
        write_chart(FOLDER / f"{name}-{scheme}.svg", name, scheme)


def _draw_spectrograms(name: str, folder: Path) -> None:
    draw_spectrograms(name, folder / "spectrograms.png")
    _shrink(folder / "spectrograms.png", FOLDER / f"{name}.png", n_colours=64)


def _draw_page(folder: Path) -> None:
    """Let the local page answer a song in a street's noise, between speech and silence."""
    index_demo_songs(folder / "music.npdb")
    recordings = demo_recordings()
    speech, song, street = (load(recordings[name].path) for name in ("talking", "martian-cowboy", "city"))
    sound = np.concatenate([speech[: 10 * SAMPLE_RATE_HZ], song[8 * SAMPLE_RATE_HZ :][: 20 * SAMPLE_RATE_HZ]])
    sound[: street.size] += 0.3 * street[: sound.size]
    soundfile.write(folder / "evening.wav", sound / np.abs(sound).max(), SAMPLE_RATE_HZ)
    with served(folder / "music.npdb") as address, Chrome(folder) as chrome:
        for scheme in _COLOURS:
            chrome.open(address, width=_PAGE_WIDTH, dark=scheme == "dark")
            chrome.choose("#sound", [folder / "evening.wav"])
            chrome.wait("document.getElementById('announcement').textContent !== ''")
            chrome.wait("document.getElementById('playback').duration > 0")
            chrome.picture(folder / "page.png")
            _shrink(folder / "page.png", FOLDER / f"page-{scheme}.png")
            chrome.value("document.getElementById('forget').click()")


@contextmanager
def served(database: Path) -> Iterator[str]:
    """Run ``nowplaying serve`` on a free port, as a program of its own, and give the page's address."""
    program = "from nowplaying.cli.main import main; main()"
    command = [sys.executable, "-c", program, "serve", "--db", str(database), "--port", "0", "--no-browser", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = "" if process.stdout is None else process.stdout.readline()
            yield str(json.loads(line)["url"])
        finally:
            process.terminate()


def _shrink(picture: Path, path: Path, *, n_colours: int = 224) -> None:
    """Write a picture with few colours, which a page of flat colours does not miss."""
    from PIL import Image

    small = (
        Image.open(picture)
        .convert("RGB")
        .quantize(colors=n_colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    write_atomic(path, lambda part: small.save(part, format="PNG", optimize=True))


def write_chart(path: Path, name: str, scheme: str) -> None:
    """Write a chart as SVG; the same figures give the same bytes."""
    with pyplot().rc_context({"svg.hashsalt": path.name}):  # else the ids of its parts are random
        save_figure(draw_chart(name, scheme), path, metadata={"Date": None})


def draw_chart(name: str, scheme: str) -> Any:
    """Return one of ``CHARTS``, light or dark."""
    back, ink = _COLOURS[scheme]
    figure = new_figure(figsize=(8, 3.2), facecolor=back)
    axes = figure.subplots()
    axes.set_facecolor(back)
    axes.tick_params(colors=ink)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(ink)
    CHARTS[name](axes, ink)
    return figure


def _accuracy(axes: Any, ink: str) -> None:
    """Draw song-level top-1 over the length of the query, at 0 dB in rooms."""
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
    axes.legend(loc="upper left", ncols=3, frameon=False, labelcolor=ink, fontsize=9)


def _operating(axes: Any, ink: str) -> None:
    """Draw music found over false wake-ups an hour, for the best gates of the detector and of its teacher."""
    for (name, gates), colour in zip(operating.curves().items(), _BARS, strict=False):
        rates = [row["false_triggers_per_hour"] for row in gates]
        found = [100 * row["recall_audible"] for row in gates]
        axes.step(rates, found, where="post", color=colour, label=f"{name}, best gates", linewidth=2)
    shipped = operating.shipped_point()
    axes.plot(*shipped, "o", color=_BARS[0], markeredgecolor=ink, label="the shipped gate")
    axes.set_xlim(0, 6)
    axes.set_ylim(70, 100)
    axes.set_xlabel("false wake-ups an hour of sound without music", color=ink)
    axes.set_ylabel("music regions found (%)", color=ink)
    axes.legend(loc="lower right", frameon=False, labelcolor=ink, fontsize=9)


def _federated(axes: Any, ink: str) -> None:
    """Draw the probe's mean over the privacy budget of the federated experiment."""
    draw_curve(axes, ink, federated.committed_result(), _BARS)


def _defences(axes: Any, ink: str) -> None:
    """Draw how much of a melody is rebuilt over how many queries are answered, for each way to store fingerprints."""
    draw_plot(axes, ink, committed_series(), _BARS)


def _gates(axes: Any, ink: str) -> None:
    """Draw what the gates of the shipped detector find, by the delay that they keep to, and the chosen one."""
    gate_report.draw(axes, ink, committed(gate_report.RESULTS), gate_report.COLOURS)


def _capacity(along: str, axes: Any, ink: str) -> None:
    """Draw rank-1 over the length of training, or over the size of the network."""
    draw_points(axes, ink, along, _BARS)


CHARTS: Final[dict[str, Callable[[Any, str], None]]] = {
    "accuracy": _accuracy,
    "operating": _operating,
    "federated": _federated,
    "defences": _defences,
    "gates": _gates,
    "capacity-steps": partial(_capacity, "n_steps"),
    "capacity-macs": partial(_capacity, "n_macs"),
}


def _screenshot(page: Path, picture: Path, scheme: str) -> None:
    command = [
        *headless(),
        f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
        *(f"--window-size={_SIZE[0]},{_SIZE[1]}", f"--screenshot={picture}", page.as_uri()),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    run_command(main)
