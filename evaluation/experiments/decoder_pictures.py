"""Draw windows of recordings, and what each decoder makes of them.

python -m evaluation.experiments.decoder_pictures RUNS RECORDING... --out FILE
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evaluation.experiments.code_pictures import show_log_mel
from evaluation.experiments.decoders import CRITIC, OURS
from fingerprinter.config import FrontEndConfig
from fingerprinter.encoders.log_mel import LogMel
from nowplaying_core.audio.stream import load
from nowplaying_core.command import run_command
from nowplaying_core.errors import ConfigError
from nowplaying_core.plotting import pyplot, save_figure
from pretraining.methods.diffusion_autoencoder import load_autoencoder

__all__ = ["Column", "draw", "main", "rebuilt"]

Column = tuple[str, NDArray[np.float32]]

_SEED: Final = 1
_PANEL_SIZE: Final = (1.7, 2.0)  # inches


def main() -> None:
    """Draw the log-mel of a window of each recording, and of the same window rebuilt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder that evaluation.experiments.decoders has filled (--out)")
    parser.add_argument("recordings", type=Path, nargs="+", metavar="RECORDING")
    parser.add_argument("--at", type=float, default=10.0, help="seconds where the windows begin")
    parser.add_argument("--sampling-steps", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True, help="PNG file")
    options = parser.parse_args()
    config, columns = rebuilt(options.runs, options.recordings, options.at, options.sampling_steps)
    draw(columns, config, options.out)


def rebuilt(
    runs: Path, recordings: Sequence[Path], start_s: float, n_steps: int
) -> tuple[FrontEndConfig, list[Column]]:
    """Return the front end, and images of one window of each recording: as it is, and of each decoder.

    Returns
    -------
    config : FrontEndConfig
    columns : list of (str, ndarray of float32, shape (n_recordings, n_mels, n_frames))
        A title and its images.
    """
    models = {name: load_autoencoder(runs / f"{name}-{_SEED}") for name in (OURS, "mse", CRITIC)}
    ours = models[OURS]
    front_end = ours.config.front_end
    windows = np.stack([_window(path, start_s, front_end) for path in recordings])
    images = np.asarray(LogMel(front_end)(windows), np.float32)
    columns = [("real", images)]
    for name, model in models.items():
        for steps in (1, n_steps) if model.decoder.samples else (1,):
            found = model.decoder.rebuild(model.latents(images), np.random.default_rng(_SEED), n_steps=steps)
            title = f"diffusion, {steps} step{'s' if steps > 1 else ''}" if model.decoder.samples else name
            columns.append((title, found))
    return front_end, [(title, of_model[..., 0]) for title, of_model in columns]


def draw(columns: Sequence[Column], config: FrontEndConfig, path: Path) -> None:
    """Draw log-mel images on one scale of colours: a row for each recording, a column for each decoder."""
    plt = pyplot()
    n_rows, n_columns = len(columns[0][1]), len(columns)
    size = (_PANEL_SIZE[0] * n_columns, _PANEL_SIZE[1] * n_rows)
    figure, panels = plt.subplots(n_rows, n_columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    real = columns[0][1]
    for row in range(n_rows):
        for column, (title, images) in enumerate(columns):
            panel = panels[row, column]
            show_log_mel(panel, images[row], config, float(real.min()), float(real.max()), cmap="magma")
            panel.set_title(title if row == 0 else "", fontsize=8)
            panel.set(xlabel="seconds" if row == n_rows - 1 else "", ylabel="Hz" if column == 0 else "")
    figure.tight_layout()
    save_figure(figure, path, dpi=80)
    plt.close(figure)


def _window(path: Path, start_s: float, config: FrontEndConfig) -> NDArray[np.float32]:
    samples = load(path)
    first = round(start_s * config.sample_rate_hz)
    if samples.size < first + config.window_samples:
        message = f"{path}: expected {config.window_s:.1f} s from second {start_s:g} on, found "
        raise ConfigError(message + f"{samples.size / config.sample_rate_hz:.1f} s in all; choose an earlier --at")
    return samples[first : first + config.window_samples]


if __name__ == "__main__":
    run_command(main)
