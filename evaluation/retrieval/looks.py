"""How often further places and speeds name music that is not there, and which late and quiet recordings are named.

``python -m evaluation.retrieval.looks --corpus CORPUS --out looks.json`` indexes development recordings and asks for

- recordings of the ``unknown`` split in noise: how many are named with one place, three places, and other speeds, by
  the factor of odds that a further look must reach;
- thirty development recordings behind room noise, talk or a click (``late``);
- the same at low levels, in 16 bits and in floats (``quiet``).
"""

import argparse
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from detector.stream import StreamingDetector
from evaluation.retrieval.indexed import indexed
from nowplaying_core.artifacts import SHIPPED_DETECTOR, write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.audio.mixing import at_dbfs, drop_silence, looped, snr_gain
from nowplaying_core.command import run_command
from nowplaying_core.statistics import rate_by_track, wilson
from ondevice_db.answer import Recognition
from ondevice_db.places import QUERY_S, Opening, Places
from ondevice_db.recognizer import Recognizer

__all__ = ["false_accepts", "late", "main", "odds_factor", "quiet"]

_log = logging.getLogger(__name__)
_FACTORS = (1, 10, 100, 300, 1_000, 10_000)
_SPEEDS = (1.02, 0.98, 1.04, 0.96, 1.06, 0.94)
_SNR_DB = (0.0, 5.0, 15.0, None)
_QUERY_S = 25.0
_BEFORE_S = (2, 4, 5, 6, 7, 9)
_LEVELS_DBFS = (-40, -50, -60, -62, -65, -70, -75)

Samples = NDArray[np.float32]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--songs", type=int, default=120, help="development recordings in the database")
    parser.add_argument("--unknown-queries", type=int, default=12, help="from each unknown recording")
    parser.add_argument("--known", type=int, default=30, help="recordings of the tables of late and quiet music")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO)
    songs = [one.path for one in read_corpus(options.corpus, "music", "dev")][: options.songs]
    unknown = [one.path for one in read_corpus(options.corpus, "music", "unknown")]
    noises = [drop_silence(load(one.path)) for one in read_corpus(options.corpus, "noise", "dev")[:20]]
    talk = drop_silence(np.concatenate([load(one.path) for one in read_corpus(options.corpus, "speech", "dev")[:20]]))
    with indexed(songs) as recognizer:
        step = max(1, len(songs) // options.known)
        known = songs[::step][: options.known]
        result = {
            "songs": len(songs),
            "late": late(recognizer, known, noises[0], talk),
            "quiet": quiet(recognizer, known),
            "false_accepts": false_accepts(recognizer, unknown, noises, options.unknown_queries),
        }
    print(json.dumps(result, indent=2))
    if options.out is not None:
        write_json(options.out, result)
    return result


def odds_factor(answer: Recognition) -> float:
    """Return by what factor the odds of an answer are above those of its threshold; 0 for "unknown"."""
    return 0.0 if answer.match is None or answer.query is None else answer.query.match.odds_factor


def false_accepts(recognizer: Recognizer, paths: Sequence[Path], noises: Sequence[Samples], n: int) -> dict[str, Any]:
    """Return how many queries of unknown music are named, by what is tried and by the factor of odds.

    Parameters
    ----------
    recognizer : Recognizer
    paths : sequence of Path
        Recordings that the database does not hold.
    noises : sequence of ndarray of float32, mono at 16 kHz
    n : int >= 1
        Queries from each, half of them from each half of it, in noise at 0, 5 and 15 dB and without.
    """
    detector = StreamingDetector.from_model(SHIPPED_DETECTOR)
    rng = np.random.default_rng(1)
    tracks: list[str] = []
    rows: list[tuple[float, float, float]] = []
    for number, path in enumerate(paths):
        samples = load(path)
        for query in range(n):
            mixed = _excerpt(samples, query, n, noises[int(rng.integers(len(noises)))], rng)
            rows.append(_looks(recognizer, detector, mixed))
            tracks.append(str(path))
        _log.info("unknown music: %d of %d recordings", number + 1, len(paths))
    first, places, speeds = np.array(rows).T
    table = []
    for factor in _FACTORS:
        by_place, by_speed = places >= factor, speeds >= factor
        table.append(
            {"factor": factor}
            | {
                name: rate_by_track((first > 0) | extra, tracks, np.random.default_rng(2))
                for name, extra in (
                    ("one_place", np.zeros(len(rows), bool)),
                    ("three_places", by_place),
                    ("one_place_and_six_speeds", by_speed),
                    ("three_places_and_six_speeds", by_place | by_speed),
                    ("three_places_at_10_and_six_speeds", (places >= 10) | by_speed),
                )
            }
        )
    return {"queries": len(rows), "recordings": len(paths), "by_factor": table}


def late(recognizer: Recognizer, paths: Sequence[Path], noise: Samples, talk: Samples) -> list[dict[str, Any]]:
    """Return how many recordings are named rightly that begin with something else, by what it is and how long."""
    click = np.zeros(SAMPLE_RATE_HZ, np.float32)
    click[:160] = 0.9
    befores: dict[str, Callable[[float], Samples]] = {
        "room noise": lambda seconds: at_dbfs(looped(noise, 0, round(seconds * SAMPLE_RATE_HZ)), -40),
        "talk": lambda seconds: at_dbfs(looped(talk, 0, round(seconds * SAMPLE_RATE_HZ)), -25),
        "a click, then silence": lambda seconds: np.pad(click, (0, round((seconds - 1) * SAMPLE_RATE_HZ))),
    }
    rows = []
    for name, before in befores.items():
        for seconds in _BEFORE_S:
            right = [
                _is_right(recognizer, path, np.concatenate([before(seconds), head])) for path, head in _heads(paths)
            ]
            rows.append({"before": name, "seconds": seconds} | _counted(right))
        _log.info("late music: %s", name)
    return rows


def quiet(recognizer: Recognizer, paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return how many recordings are named rightly at low levels, in 16 bits and in floats."""
    rows = []
    for level in _LEVELS_DBFS:
        for bits in (16, 32):
            right = []
            for path, head in _heads(paths):
                samples = at_dbfs(head, level)
                stored = np.rint(samples * 32_767) / 32_767 if bits == 16 else samples
                right.append(_is_right(recognizer, path, stored.astype(np.float32)))
            rows.append({"level_dbfs": level, "bits": bits} | _counted(right))
        _log.info("quiet music: %d dBFS", level)
    return rows


def _looks(recognizer: Recognizer, detector: StreamingDetector, samples: Samples) -> tuple[float, float, float]:
    """Return the factors of odds of the first place, the best of two further places, and the best of six speeds."""
    places = Places(Opening(iter([samples])), lambda: detector)
    start_s = places.first()
    first = odds_factor(recognizer.recognize((samples, SAMPLE_RATE_HZ), at_s=start_s))
    further = [
        odds_factor(recognizer.recognize((samples, SAMPLE_RATE_HZ), at_s=further_s)) for further_s in places.further(2)
    ]
    cut = samples[round(start_s * SAMPLE_RATE_HZ) :][: round(QUERY_S * SAMPLE_RATE_HZ)]
    speeds = []
    for speed in _SPEEDS:
        changed = soxr.resample(cut, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * speed, quality="HQ").astype(np.float32)
        speeds.append(odds_factor(recognizer.recognize((changed, SAMPLE_RATE_HZ), at_s=0.0)))
    return first, max(further, default=0.0), max(speeds)


def _excerpt(samples: Samples, query: int, n: int, noise: Samples, rng: np.random.Generator) -> Samples:
    """Return 25 s of a recording, or what it has, in noise."""
    size = min(round(_QUERY_S * SAMPLE_RATE_HZ), samples.size)
    half = query * 2 // n
    start = round(half * max(samples.size - size, 0) * float(rng.uniform(0.5, 1)))
    cut = samples[start : start + size]
    snr_db = _SNR_DB[query % len(_SNR_DB)]
    if snr_db is None:
        return cut
    gain = snr_gain(float(np.sqrt(np.mean(cut**2))), float(np.sqrt(np.mean(noise**2))), snr_db)
    mixed = cut + gain * looped(noise, int(rng.integers(noise.size)), size)
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), np.float32)


def _heads(paths: Sequence[Path]) -> Iterator[tuple[Path, Samples]]:
    for path in paths:
        yield path, load(path)[: 20 * SAMPLE_RATE_HZ]


def _is_right(recognizer: Recognizer, path: Path, samples: Samples) -> bool:
    song = recognizer.recognize((samples, SAMPLE_RATE_HZ)).match
    return song is not None and str(path.absolute()) in {song.track.source, *(track.source for track, _ in song.also)}


def _counted(right: Sequence[bool]) -> dict[str, Any]:
    return {
        "n": len(right),
        "right": sum(right),
        "interval": [round(one, 3) for one in wilson(sum(right), len(right)).bounds],
    }


if __name__ == "__main__":
    run_command(main)
