"""A teacher on clips: what it hears, and its areas."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.detector.clips import CONDITIONS, WINDOW_SAMPLES, ClipSounds
from evaluation.detector.teacher_clips import judge_clip, teacher_clip_metrics
from nowplaying_core.audio.corpus import CorpusFile
from tests.evaluation.detector.test_operating import LoudIsMusic


def clip(level: float, number: int, *, is_music: bool, kind: str = "noise") -> ClipSounds:
    # What comes before the window is loud, and is not judged.
    samples = np.concatenate([np.full(16_000, 0.9), np.full(WINDOW_SAMPLES, level)]).astype(np.float32)
    file = CorpusFile(path=Path(f"{number}.wav"), split="dev", label="", source="", licence="", title="")
    sounds = dict.fromkeys(CONDITIONS, samples)
    return ClipSounds(is_music=is_music, kind=kind, snr_db=None, file=file, sounds=sounds, music=None)


def test_the_last_window_alone_is_judged_by_condition() -> None:
    scores = judge_clip(LoudIsMusic(), clip(0.05, 0, is_music=False))
    assert set(scores) == set(CONDITIONS)
    assert scores["full band"] == pytest.approx(np.log(0.02 / 0.98), rel=1e-4)
    assert judge_clip(LoudIsMusic(), clip(0.5, 0, is_music=True))["full band"] == pytest.approx(np.log(49), rel=1e-4)


def test_areas_are_by_condition_and_by_what_plays_instead() -> None:
    clips = [clip(0.5, number, is_music=True) for number in range(6)]
    clips += [clip(0.05, 10 + number, is_music=False, kind="speech") for number in range(6)]
    clips += [clip(0.5, 20 + number, is_music=False) for number in range(6)]
    scores = [judge_clip(LoudIsMusic(), one) for one in clips]
    found = teacher_clip_metrics(clips, scores, "loud is music", seed=1)
    assert (found["teacher"], found["n_music"], found["n_other"]) == ("loud is music", 6, 12)
    assert found["area"]["full band"]["value"] == pytest.approx(0.75)
    assert found["area_by_other"]["speech"]["value"] == pytest.approx(1.0)
    assert found["area_by_other"]["noise"]["value"] == pytest.approx(0.5)
