"""How the front end fades what sustains: python -m evaluation.experiments.front_ends [--corpus C ...] [--picture FILE].

Sounds of one kind each begin after five seconds of room tone. For every setting of the front end the table says how far
the features of the channels that carried most of the sound at first have fallen ten seconds later, and how many of all
features are zero then: of these the network sees nothing.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.band_levels import BandLevels
from detector.front_end import SHIPPED_FRONT_END, Adaptation, FrontEndSettings
from detector.training.effects import set_level
from detector.training.instruments import drone
from detector.training.pools import SoundPools
from detector.training.synthetic import synthetic_sound
from evaluation.detector.onsets import onset_class
from nowplaying_core.audio import SAMPLE_RATE_HZ, to_int16
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.plotting import new_figure, save_figure
from nowplaying_core.text import markdown_table

__all__ = ["KINDS", "SETTINGS", "draw", "fading", "main"]

SETTINGS: Final[dict[str, FrontEndSettings]] = {
    "shipped": SHIPPED_FRONT_END,
    "slower": FrontEndSettings(even_smoothing=0.0031, odd_smoothing=0.0075, full_scale=800),
    "no subtraction": FrontEndSettings(min_signal_remaining=1.0, full_scale=672),
    "weaker gain": FrontEndSettings(min_signal_remaining=1.0, gain_strength=0.5, gain_bits=17, full_scale=1_010),
    "no gain": FrontEndSettings(gain_strength=0.0, full_scale=990),
    "logarithm alone": FrontEndSettings(min_signal_remaining=1.0, gain_strength=0.0, full_scale=990),
}
"""What is compared: averages eight times as slow (3.2 and 1.3 s); the gain control without the subtraction, and with a
square root in its place; the subtraction without the gain; neither."""

_QUIET_S: Final = 5.0
_SOUND_S: Final = 21.0
_LATE_S: Final = 10.0
_DB_PER_STEP: Final = 20 / np.log(10) / 64
_FRAMES_PER_S: Final = 100
_CARRYING: Final = 10
_QUIET_DBFS: Final = -66.0
_LEVEL_DBFS: Final = -25.0

Samples = NDArray[np.float32]
Maker = Callable[[np.random.Generator], Samples]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and draw the picture; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="also recordings of dev: music by its onsets, noise")
    parser.add_argument("--cache-dir", type=Path)
    parser.add_argument("--picture", type=Path, help="SVG or PNG of the features over time")
    parser.add_argument("--sounds", type=int, default=20, help="sounds of each kind")
    options = parser.parse_args(arguments)
    if options.corpus is not None and options.cache_dir is None:
        parser.error("--corpus wants a --cache-dir")
    makers: dict[str, Maker] = dict(KINDS)
    if options.corpus is not None:
        sources = TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir)
        makers |= _recorded(SoundPools.from_sources(sources, "dev"))
    levels = {name: _levels(make, options.sounds) for name, make in makers.items()}
    measured = {
        name: {kind: fading(values, settings) for kind, values in levels.items()} for name, settings in SETTINGS.items()
    }
    cells = [(kind, *(f"{_summary(measured[name][kind])}" for name in SETTINGS)) for kind in levels]
    sys.stdout.write(markdown_table(("kind", *SETTINGS), cells, numbers=range(1, len(SETTINGS) + 1)) + "\n")
    if options.picture is not None:
        save_figure(draw(measured), options.picture)
    return 0


def fading(levels: NDArray[np.uint32], settings: FrontEndSettings) -> dict[str, NDArray[np.float64]]:
    """Return what becomes of sounds over time.

    Parameters
    ----------
    levels : ndarray of uint32, shape (n_sounds, n_frames, 40)
        The sounds begin after five seconds.
    settings : FrontEndSettings

    Returns
    -------
    dict of str to ndarray of float64, shape (n_seconds,)
        For every whole second of the sound ``"level_db"``, the mean of the ten channels that were highest in the first
        second, less what it was then, and ``"zero_share"`` of all features.
    """
    raw = np.swapaxes(Adaptation(settings).process(np.swapaxes(levels, 0, 1)), 0, 1)
    sound = raw[:, int(_QUIET_S * _FRAMES_PER_S) :].astype(np.float64)
    n_seconds = sound.shape[1] // _FRAMES_PER_S
    seconds = sound[:, : n_seconds * _FRAMES_PER_S].reshape(len(sound), n_seconds, _FRAMES_PER_S, -1)
    means = seconds.mean(axis=2)
    carrying = np.argsort(means[:, 0], axis=1)[:, -_CARRYING:]
    carried = np.take_along_axis(means, carrying[:, None, :], axis=2).mean(axis=2)
    return {
        "level_db": ((carried - carried[:, :1]) * _DB_PER_STEP).mean(axis=0),
        "zero_share": (seconds == 0).mean(axis=(0, 2, 3)),
    }


def draw(measured: Mapping[str, Mapping[str, Mapping[str, NDArray[np.float64]]]]) -> Any:
    """Return a figure: a panel for each setting, a line for each kind of sound."""
    figure = new_figure(figsize=(10, 5.5))
    panels = figure.subplots(2, (len(measured) + 1) // 2, sharex=True, sharey=True, squeeze=False)
    for axes, (name, kinds) in zip(panels.flat, measured.items(), strict=False):
        for number, (kind, values) in enumerate(kinds.items()):
            level_db = values["level_db"]
            style = "--" if "noise" in kind or kind in ("hum", "other sounds") else "-"
            axes.plot(np.arange(level_db.size) + 0.5, level_db, style, color=f"C{number}", label=kind, linewidth=1.4)
        axes.set_title(name, fontsize=10)
        axes.grid(alpha=0.3)
    for axes in panels[-1]:
        axes.set_xlabel("time since the sound's beginning (s)")
    for axes in panels[:, 0]:
        axes.set_ylabel("features (dB)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return figure


def _summary(values: Mapping[str, NDArray[np.float64]]) -> str:
    late = int(_LATE_S)
    return f"{values['level_db'][late]:.1f} dB, {100 * values['zero_share'][late]:.0f} %"


def _levels(make: Maker, n_sounds: int) -> NDArray[np.uint32]:
    found = []
    for number in range(n_sounds):
        rng = np.random.default_rng([20, number])
        sound = set_level(make(rng), _LEVEL_DBFS)
        n_quiet = int(_QUIET_S * SAMPLE_RATE_HZ)
        whole = np.concatenate([np.zeros(n_quiet, dtype=np.float32), sound])
        tone = rng.standard_normal(whole.size) * 10 ** (_QUIET_DBFS / 20)
        found.append(BandLevels().process(to_int16((whole + tone).astype(np.float32))))
    return np.stack(found)


def _times() -> NDArray[np.float64]:
    return np.arange(int(_SOUND_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _tone(time_s: NDArray[np.float64], hz: float, tilt: float, vibrato: float = 0.0) -> NDArray[np.float64]:
    """Return harmonics up to 7 kHz, at the power of minus ``tilt``."""
    phase = hz * time_s + vibrato * hz / (2 * np.pi * 5.5) * np.sin(2 * np.pi * 5.5 * time_s)
    numbers = range(1, min(20, int(7_000 / hz)) + 1)
    return np.asarray(sum(number**-tilt * np.sin(2 * np.pi * number * phase) for number in numbers))


def _chord(rng: np.random.Generator) -> list[float]:
    base_hz = float(rng.uniform(110, 260))
    return [base_hz * 2 ** (step / 12) for step in (0, int(rng.choice([3, 4])), 7, 12)]


def _organ(rng: np.random.Generator) -> Samples:
    return np.asarray(sum(_tone(_times(), hz, 0.8) for hz in _chord(rng)), dtype=np.float32)


def _drone(rng: np.random.Generator) -> Samples:
    return drone(_times(), rng).astype(np.float32)


def _phrases(rng: np.random.Generator, *, length_s: float, attack_s: float, tilt: float, vibrato: float) -> Samples:
    """Return chords one after another, each fading into the next."""
    time_s = _times()
    out = np.zeros_like(time_s)
    for start_s in np.arange(0, _SOUND_S, length_s):
        envelope = np.clip((time_s - start_s) / attack_s, 0, 1) * np.clip(
            (start_s + length_s + attack_s - time_s) / attack_s, 0, 1
        )
        rows = np.flatnonzero(envelope)
        for hz in _chord(rng):
            out[rows] += _tone(time_s[rows], hz, tilt, vibrato) * envelope[rows]
    return out.astype(np.float32)


def _ambient(rng: np.random.Generator) -> Samples:
    return _phrases(rng, length_s=8.0, attack_s=2.0, tilt=1.6, vibrato=0.0)


def _strings(rng: np.random.Generator) -> Samples:
    return _phrases(rng, length_s=3.0, attack_s=0.15, tilt=1.0, vibrato=0.012)


def _plucked(rng: np.random.Generator) -> Samples:
    """Return a note every quarter of a second, which decays."""
    time_s = _times()
    out = np.zeros_like(time_s)
    notes = [hz for hz in _chord(rng) for _ in range(2)]
    for number, start_s in enumerate(np.arange(0, _SOUND_S, 0.25)):
        rows = np.flatnonzero((time_s >= start_s) & (time_s < start_s + 1.0))
        age_s = time_s[rows] - start_s
        out[rows] += _tone(age_s, notes[number % len(notes)], 1.0) * np.exp(-age_s / 0.2)
    return out.astype(np.float32)


def _white(rng: np.random.Generator) -> Samples:
    return rng.standard_normal(_times().size).astype(np.float32)


def _hum(_: np.random.Generator) -> Samples:
    return _tone(_times(), 50.0, 1.0).astype(np.float32)


def _other(rng: np.random.Generator) -> Samples:
    return synthetic_sound(_times().size, rng)


def _recorded(pools: SoundPools) -> dict[str, Maker]:
    length = _times().size

    def music(wanted: str) -> Maker:
        def make(rng: np.random.Generator) -> Samples:
            while True:
                samples, _ = pools.pick_music(length, rng)
                if onset_class(samples) == wanted:
                    return samples

        return make

    return {
        "recorded, sustained": music("sustained"),
        "recorded, rhythmic": music("rhythmic"),
        "recorded noise": lambda rng: pools.pick_noise(length, rng, looped=True)[0],
    }


KINDS: Final[Mapping[str, Maker]] = {
    "organ": _organ,
    "drone": _drone,
    "ambient": _ambient,
    "strings": _strings,
    "plucked notes": _plucked,
    "white noise": _white,
    "hum": _hum,
    "other sounds": _other,
}
"""Makers of 21 s of sound: chords that stand still, beat slowly, swell over seconds, or change every three seconds with
vibrato; a note every 250 ms; noise, the mains, and sounds of the training set that are no music."""


if __name__ == "__main__":
    run_command(main)
