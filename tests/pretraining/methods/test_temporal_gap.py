from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.clips import ClipSampler
from pretraining.config.run import MethodConfig
from pretraining.methods.temporal_gap import TemporalGap
from pretraining.train import build_pretext
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import small_config
from tests.pretraining.methods.learning import learned

pytestmark = pytest.mark.train


class Offsets:
    """Keeps the offsets that are asked for."""

    window_samples = 5_120

    def slices(self, offsets: np.ndarray, rng: np.random.Generator, **options: object) -> np.ndarray:
        self.offsets = offsets
        return np.zeros((*offsets.shape, self.window_samples), np.float32)


def test_the_share_is_the_distance_of_the_slices_whatever_their_order(rng: np.random.Generator) -> None:
    asked = Offsets()
    _, share = TemporalGap(small_config("temporal_gap", clips_per_step=64)).draw(asked, rng)
    distance = asked.offsets[:, 1] - asked.offsets[:, 0]
    largest = 1.5 * 16_000 - 5_120
    np.testing.assert_allclose(share[:, 0], np.abs(distance) / largest, rtol=1e-6)
    assert (distance < 0).any()
    assert (distance > 0).any()
    assert 0.3 < share.mean() < 0.7


def test_a_short_gap_is_of_no_other_recordings_than_a_long_one(tmp_path: Path) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=2.0)
    soundfile.write(corpus / "speech" / "0.wav", np.full(16_000, 0.5), 16_000)  # holds a slice and no gap of 1.18 s
    sources = TrainingSources(corpus=corpus, cache_dir=tmp_path / "cache")
    config = small_config("temporal_gap", music_share=0.0, speech_share=1.0, clips_per_step=40)
    slices, share = TemporalGap(config).draw(TemporalGap.sampler(config, sources), np.random.default_rng(0))
    assert share.min() < 0.2
    assert np.abs(slices.mean(axis=2)).max() < 0.1, "none is of the recording that is 0.5 all along"


@pytest.mark.parametrize("compared", ["side by side", "difference"])
def test_the_gaps_of_a_batch_are_learned(clips: ClipSampler, compared: str) -> None:
    objective = replace(small_config("temporal_gap").objective, compared=compared)
    pretext, losses = learned("temporal_gap", clips, n_steps=25, objective=objective)
    slices, share = pretext.draw(clips, np.random.default_rng(3))
    entropy = -np.mean(share * np.log(share + 1e-9) + (1 - share) * np.log(1 - share + 1e-9))
    assert losses[-1] - entropy < 0.5 * (losses[0] - entropy)
    assert float(pretext.objective(slices, share)) >= entropy - 1e-4


def test_a_difference_does_not_know_which_slice_is_first(clips: ClipSampler) -> None:
    objective = replace(small_config("temporal_gap").objective, compared="difference")
    pretext = build_pretext(small_config("temporal_gap", objective=objective), clips)
    slices, share = pretext.draw(clips, np.random.default_rng(3))
    turned = pretext.objective(slices[:, ::-1], share)
    assert float(turned) == pytest.approx(float(pretext.objective(slices, share)), rel=1e-4)


def test_the_levels_enclose_every_answer_that_learned_something(clips: ClipSampler) -> None:
    pretext = build_pretext(small_config("temporal_gap"), clips)
    share = np.float32([[0.0], [0.5], [1.0]])
    levels = pretext.levels(None, share)
    assert levels["nothing known"] == pytest.approx(np.log(2), rel=1e-5)
    assert levels["floor"] == pytest.approx(np.log(2) / 3, rel=1e-5)


def test_a_way_to_compare_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="compared: expected one of side by side, difference, found 'product'"):
        MethodConfig(compared="product")
