import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.clips import ClipSampler
from tests.pretraining.methods.learning import learned

pytestmark = pytest.mark.train


def test_degraded_copies_are_found_among_the_others(clips: ClipSampler) -> None:
    pretext, losses = learned("nt_xent", clips, n_steps=20)
    assert losses[-1] < 0.7 * losses[0]
    (slices,) = pretext.draw(clips, np.random.default_rng(3))
    assert not np.allclose(slices[:, 0], slices[:, 1], atol=1e-3)
    (slices,) = pretext.draw(clips, np.random.default_rng(3))
    # The rows of the loss are first all clean slices, then all degraded ones: shuffling one view must cost.
    mixed = slices.copy()
    mixed[:, 1] = mixed[[1, 2, 3, 4, 5, 0], 1]
    # As in training: the running statistics of the normalisation have not settled after so few steps.
    paired, shuffled = (float(pretext((one,), training=True)) for one in (slices, mixed))
    assert shuffled > 10 * paired
