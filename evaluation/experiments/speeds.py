"""Songs at other speeds, pitches and tempos: python -m evaluation.experiments.speeds --corpus CORPUS --out FILE ...

Radio stations and DJs play songs some per cent too fast or too slow. Queries of ``dev`` music, 8 s at 5 dB, are asked
as ``nowplaying recognize --speeds 6`` asks them, among the music of ``train`` and ``dev``:

- at other speeds, as of a record: pitch and tempo change together;
- at another pitch with the tempo kept, and the other way round, with a phase vocoder (librosa);
- backwards, where *right* is the song that was turned round;
- of unknown music, which must get no name.

An answer at the query's own speed came without the option. Each query is judged by the acceptance model of the other
half of the tracks, from the model's ``metrics.json``.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import soxr
from numpy.typing import NDArray

from evaluation.committed import committed
from evaluation.experiments.recognizers import recognizers_of_halves
from evaluation.retrieval.compose import compose
from evaluation.retrieval.conditions import LONGEST_S, Condition
from evaluation.retrieval.embedding import load_long_enough
from evaluation.retrieval.evaluation_set import EvaluationSet, build_evaluation_set
from evaluation.retrieval.queries import Query
from evaluation.retrieval.report import percent
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.command import run_command
from nowplaying_core.statistics import poisson_upper, rate_by_track
from nowplaying_core.text import markdown_table, with_interval
from ondevice_db.recognizer import Recognizer

__all__ = ["Change", "Speeds", "changes", "committed_table", "main", "to_markdown"]

RESULTS: Final = "evaluation/experiments/speeds.json"
SPEEDS: Final = (0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06)
_CENTS: Final = (-68, 68)  # as at speeds of 0.961 and 1.040
_TEMPOS: Final = (0.96, 1.04)
_PERCENT: Final = 6.0
_CONDITION: Final = Condition(snr_db=5.0)

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a song before it is played.

    Attributes
    ----------
    name : str
    length : float > 0
        Seconds of the song in a second of the query.
    apply : callable
        From that much of the song to what is played.
    is_named : bool
        Whether the song is in the database, so that its name is right.
    plan : {"known", "unknown"}
    """

    name: str
    length: float
    apply: Callable[[Samples], Samples]
    is_named: bool = True
    plan: str = "known"


@dataclass(frozen=True, slots=True)
class Speeds:
    """The corpus, and a recognizer for each half of its tracks.

    Attributes
    ----------
    data : EvaluationSet
    recognizers : tuple of two Recognizer
        The first has the acceptance model that was fitted to half 0.
    seed : int
    n : int >= 1
        Queries to ask: the first ones of a plan.
    """

    data: EvaluationSet
    recognizers: tuple[Recognizer, Recognizer]
    seed: int
    n: int

    def ask(self, change: Change) -> dict[str, Any]:
        """Return how many queries of a change are named, and how many rightly, with the option and without."""
        queries = self.data.plans[change.plan].queries[: self.n]
        halves = self.data.halves(change.plan, self.seed)[: self.n]
        true = self.data.true_songs[: self.n] if change.is_named else np.full(len(queries), -1)
        rows = []
        for query, song, half in zip(queries, true.tolist(), halves.tolist(), strict=True):
            found = self.recognizers[1 - half].recognize(self._played(change, query), 0.0, speeds_percent=_PERCENT)
            match = found.match
            is_right = match is not None and song >= 0 and self._is_same(match.track.source, song)
            rows.append((match is not None and match.speed == 1.0, match is not None, is_right))
        first, named, right = np.array(rows, bool).T
        result: dict[str, Any] = {"query": change.name, "n": len(rows)}
        for name, chosen in (("one_speed", first), ("seven_speeds", named)):
            count = int((chosen & ~right).sum())
            result[name] = {"wrong": count, "wrong_upper_95": poisson_upper(count, len(rows))}
            if change.is_named:
                tracks = [str(query.path) for query in queries]
                result[name]["right"] = rate_by_track(chosen & right, tracks, np.random.default_rng(self.seed))
        return result

    def _played(self, change: Change, query: Query) -> Samples:
        samples = load_long_enough(query.path, self.data.embeddings.folder)
        first, n = round(query.start_s * SAMPLE_RATE_HZ), round(LONGEST_S * SAMPLE_RATE_HZ)
        part = samples[first : first + round(change.length * n)]
        return compose(replace(query, start_s=0.0), change.apply(part), _CONDITION, self.data.plans[change.plan])

    def _is_same(self, source: str | None, song: int) -> bool:
        groups = self.data.library.groups
        return bool(groups[self.data.library.songs[Path(str(source))]] == groups[song])


def changes() -> list[Change]:
    """Return what is asked: other speeds, other pitches, other tempos, and what must get no name."""
    return [
        *(Change(f"speed {speed:g}", speed, partial(at_speed, speed=speed)) for speed in SPEEDS),
        *(Change(f"pitch {cents:+d} cents", 1.0, partial(_at_pitch, cents=cents)) for cents in _CENTS),
        *(Change(f"tempo {tempo:g}", tempo, partial(_at_tempo, tempo=tempo)) for tempo in _TEMPOS),
        Change("backwards", 1.0, lambda samples: samples[::-1]),
        Change("unknown music", 1.0, lambda samples: samples, is_named=False, plan="unknown"),
    ]


def at_speed(samples: Samples, *, speed: float) -> Samples:
    """Return the sound of a record that turns too fast or too slow."""
    if speed == 1.0:
        return samples
    return np.asarray(soxr.resample(samples, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ, quality="HQ"), np.float32)


def _at_pitch(samples: Samples, *, cents: float) -> Samples:
    import librosa

    shifted = librosa.effects.pitch_shift(samples, sr=SAMPLE_RATE_HZ, n_steps=cents / 100, res_type="soxr_hq")
    return np.asarray(shifted, np.float32)


def _at_tempo(samples: Samples, *, tempo: float) -> Samples:
    import librosa

    return np.asarray(librosa.effects.time_stretch(samples, rate=tempo), np.float32)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=500, help="to ask, of known and of unknown music")
    parser.add_argument("--seed", type=int, default=1, help="as nowplaying evaluate retrieval had it")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args(arguments)
    # All queries are drawn, since the halves are of their tracks.
    data = build_evaluation_set(
        options.model, options.corpus, options.cache_dir, n_sounds=1, seed=options.seed, room_kinds=()
    )
    speeds, rows = Speeds(data, recognizers_of_halves(data), options.seed, options.queries), []
    for change in changes():
        if change.plan in data.plans:
            rows.append(speeds.ask(change))
            print(json.dumps(rows[-1]), flush=True)
    n_songs = int(data.library.groups.size)
    result = {"schema": "speeds/1", "model": data.embeddings.fingerprinter.name, "n_songs": n_songs, "rows": rows}
    write_json(options.out, result)
    print(to_markdown(result))


def to_markdown(result: dict[str, Any]) -> str:
    """Return the table: right names and wrong ones, with and without other speeds."""
    rows = []
    for row in result["rows"]:
        cells = [row["query"], f"{row['n']}"]
        for name in ("one_speed", "seven_speeds"):
            found = row[name]
            share = ""
            if right := found.get("right"):
                low, high = right["bootstrap"]
                share = with_interval({**right, "low": low, "high": high}, of="rate", scale=100)
            cells += [share, f"{found['wrong']}"]
        rows.append([*cells, percent(row["seven_speeds"]["wrong_upper_95"], 2)])
    heads = ["8 s at 5 dB", "queries", "right at one speed, % (95 %)", "wrong", "right with `--speeds 6`, % (95 %)"]
    return markdown_table([*heads, "wrong", "95 % upper bound of wrong ones, %"], rows)


def committed_table() -> str:
    """Return the table of the published result."""
    return to_markdown(committed(RESULTS))


if __name__ == "__main__":
    run_command(main)
