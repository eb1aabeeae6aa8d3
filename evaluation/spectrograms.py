"""Spectrograms of the recordings of docs/audio beside what they were made from, for the pages that link them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.audio import load
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.plotting import pyplot, save_figure
from simulator.scenes.recordings import demo_recordings

__all__ = ["SPECTROGRAMS", "Panel", "draw_spectrograms", "read_panel"]

AUDIO: Final = Path(__file__).resolve().parents[1] / "docs" / "audio"
_PANEL_SIZE: Final = (4.6, 1.35)  # inches

# A title, a file of docs/audio or the name of a demo recording, and the second that the panel begins at.
Panel = tuple[str, str, float]


def _decodings(name: str) -> list[Panel]:
    """Return what the privacy audit made of a demo recording, from its fourth second on."""
    made = [
        ("float fingerprint, mean", "float-fingerprint-mean"),
        ("float fingerprint, sampled", "float-fingerprint-sampled"),
        ("12-byte code, mean", "12-byte-code-mean"),
        ("12-byte code, sampled", "12-byte-code-sampled"),
    ]
    return [("the recording", name, 4.0), *((title, f"{name}-{ending}.ogg", 0.0) for title, ending in made)]


SPECTROGRAMS: Final[dict[str, tuple[float, list[list[Panel]]]]] = {
    "decodings": (8.192, [_decodings("jrpg-tavern"), _decodings("reading")]),
    "continuation": (
        15.0,
        [
            [
                ("the song, which goes on", "jrpg-tavern", 10.0),
                (
                    "five seconds of it through its codes, then ten seconds of drawn codes",
                    "jrpg-tavern-continued.ogg",
                    0,
                ),
            ]
        ],
    ),
}
"""By the picture's name: seconds of a panel, and columns of panels."""


def read_panel(panel: Panel, duration_s: float, front_end: FrontEndConfig) -> NDArray[np.float32]:
    """Return a panel's log-mel image, shape (n_mels, n_frames), in a front end's units."""
    from fingerprinter.encoders.log_mel import LogMel

    _, name, start_s = panel
    samples = load(AUDIO / name if name.endswith(".ogg") else demo_recordings()[name].path)
    first, n_samples = (round(seconds * front_end.sample_rate_hz) for seconds in (start_s, duration_s))
    n_samples -= n_samples % front_end.hop_samples
    part = samples[first : first + n_samples]
    return np.asarray(LogMel(replace(front_end, window_samples=len(part)))(part[None]))[0, :, :, 0]


def draw_spectrograms(name: str, path: Path) -> None:
    """Draw one of ``SPECTROGRAMS``: panels below each other on one scale of colours, whose unit the bar gives."""
    duration_s, columns = SPECTROGRAMS[name]
    front_end = FrontEndConfig(**ModelFolder.open(SHIPPED_FINGERPRINTER).manifest["front_end"])
    images = [[read_panel(panel, duration_s, front_end) for panel in column] for column in columns]
    _draw(columns, images, front_end, path)


def _draw(
    columns: Sequence[Sequence[Panel]],
    images: Sequence[Sequence[NDArray[np.float32]]],
    front_end: FrontEndConfig,
    path: Path,
) -> None:
    from evaluation.experiments.code_pictures import show_log_mel

    plt = pyplot()
    n_rows, n_columns = len(columns[0]), len(columns)
    width = _PANEL_SIZE[0] * n_columns * (2 if n_columns == 1 else 1)
    figure, panels = plt.subplots(
        n_rows,
        n_columns,
        figsize=(width, _PANEL_SIZE[1] * n_rows + 0.5),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    to_db = front_end.scale * 10 / np.log(10)
    of_all = np.concatenate([to_db * image.ravel() for column in images for image in column])
    least, most = np.percentile(of_all, (2, 99.8))
    for row in range(n_rows):
        for column in range(n_columns):
            panel, (title, name, _) = panels[row, column], columns[column][row]
            show_log_mel(panel, to_db * images[column][row], front_end, float(least), float(most), cmap="magma")
            heading = f"{title}: {name}" if row == 0 and n_columns > 1 else title
            panel.set_title(heading, fontsize=8)
            panel.set(xlabel="seconds" if row == n_rows - 1 else "", ylabel="Hz" if column == 0 else "")
            panel.tick_params(labelsize=7)
    bar = figure.colorbar(panels[0, 0].collections[0], ax=panels, shrink=0.6, pad=0.01)
    bar.set_label("dB beside the mean of the picture", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    save_figure(figure, path, dpi=80)
    plt.close(figure)
