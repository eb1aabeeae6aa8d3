from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.training.config import SceneConfig
from detector.training.pools import SoundPools
from detector.training.scenes import background, compose_scene, mix_at_snr
from evaluation.detector.clips import CONDITIONS, compose_clip
from nowplaying_core.audio.mixing import band_rms
from nowplaying_core.audio.sources import TrainingSources
from tests.detector.sounds import corpus_folder, noise


@pytest.fixture(scope="module")
def pools(tmp_path_factory: pytest.TempPathFactory) -> SoundPools:
    root = corpus_folder(tmp_path_factory.mktemp("corpus"))
    return SoundPools.from_sources(TrainingSources(corpus=root, cache_dir=root / "cache"), "train", stretched_share=0.5)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.0])
def test_mix_has_the_snr_asked_for(snr_db: float) -> None:
    music, behind = noise(1, 4.0), noise(2, 4.0, level=0.3)
    mixed = mix_at_snr(music, behind, snr_db)
    assert 20 * np.log10(band_rms(music) / band_rms(mixed - music)) == pytest.approx(snr_db, abs=0.05)


def test_scenes_are_repeatable_finite_and_labelled(pools: SoundPools) -> None:
    config = SceneConfig(duration_s=12.0)
    kinds = set()
    for seed in range(16):
        scene = compose_scene(pools, config, np.random.default_rng(seed))
        again = compose_scene(pools, config, np.random.default_rng(seed))
        assert np.array_equal(scene.samples, again.samples)
        assert scene.samples.shape == (12 * 16_000,)
        assert np.abs(scene.samples).max() <= 1
        assert set(np.unique(scene.music)) <= {0, 1, 2}
        assert scene.music.any() == (scene.kind == "music")
        assert (scene.snr_db is not None) == (scene.kind == "music")
        kinds.add(scene.kind)
    assert "music" in kinds
    assert len(kinds) >= 3


def test_made_and_transformed_music_is_music_too(pools: SoundPools) -> None:
    for shares in ({"synthetic_share": 1.0}, {"transformed_share": 1.0}):
        config = SceneConfig(duration_s=12.0, music_share=1.0, **shares)
        plain = SceneConfig(duration_s=12.0, music_share=1.0)
        for seed in range(4):
            scene = compose_scene(pools, config, np.random.default_rng(seed))
            assert scene.music.any()
            assert np.isfinite(scene.samples).all()
            other = compose_scene(pools, plain, np.random.default_rng(seed))
            assert not np.array_equal(scene.samples, other.samples)


def test_music_share_is_what_the_settings_say(pools: SoundPools) -> None:
    for share, expected in ((0.0, False), (1.0, True)):
        config = SceneConfig(duration_s=12.0, music_share=share)
        scenes = [compose_scene(pools, config, np.random.default_rng(seed)) for seed in range(5)]
        assert all((scene.kind == "music") is expected for scene in scenes)


def test_backgrounds_have_unit_level(pools: SoundPools) -> None:
    for seed in range(12):
        drawn = background(pools, 5 * 16_000, np.random.default_rng(seed))
        assert band_rms(drawn.samples) == pytest.approx(1.0, rel=0.05)


def test_varied_scenes_are_other_scenes_of_as_many_noises_at_unit_level(pools: SoundPools) -> None:
    n_noises = []
    for seed in range(20):
        drawn = background(pools, 5 * 16_000, np.random.default_rng(seed), varied_share=1.0)
        plain = background(pools, 5 * 16_000, np.random.default_rng(seed))
        assert drawn.samples.shape == plain.samples.shape
        assert band_rms(drawn.samples) == pytest.approx(1.0, rel=0.05)
        assert drawn.kind == plain.kind
        assert np.array_equal(drawn.samples, plain.samples) == (plain.kind == "quiet")
        if drawn.kind == "noise":
            n_noises.append(len(drawn.files))
    assert set(n_noises) <= {1, 2, 3}
    assert max(n_noises) > 1
    config = SceneConfig(duration_s=12.0, music_share=1.0, varied_share=1.0)
    scene = compose_scene(pools, config, np.random.default_rng(3))
    assert scene.music.any()
    assert np.isfinite(scene.samples).all()


def test_clips_differ_by_condition_only_in_the_channel(pools: SoundPools) -> None:
    clips = [compose_clip(pools, np.random.default_rng(seed), is_music=True) for seed in range(5)]
    treble = dict.fromkeys(CONDITIONS, 0.0)
    for clip in clips:
        assert set(clip.windows) == {*CONDITIONS, "cold"}
        assert all(window.shape == (446, 40) for window in clip.windows.values())
        assert 0 <= clip.snr_db <= 20
        for name in CONDITIONS:
            treble[name] += clip.windows[name][:, -6:].astype(int).mean()
    assert treble["low-passed 3.5 kHz"] < treble["full band"]
    assert compose_clip(pools, np.random.default_rng(4), is_music=False).snr_db is None


def test_short_extra_sounds_are_scattered_in_time(tmp_path: Path) -> None:
    root = corpus_folder(tmp_path / "corpus")
    extra = tmp_path / "extra" / "noise"
    extra.mkdir(parents=True)
    soundfile.write(extra / "knock.wav", noise(5, 0.2), 16_000)
    pools = SoundPools.from_sources(
        TrainingSources(corpus=root, cache_dir=tmp_path / "pcm", extra_data=extra.parent), "train"
    )
    names = set()
    for seed in range(20):
        samples, file = pools.pick_noise(3 * 16_000, np.random.default_rng(seed), looped=False)
        assert samples.shape == (3 * 16_000,)
        assert band_rms(samples) == pytest.approx(1.0, rel=0.05)
        names.add(file.path.name)
    assert "knock.wav" in names
    assert len(names) > 1
