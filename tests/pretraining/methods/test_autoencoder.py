import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.clips import ClipSampler
from tests.pretraining.methods.learning import learned

pytestmark = pytest.mark.train


def test_a_batch_is_rebuilt_better_and_better(clips: ClipSampler) -> None:
    pretext, losses = learned("autoencoder", clips, n_steps=40)
    assert losses[-1] < 0.9 * losses[0]
    (slices,) = pretext.draw(clips, np.random.default_rng(3))
    images = np.asarray(pretext.images(slices))
    assert images.shape == (6, 32, 32, 1)
    rebuilt = np.asarray(pretext.decoder(pretext.encoder(images)))
    assert float(pretext.objective(slices)) == pytest.approx(np.mean((rebuilt - images) ** 2), rel=1e-4)
