"""Which damaged recordings are named: ``python -m evaluation.retrieval.damaged --corpus CORPUS --out damaged.json``.

Clicks, constant offsets, rumble, channels that cancel, clipping and low levels, in development recordings that the
database holds; each is asked for as a recording and as the phone's buffer, which keeps eight seconds in mu-law bytes.
Noise at low levels is asked for as a buffer, because quiet buffers are brought up to a usual level.
"""

import argparse
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.indexed import indexed
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.audio.mixing import at_dbfs, drop_silence, looped
from nowplaying_core.command import run_command
from nowplaying_core.statistics import wilson
from nowplaying_core.text import markdown_table
from ondevice_db.answer import Recognition
from ondevice_db.places import QUERY_S
from ondevice_db.recognizer import Recognizer
from simulator.phone.ring import MulawRing

__all__ = ["DAMAGES", "damaged", "main", "quiet_noise"]

_log = logging.getLogger(__name__)

Samples = NDArray[np.float32]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--songs", type=int, default=120, help="development recordings in the database")
    parser.add_argument("--known", type=int, default=30, help="of them that are asked for")
    parser.add_argument("--noises", type=int, default=60, help="recordings of noise that are asked for")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO)
    songs = [one.path for one in read_corpus(options.corpus, "music", "dev")][: options.songs]
    noises = [one.path for one in read_corpus(options.corpus, "noise", "dev")]
    noises = noises[:: max(1, len(noises) // options.noises)][: options.noises]
    with indexed(songs) as recognizer:
        known = songs[:: max(1, len(songs) // options.known)][: options.known]
        heads = {path: load(path)[: round(QUERY_S * SAMPLE_RATE_HZ)] for path in known}
        result: dict[str, Any] = {
            "songs": len(songs),
            "damaged": damaged(recognizer, heads),
            "quiet_noise": quiet_noise(recognizer, noises),
        }
    n_known = len(heads)
    rows = [[one["damage"], str(one["recording"]), str(one.get("buffer", ""))] for one in result["damaged"]]
    print(markdown_table(["damage", f"recordings named, of {n_known}", f"buffers named, of {n_known}"], rows))
    print(json.dumps(result["quiet_noise"]))
    if options.out is not None:
        write_json(options.out, result)
    return result


def damaged(recognizer: Recognizer, heads: Mapping[Path, Samples]) -> list[dict[str, Any]]:
    """Return how many recordings are named rightly, by damage, as a recording and as a buffer.

    Parameters
    ----------
    recognizer : Recognizer
    heads : mapping of Path to ndarray of float32, mono at 16 kHz
        Recordings of the database, and the eight seconds of each that are damaged.
    """
    rows = []
    for name, damage in DAMAGES.items():
        recordings, buffers = [], []
        for path, head in heads.items():
            frames = np.asarray(damage(head), np.float32)
            recordings.append(_is_right(recognizer.recognize((frames, SAMPLE_RATE_HZ)), path))
            if frames.ndim == 1:  # a phone has one microphone
                buffers.append(_is_right(recognizer.recognize(_buffered(frames)), path))
        rows.append({"damage": name, "n": len(heads), "recording": sum(recordings)})
        if buffers:
            rows[-1]["buffer"] = sum(buffers)
        _log.info("%s: %s", name, rows[-1])
    return rows


def quiet_noise(recognizer: Recognizer, paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return how many buffers of noise are named at low levels, each at three levels."""
    rows = []
    for level_dbfs in (-50, -60, -70):
        n_named = 0
        for path in paths:
            noise = looped(drop_silence(load(path)), 0, round(QUERY_S * SAMPLE_RATE_HZ))
            n_named += recognizer.recognize(_buffered(at_dbfs(noise, level_dbfs))).match is not None
        bounds = [round(one, 3) for one in wilson(n_named, len(paths)).bounds]
        rows.append({"level_dbfs": level_dbfs, "n": len(paths), "named": n_named, "interval": bounds})
    return rows


def _buffered(samples: Samples) -> Samples:
    ring = MulawRing(QUERY_S)
    ring.write(np.clip(samples, -1, 1))
    return ring.read()


def _is_right(answer: Recognition, path: Path) -> bool:
    song = answer.match
    return song is not None and str(path.absolute()) in {song.track.source, *(track.source for track, _ in song.also)}


def _clicked(samples: Samples, level_dbfs: float, times_s: Sequence[float]) -> Samples:
    """Return quiet samples with clicks of 10 ms that nearly reach full scale."""
    clicked = at_dbfs(samples, level_dbfs)
    for time_s in times_s:
        start = round(time_s * SAMPLE_RATE_HZ)
        clicked[start : start + SAMPLE_RATE_HZ // 100] = 0.9
    return clicked


def _lifted(samples: Samples, level_dbfs: float, offset: float) -> Samples:
    return at_dbfs(samples, level_dbfs) + np.float32(offset)


def _rumbling(samples: Samples, level_dbfs: float) -> Samples:
    time_s = np.arange(samples.size) / SAMPLE_RATE_HZ
    return at_dbfs(samples, level_dbfs) + 0.3 * np.sin(2 * np.pi * 15 * time_s).astype(np.float32)


def _opposed(samples: Samples, share: float, *, late: int = 0, offset: float = 0.0) -> Samples:
    """Return two channels of which one is the other's negative, or nearly so."""
    music = at_dbfs(samples, -30)
    return np.stack([music, -np.float32(share) * np.roll(music, late) + np.float32(offset)], axis=1)


def _clipped(samples: Samples, gain_db: float) -> Samples:
    peak = max(float(np.abs(samples).max()), 1e-9)
    return np.asarray(np.clip(samples * (10 ** (gain_db / 20) / peak), -1, 1), np.float32)


def _rounded(samples: Samples, level_dbfs: float) -> Samples:
    return np.asarray(np.rint(at_dbfs(samples, level_dbfs) * 32_767) / 32_767, np.float32)


DAMAGES: Final[Mapping[str, Callable[[Samples], Samples]]] = {
    "none": lambda samples: samples,
    "a click in music at -50 dBFS": partial(_clicked, level_dbfs=-50, times_s=(0.5,)),
    "a click in music at -65 dBFS": partial(_clicked, level_dbfs=-65, times_s=(0.5,)),
    "a click every 2 s in music at -65 dBFS": partial(_clicked, level_dbfs=-65, times_s=(0.5, 2.5, 4.5, 6.5)),
    "an offset of 0.05, music at -50 dBFS": partial(_lifted, level_dbfs=-50, offset=0.05),
    "an offset of 0.3, music at -30 dBFS": partial(_lifted, level_dbfs=-30, offset=0.3),
    "an offset of 0.3, music at -50 dBFS": partial(_lifted, level_dbfs=-50, offset=0.3),
    "rumble of 15 Hz at 0.3, music at -40 dBFS": partial(_rumbling, level_dbfs=-40),
    "rumble of 15 Hz at 0.3, music at -50 dBFS": partial(_rumbling, level_dbfs=-50),
    "channels that cancel": partial(_opposed, share=1.0),
    "channels that cancel, 0.2 of offset in one": partial(_opposed, share=1.0, offset=0.2),
    "channels that cancel but for 30 %": partial(_opposed, share=0.7),
    "channels that cancel, one 62 us late": partial(_opposed, share=1.0, late=1),
    "clipped by 20 dB": partial(_clipped, gain_db=20),
    "clipped by 30 dB": partial(_clipped, gain_db=30),
    "16-bit samples at -60 dBFS": partial(_rounded, level_dbfs=-60),
    "16-bit samples at -70 dBFS": partial(_rounded, level_dbfs=-70),
    "16-bit samples at -75 dBFS": partial(_rounded, level_dbfs=-75),
}

if __name__ == "__main__":
    run_command(main)
