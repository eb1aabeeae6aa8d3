"""Draw what codes keep of a song, and what is drawn after it.

python -m evaluation.experiments.code_pictures RUN SONG --out FILE
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import librosa
import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from nowplaying_core.command import run_command
from nowplaying_core.errors import ConfigError
from nowplaying_core.plotting import pyplot, save_figure

__all__ = ["draw", "main", "show_log_mel"]

_PICTURE_SIZE: Final = (8.0, 6.0)
_SEED: Final = 1


def main() -> None:
    """Draw the log-mel of a song, of its codes, and of its beginning with drawn codes after it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a finished run with codes")
    parser.add_argument("song", type=Path)
    parser.add_argument("--at", type=float, default=10.0, help="seconds where the excerpt begins")
    parser.add_argument("--out", type=Path, required=True, help="PNG file")
    options = parser.parse_args()
    config, images, at_s = excerpts(options.run, options.song, options.at)
    draw(images, config, options.out, at_s=at_s)


def excerpts(run_dir: Path, song: Path, start_s: float) -> tuple[FrontEndConfig, dict[str, NDArray[np.float32]], float]:
    """Return the front end, log-mel images of one clip by title, and how many seconds of it the prompt has.

    Raises
    ------
    ConfigError
        When the song ends before the clip has two slices.
    """
    from nowplaying_core.audio.stream import load
    from pretraining.generation.code_run import CodeRun
    from pretraining.generation.continuation import continued

    run = CodeRun.open(run_dir)
    rate, n_samples = run.config.front_end.sample_rate_hz, run.n_positions * run.slice_samples
    samples = load(song)[round(start_s * rate) :][:n_samples]
    if len(samples) < 2 * run.slice_samples:
        message = f"{song}: expected sound from second {start_s:g} on, found its end; choose an earlier --at"
        raise ConfigError(message)
    codes = run.listen(samples)
    known = codes[: len(codes) // 2]
    drawn = continued(run, known, len(codes) - len(known), rng=np.random.default_rng(_SEED))

    def image(numbers: NDArray[np.int32]) -> NDArray[np.float32]:
        return np.asarray(run.quantizer.images(numbers[None]))[0, :, :, 0]

    images = {
        "the song": np.asarray(run.log_mel(samples[None]))[0, :, :, 0],
        f"its codes ({len(np.unique(codes))} different ones of {run.config.codes.n_codes})": image(codes),
        "codes of its first half, and drawn ones": image(drawn),
    }
    return run.config.front_end, images, len(known) * run.slice_samples / rate


def show_log_mel(
    panel: Any, image: NDArray[np.float32], config: FrontEndConfig, least: float, most: float, **style: Any
) -> None:
    """Draw a log-mel image, shape (n_mels, n_frames), into a panel, with its colours between two values."""
    librosa.display.specshow(
        image,
        sr=config.sample_rate_hz,
        hop_length=config.hop_samples,
        x_axis="time",
        y_axis="mel",
        fmin=config.low_hz,
        fmax=config.high_hz,
        vmin=least,
        vmax=most,
        ax=panel,
        **style,
    )


def draw(images: Mapping[str, NDArray[np.float32]], config: FrontEndConfig, path: Path, *, at_s: float) -> None:
    """Draw log-mel images below each other on one scale of colours, with a line where the prompt ends."""
    plt = pyplot()
    figure, panels = plt.subplots(len(images), 1, figsize=_PICTURE_SIZE, sharex=True, squeeze=False)
    least, most = (float(edge([image.astype(np.float64) for image in images.values()])) for edge in (np.min, np.max))
    for number, (panel, (title, image)) in enumerate(zip(panels[:, 0], images.items(), strict=True)):
        show_log_mel(panel, image, config, least, most)
        panel.set_title(title, fontsize=9)
        panel.set(xlabel="seconds" if number == len(images) - 1 else "", ylabel="Hz")
    panels[-1, 0].axvline(at_s, color="white", linestyle="--")
    figure.tight_layout()
    save_figure(figure, path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run_command(main)
