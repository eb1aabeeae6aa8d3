"""Targets from a teacher that hears the clean parts of a scene, and from labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.training.config import DetectorConfig, SceneConfig, TrainingConfig
from detector.training.feature_set import FeatureSet, build_features
from detector.training.pools import SoundPools
from detector.training.scenes import Background, Scene, compose_scene
from detector.training.soft_targets import scene_logits, window_targets
from detector.training.window_sampler import WindowSampler
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.audio.sources import TrainingSources
from tests.detector.sounds import corpus_folder, noise
from tests.detector.training.fake_teacher import ToneTeacher

SURE = float(np.log(0.999 / 0.001))
SECOND = 16_000


def tone(seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * 500 * np.arange(int(seconds * SECOND)) / SECOND).astype(np.float32)


def scene(music: np.ndarray, background: np.ndarray | None, clean: np.ndarray | None) -> Scene:
    return Scene(noise(1, 3.0), music.astype(np.uint8), "music", 0.0, background, clean)


def test_the_teacher_judges_music_where_it_is_audible_and_the_background_elsewhere() -> None:
    music = np.repeat([0, 1, 2], 100)
    logits = scene_logits(scene(music, noise(2, 3.0), tone(3.0)), ToneTeacher())
    assert logits.shape == (300,)
    assert logits.dtype == np.float16
    assert logits[100:200] == pytest.approx(SURE, abs=0.01), "the mixture is noise, the music alone a tone"
    assert (logits[:100] < -2).all()
    assert (logits[200:] < -2).all(), "music that nobody can hear is not asked about"


def test_a_background_that_is_music_stays_music() -> None:
    logits = scene_logits(scene(np.repeat([0, 1, 0], 100), tone(3.0), noise(3, 3.0)), ToneTeacher())
    assert logits == pytest.approx(SURE, abs=0.01)
    alone = scene_logits(scene(np.zeros(300), noise(2, 3.0), None), ToneTeacher())
    assert (alone < -2).all()


def test_a_certain_label_needs_no_teacher() -> None:
    music = np.repeat([0, 1, 2], 100)
    logits = scene_logits(scene(music, None, None), ToneTeacher())
    assert logits == pytest.approx(np.repeat([-SURE, SURE, -SURE], 100), abs=0.01)
    logits = scene_logits(scene(music, None, noise(2, 3.0)), ToneTeacher())
    assert (logits[:100] == logits[200:]).all()
    assert (logits < -2).all(), "music of no certain label that the teacher denies"
    named = CorpusFile(path=Path("a.wav"), split=None, label="chainsaw", source="", licence="", title="")
    unnamed = replace(named, label="")
    assert Background(noise(1, 1.0), "noise", (unnamed, named)).is_certain
    assert Background(noise(1, 1.0), "synthetic", (unnamed,)).is_certain
    assert not Background(noise(1, 1.0), "speech in noise", (unnamed, unnamed)).is_certain


def test_targets_mix_teacher_and_label_and_leave_doubted_labels_out() -> None:
    # Two scenes of ten frames and windows of four: one whose music begins in the middle, one of noise.
    logits = np.array([[-4] * 5 + [2] * 5, [1] * 10], dtype=np.float16)
    music = np.array([[0] * 5 + [1] * 5, [0] * 10], dtype=np.uint8)
    labels = np.array([[False, False, True, True, True, True, True], [False] * 7])
    sigmoid = [1 / (1 + np.exp(-value)) for value in (-4, 2, 1)]

    def made(**settings: float) -> np.ndarray:
        training = TrainingConfig(**{"teacher_weight": 0.5, **settings})
        return window_targets(logits, music, labels, 4, training)

    targets = made()
    assert targets[0, :2] == pytest.approx(sigmoid[0] / 2, rel=1e-3)
    assert targets[0, 2:] == pytest.approx(0.5 + sigmoid[1] / 2, rel=1e-3), "over the frames with music alone"
    assert targets[1] == pytest.approx(sigmoid[2] / 2, rel=1e-3)
    hot = made(teacher_temperature=2.0)
    assert hot[1] == pytest.approx(0.5 / (1 + np.exp(-0.5)), rel=1e-3)
    doubted = made(doubted_above=0.5, doubted_below=0.9)
    assert doubted[1] == pytest.approx(sigmoid[2], rel=1e-3)
    assert doubted[0, 2:] == pytest.approx(sigmoid[1], rel=1e-3)
    assert np.array_equal(made(teacher_weight=0.0), labels.astype(np.float32))


def test_the_sampler_hands_out_targets_only_where_there_is_a_teacher() -> None:
    frames = np.zeros((2, 1_500, 40), dtype=np.int8)
    music = np.zeros((2, 1_500), dtype=np.uint8)
    music[1] = 1
    taught = FeatureSet(frames, music, np.where(music == 1, 2, -2).astype(np.float16))

    def targets(features: FeatureSet, **more: float) -> np.ndarray:
        training = TrainingConfig(n_decisions=3, cold_share=0.0, teacher_weight=1.0, **more)
        return WindowSampler(features, DetectorConfig(training=training)).batch(4, np.random.default_rng(1))[1]

    assert np.array_equal(targets(FeatureSet(frames, music)), np.repeat([[0], [1], [0], [1]], 3, axis=1))
    low = 1 / (1 + np.exp(2))
    assert targets(taught) == pytest.approx(np.repeat([[low], [1 - low], [low], [1 - low]], 3, axis=1), rel=1e-3)
    assert targets(taught, extreme_share=0.5)[::2].max() == 0, "silence needs no teacher"
    assert taught.chosen(np.array([False, True])).teacher.shape == (1, 1_500)


def test_scenes_keep_their_parts_and_features_their_teacher(tmp_path: Path) -> None:
    sources = TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=6.0), cache_dir=tmp_path / "pcm")
    pools, config = SoundPools.from_sources(sources, "train"), SceneConfig(duration_s=12.0, music_share=1.0)
    composed = compose_scene(pools, config, np.random.default_rng([1, 0]))
    assert composed.doubtful_music is not None
    assert composed.doubtful_music.shape == composed.samples.shape
    playing = np.abs(composed.doubtful_music[: 160 * composed.music.size]).reshape(-1, 160).max(axis=1) > 0
    assert (playing[composed.music == 1]).mean() > 0.9
    made = compose_scene(pools, replace(config, synthetic_share=1.0), np.random.default_rng([1, 0]))
    assert made.doubtful_music is None
    assert (made.music == 1).any()
    settings = {"n_scenes": 3, "seed": 1}
    taught = build_features([pools], config, folder=tmp_path / "taught", teacher=ToneTeacher(), **settings)
    plain = build_features([pools], config, folder=tmp_path / "plain", **settings)
    assert np.array_equal(taught.frames, plain.frames)
    assert plain.teacher is None
    assert taught.teacher is not None
    assert taught.teacher.shape == taught.music.shape
    expected = scene_logits(composed, ToneTeacher())[: taught.music.shape[1]]
    assert np.array_equal(taught.teacher[0], expected)
    again = build_features([pools], config, folder=tmp_path / "plain", teacher=ToneTeacher(), **settings)
    assert again.teacher is not None, "features without a teacher's opinion are made anew"
