import numpy as np
import pytest

from detector import features
from detector.band_levels import BandLevels
from detector.features import FeatureStream, features_of
from detector.front_end import Adaptation, FrontEnd, FrontEndSettings
from nowplaying_core.errors import ConfigError
from tests.detector.sounds import noise, pcm
from tests.synthesis import song

LOG_ALONE = FrontEndSettings(min_signal_remaining=1.0, gain_strength=0.0, full_scale=900)
RNG = np.random.default_rng(5)
SOUNDS = {
    "music": pcm(song(1, 12.0)),
    "faint noise": pcm(noise(1, 4.0, level=0.0005)),
    "loud noise": RNG.integers(-32_768, 32_768, 48_000).astype(np.int16),
    "full-scale square": np.where(np.arange(48_000) // 18 % 2, 32_767, -32_768).astype(np.int16),
    "lowest value": np.full(8_000, -32_768, dtype=np.int16),
    "low tone": np.rint(32_767 * np.sin(2 * np.pi * 130 * np.arange(48_000) / 16_000)).astype(np.int16),
    "bursts": (RNG.normal(0, 6_000, 48_000) * (np.arange(48_000) // 4_000 % 2)).clip(-32_768, 32_767).astype(np.int16),
    "silence": np.zeros(8_000, dtype=np.int16),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_the_default_settings_equal_the_compiled_front_end(name: str) -> None:
    compiled = FeatureStream().process(SOUNDS[name])
    assert np.array_equal(FrontEnd().process(SOUNDS[name]), compiled)
    assert len(compiled) > 40


def test_other_settings_do_not_open_the_compiled_front_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError

    monkeypatch.setattr(features, "MicroFrontend", refuse)
    assert FeatureStream(LOG_ALONE).process(np.zeros(1_600, dtype=np.int16)).shape == (8, 40)
    with pytest.raises(AssertionError):
        FeatureStream()


def test_memory_reset_and_chunks() -> None:
    sound = SOUNDS["music"]
    settings = FrontEndSettings(even_smoothing=0.003, odd_smoothing=0.008)
    stream = FeatureStream(settings)
    whole = stream.process(sound)
    assert not np.array_equal(stream.process(sound)[: len(whole)], whole), "the front end must adapt"
    stream.reset()
    parts = [stream.process(part) for part in np.split(sound, [1, 700, 50_000])]
    assert np.array_equal(np.concatenate(parts), whole)


def test_many_streams_at_once_are_each_their_own() -> None:
    levels = np.stack([BandLevels().process(pcm(noise(seed, 2.0))) for seed in range(3)], axis=1)
    together = Adaptation(FrontEndSettings()).process(levels)
    for number in range(3):
        assert np.array_equal(together[:, number], Adaptation(FrontEndSettings()).process(levels[:, number]))


def test_a_steady_tone_fades_by_the_defaults_and_stays_without_them() -> None:
    tone = np.rint(3_000 * np.sin(2 * np.pi * 440 * np.arange(160_000) / 16_000)).astype(np.int16)
    band = int(FeatureStream(LOG_ALONE).process(tone)[-1].argmax())
    shipped, alone = (FeatureStream(settings).process(tone)[:, band] for settings in (FrontEndSettings(), LOG_ALONE))
    assert shipped[2] - shipped[-1] > 200
    assert abs(int(alone[2]) - int(alone[-1])) <= 2


def test_without_reduction_and_gain_a_feature_is_the_logarithm_of_a_level() -> None:
    sound = SOUNDS["music"]
    levels = BandLevels().process(sound)
    expected = 64 * np.log(8 * np.maximum(levels.astype(np.float64), 1))
    found = FeatureStream(LOG_ALONE).process(sound)
    assert np.abs(found - expected)[levels > 0].max() < 1.5
    assert np.all(found[levels == 0] == 0)


def test_slower_averages_and_a_weaker_gain_leave_more_of_a_steady_tone() -> None:
    tone = np.rint(3_000 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 16_000)).astype(np.int16)

    def lost(settings: FrontEndSettings) -> int:
        frames = FeatureStream(settings).process(tone)
        band = int(frames[2].argmax())
        return int(frames[2, band]) - int(frames[99, band])

    by_default = lost(FrontEndSettings())
    assert lost(FrontEndSettings(even_smoothing=0.003, odd_smoothing=0.0075)) < by_default / 2
    assert lost(FrontEndSettings(gain_strength=0.5, gain_bits=17)) < by_default
    assert lost(FrontEndSettings(min_signal_remaining=0.5)) < by_default


def test_the_top_step_is_the_full_scale_of_the_settings() -> None:
    sound = SOUNDS["loud noise"]
    raw = FeatureStream(LOG_ALONE).process(sound).astype(int)
    assert np.array_equal(features_of(sound, LOG_ALONE), np.minimum((raw * 256 + 450) // 900 - 128, 127))


@pytest.mark.parametrize(
    "wrong",
    [
        {"even_smoothing": 0.0},
        {"min_signal_remaining": 1.5},
        {"gain_strength": -1.0},
        {"gain_bits": 14},
        {"full_scale": 3},
    ],
)
def test_settings_out_of_their_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        FrontEndSettings(**wrong)


def test_settings_go_through_plain_values() -> None:
    assert FrontEndSettings.from_dict(LOG_ALONE.to_dict()) == LOG_ALONE
    with pytest.raises(ConfigError, match="unknown settings"):
        FrontEndSettings.from_dict({"pcan": 1})
