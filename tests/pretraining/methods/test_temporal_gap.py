import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.clips import ClipSampler
from pretraining.methods.temporal_gap import TemporalGap
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


def test_the_gaps_of_a_batch_are_learned(clips: ClipSampler) -> None:
    pretext, losses = learned("temporal_gap", clips, n_steps=25)
    slices, share = pretext.draw(clips, np.random.default_rng(3))
    entropy = -np.mean(share * np.log(share + 1e-9) + (1 - share) * np.log(1 - share + 1e-9))
    assert losses[-1] - entropy < 0.5 * (losses[0] - entropy)
    assert float(pretext.objective(slices, share)) >= entropy - 1e-4
