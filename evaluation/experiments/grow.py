"""What a larger database does to answers: python -m evaluation.experiments.grow --corpus C --cache-dir D --out FILE.

The corpus is indexed among rendered songs (``nowplaying render``), where a folder of them is given, and drawn ones
(evaluation/retrieval/distractors.py), and the same real queries are asked of each size: music that is in it, music
that is not, and music that is masked. The wrong songs that a query may be taken for are then mostly drawn, and named
so: real music of that amount would have covers and versions among it. Written are rank-1, accepted, and false accepts
by size, with the kind of song that these name, and the slope of acceptance by size: how much the logarithm of the odds
that one wrong answer in 300 reaches rises when the database grows e-fold (`size_slope`; docs/adr/0010).

``strict`` tells what one false accept in a thousand costs: a threshold is chosen on the wrong answers of one half of
the recordings and asked of the other half, and the other way round; music that is not indexed and music that is masked
are then both unknown music.
"""

import argparse
import itertools
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.conditions import paired_conditions
from evaluation.retrieval.distractors import SongStatistics, distractor_track, draw_songs
from evaluation.retrieval.library import Library
from evaluation.retrieval.matching import Outcomes, System, match_all
from evaluation.retrieval.queries import Plan
from evaluation.retrieval.same_music import SameMusic
from evaluation.retrieval.setting import Setting, build_setting
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.audio.find import find_audio
from nowplaying_core.statistics import clopper_pearson
from ondevice_db.index.choose_codebook import CodebookChoice
from ondevice_db.index.codebook import Codebook
from ondevice_db.match.accept import Acceptance
from ondevice_db.recognizer import acceptance_of
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.settings import FingerprintSettings
from ondevice_db.store.store import SongDatabase

RATE = 0.003
STRICT_RATE = 0.0005  # aimed at where at most one in a thousand is wanted: half of it is left for chance


def main() -> None:
    """Measure every size and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument(
        "--drawn", type=int, nargs="+", default=[0, 1000, 10_000, 30_000], help="songs beside the corpus"
    )
    parser.add_argument("--rendered-midi", type=Path, help="folder of rendered music to index beside the corpus")
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args()
    setting = build_setting(
        options.model,
        options.corpus,
        options.cache_dir,
        n_queries=options.queries,
        jobs=options.jobs,
    )
    fitted = acceptance_of(setting.cache.fingerprinter)
    rendered = (
        [] if options.rendered_midi is None else fingerprint_rendered(setting, find_audio([options.rendered_midi]))
    )
    n_real = len(setting.library.song_starts) - 1
    sizes, tails, rows = [], [], []
    for n_drawn in options.drawn:
        library = grown(setting, rendered, n_drawn, options.cache_dir)
        manifest = SongDatabase.open(library.database).manifest
        n_fingerprints = int(manifest.n_fingerprints)
        row, logits = measure(setting, library, (n_real, n_real + len(rendered)), fitted, options.jobs)
        of_size = {"real_songs": n_real, "rendered_songs": len(rendered), "drawn_songs": n_drawn}
        rows.append({**of_size, "n_fingerprints": n_fingerprints, "n_cells": manifest.n_cells, **row})
        sizes.append(n_fingerprints)
        tails.append(float(np.quantile(logits, 1 - RATE)))
        print(rows[-1], f"logit of the worst {100 * RATE:g} %: {tails[-1]:.2f}", flush=True)
    slope = float(np.polyfit(np.log(sizes), tails, 1)[0]) if len(sizes) > 1 else None
    if slope is not None:
        print(f"size_slope {min(max(slope, 0.0), 1.0):.3f} for n_fitted {sizes[0]}")
    write_json(options.out, {"sizes": rows, "tail_logits": tails, "slope": slope, "n_fitted": sizes[0]})


def fingerprint_rendered(setting: Setting, paths: Sequence[Path]) -> list[NDArray[np.float32]]:
    """Return the fingerprints of rendered songs, without those that are the same music as a recording of the corpus."""
    music, heard = SameMusic.among(setting.library.paths, setting.cache), setting.cache.shipped().references(paths)
    new = [rows.any() and not music.find(rows) for rows in heard]
    print(
        f"{len(paths)} rendered MIDI files: {sum(new)} kept, the others are silent or music of the corpus", flush=True
    )
    return [rows for rows, is_new in zip(setting.cache.references(paths), new, strict=True) if is_new]


def grown(setting: Setting, rendered: Sequence[NDArray[np.float32]], n_drawn: int, cache: Path) -> Library:
    """Return the library with other songs behind its own, so that song numbers stay; indexed as a user's would be.

    That is, with cells of its own where there are so many fingerprints that finer ones pay.
    """
    if n_drawn == 0 and not rendered:
        return setting.library
    real = SongDatabase.open(setting.library.database)
    shipped = Codebook.load(setting.cache.fingerprinter.folder.path)
    songs = [setting.library.vectors[start:end] for start, end in itertools.pairwise(setting.library.song_starts)]
    songs += rendered
    songs += draw_songs(SongStatistics.load(), shipped, n_drawn, seed=17)
    names = ("embedding_space", "encoder", "dim", "hop_s", "window_s")
    settings = FingerprintSettings(**{name: getattr(real.manifest, name) for name in names})
    codebook = CodebookChoice().make(shipped, [len(song) for song in songs], songs.__getitem__)
    path = cache / f"grown-{n_drawn}.npdb"
    shutil.rmtree(path, ignore_errors=True)
    with DatabaseWriter(path, settings=settings, codebook=codebook) as writer:
        for number, song in enumerate(songs):
            other = number - real.n_songs
            writer.add(real.track(number) if other < 0 else distractor_track(other, len(song), settings.hop_s), song)
        writer.finish()
    groups = np.concatenate([setting.library.groups, np.arange(real.n_songs, len(songs))])
    return replace(setting.library, database=path, groups=groups)


def measure(
    setting: Setting, library: Library, ends: tuple[int, int], acceptance: Acceptance, jobs: int
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Return the rates of one size, without any adaptation to it, and the log odds of all wrong answers.

    `ends` are the numbers of the first song that is not real, and of the first that is drawn.
    """
    plain = replace(acceptance, size_slope=0.0)
    system = System(library=library, acceptance=plain, hop_s=setting.cache.fingerprinter.query_hop_s)
    masks = [setting.library.members(int(song)) for song in setting.truth]
    row: dict[str, Any] = {}
    wrong: list[NDArray[np.float64]] = []
    halves = {name: half_of(setting.plans[name]) for name in ("known", "unknown")}
    strangers_half = np.concatenate([halves["unknown"], halves["known"]])
    for condition in paired_conditions():
        known = match_all(system, setting.cache.queries(setting.plans["known"], condition), jobs=jobs)
        right = known.right(library, setting.truth)
        unknown = match_all(system, setting.cache.queries(setting.plans["unknown"], condition), jobs=jobs)
        masked = match_all(system, setting.cache.queries(setting.plans["known"], condition), masks, jobs=jobs)
        row[condition.name] = {
            "rank1": float(right.mean()),
            "accepted": float((right & known.accepted).mean()),
            "unknown_accepted": {**count(unknown.accepted), "named": named(unknown, ends)},
            "masked_accepted": {**count(masked.accepted), "named": named(masked, ends)},
        }
        strangers = np.concatenate([log_odds(plain, unknown), log_odds(plain, masked)])
        true = np.where(right, log_odds(plain, known), -np.inf)
        row[condition.name]["strict"] = strict(true, halves["known"], strangers, strangers_half)
        wrong.append(strangers)
    return row, np.concatenate(wrong)


def half_of(plan: Plan) -> NDArray[np.int64]:
    """Return 0 or 1 for each query, the same for all of one recording."""
    paths = [query.path for query in plan.queries]
    number = {path: n for n, path in enumerate(dict.fromkeys(paths))}
    return np.array([number[path] % 2 for path in paths])


def strict(
    true: NDArray[np.float64],
    true_half: NDArray[np.int64],
    wrong: NDArray[np.float64],
    wrong_half: NDArray[np.int64],
) -> dict[str, Any]:
    """Return true and false accepts at thresholds of one false accept in 2,000, each half at the other's threshold.

    Parameters
    ----------
    true : ndarray of float64, shape (n_known,)
        Log odds of right answers; minus infinity where the answer is wrong.
    true_half, wrong_half : ndarray of int64, 0 or 1
    wrong : ndarray of float64, shape (n_unknown,)
        Log odds of answers to unknown music.
    """
    thresholds = [float(np.quantile(wrong[wrong_half != half], 1 - STRICT_RATE, method="higher")) for half in (0, 1)]
    accepted = np.concatenate([true[true_half == half] > thresholds[half] for half in (0, 1)])
    false = np.concatenate([wrong[wrong_half == half] > thresholds[half] for half in (0, 1)])
    return {"log_odds": thresholds, "accepted": float(accepted.mean()), "unknown_accepted": count(false)}


def count(accepted: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how many were accepted, and the interval of the rate."""
    n, found = int(accepted.size), int(accepted.sum())
    return {"n": n, "count": found, "clopper_pearson": clopper_pearson(found, n).bounds}


def named(outcomes: Outcomes, ends: tuple[int, int]) -> dict[str, int]:
    """Return how many accepted answers name a real, a rendered and a drawn song."""
    kinds = np.searchsorted(ends, outcomes.songs[outcomes.accepted], side="right")
    return {kind: int((kinds == number).sum()) for number, kind in enumerate(("real", "rendered", "drawn"))}


def log_odds(acceptance: Acceptance, outcomes: Outcomes) -> NDArray[np.float64]:
    """Return the logarithm of the odds of each answer; of no answer the lowest."""
    weights: Sequence[float] = acceptance.coefficients
    logits: NDArray[np.float64] = outcomes.features @ np.array(weights) + acceptance.intercept
    return np.nan_to_num(logits, nan=-40.0)


if __name__ == "__main__":
    main()
