"""The teacher on the clips of ``nowplaying evaluate detector``: its ROC areas beside the shipped detector's.

``python -m evaluation.detector.teacher_clips --corpus C --cache-dir D --out evaluation/teacher_clips.json`` composes
the same clips, lets a teacher (:mod:`detector.training.teacher`) judge the 4.48 s that the detector judges, and
averages its logits over them. The detector's areas stand in its ``metrics.json``.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from detector.training.pools import SoundPools
from detector.training.teacher import Teacher, music_logits, open_teacher
from evaluation.committed import committed
from evaluation.detector.clip_metrics import areas_of
from evaluation.detector.clips import CONDITIONS, WINDOW_SAMPLES, ClipSounds, clip_rng, clip_sounds
from nowplaying_core.artifacts import SHIPPED_DETECTOR, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.text import markdown_table, with_interval

__all__ = ["committed_table", "judge_clip", "main", "teacher_clip_metrics"]

RESULTS: Final = "evaluation/teacher_clips.json"


def judge_clip(teacher: Teacher, clip: ClipSounds) -> dict[str, float]:
    """Return the mean logit of music over a clip's last window, by condition."""
    return {
        name: float(music_logits(teacher, samples[-WINDOW_SAMPLES:]).mean()) for name, samples in clip.sounds.items()
    }


def teacher_clip_metrics(
    clips: Sequence[ClipSounds], scores: Sequence[dict[str, float]], name: str, *, seed: int
) -> dict[str, Any]:
    """Return plain values: areas by condition, and by kind of sound without music, as ``metrics.json`` has them."""
    by_condition = {condition: np.array([score[condition] for score in scores]) for condition in CONDITIONS}
    areas = areas_of(clips, by_condition, seed=seed)
    kept = ("n_music", "n_other", "area", "area_by_other")
    return {"schema": "teacher-clips/1", "teacher": name, **{key: areas[key] for key in kept}}


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
                    *(with_interval(area, 3) for area in (one, found)),
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
        clip = clip_sounds(pools, clip_rng(options.seed, index), is_music=index % 2 == 0)
        scores.append(judge_clip(teacher, clip))
        clips.append(replace(clip, sounds={}, music=None))  # hours of sound would fill the memory
        if index % 100 == 99:
            print(f"{index + 1} of {2 * options.clips} clips", file=sys.stderr, flush=True)
    write_json(
        options.out,
        {**teacher_clip_metrics(clips, scores, teacher.name, seed=options.seed), "seed": options.seed},
    )
    return 0


if __name__ == "__main__":
    run_command(main)
