import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.clips import ClipSampler
from tests.pretraining.methods.learning import learned

pytestmark = pytest.mark.train


def test_slices_of_a_clip_find_each_other_by_the_bilinear_form(clips: ClipSampler) -> None:
    pretext, losses = learned("cola", clips, n_steps=20)
    assert losses[0] > np.log(6) - 1
    assert losses[-1] < 0.5 * losses[0]
    (slices,) = pretext.draw(clips, np.random.default_rng(3))
    first, second = (np.asarray(pretext.projection(pretext.encoder(pretext.images(slices[:, k])))) for k in (0, 1))
    form = pretext.bilinear.get_weights()[0]
    logits = first @ (second @ form).T
    wanted = np.mean(np.log(np.exp(logits).sum(axis=1)) - np.diag(logits))
    assert float(pretext.objective(slices)) == pytest.approx(wanted, rel=1e-3)
